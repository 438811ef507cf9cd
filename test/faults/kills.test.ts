import { rejects } from 'node:assert/strict';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lostAt } from '../cluster/record-load.ts';
import { audit } from './audit.ts';
import { killAtRandom } from './scenarios/kills.ts';
import { closeTrial, openTrial, PATIENCE_MS } from './trial.ts';

const SEED = 5;

test('five kills at random, of nodes that reach each other through a proxy: nothing is lost', async () => {
  const trial = await openTrial('proxy', 4, SEED);
  try {
    await killAtRandom(trial, 5);
    await trial.load.more(20, PATIENCE_MS);
    await trial.load.stop();
    const { acknowledged, faults } = trial.load;
    assert.equal(faults, []);
    // The audit would notice: of a transaction in another place, and of one told twice.
    const moved = { ...acknowledged[0]!, index: acknowledged[0]!.index + 1 };
    assert.match((await lostAt(trial.cluster.nodes[0]!.client, [moved])) ?? '', 'was acknowledged at');
    await rejects(audit(trial.cluster, [...acknowledged, acknowledged[0]!]), /acknowledged twice/);
    await audit(trial.cluster, acknowledged);
  } catch (error) {
    console.log(trial.cluster.logs());
    throw error;
  } finally {
    await closeTrial(trial);
  }
});

test.run();
