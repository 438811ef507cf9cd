import { test } from 'uvu';
import * as assert from 'uvu/assert';
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
    assert.equal(trial.load.faults, []);
    await audit(trial.cluster, trial.load.acknowledged);
  } catch (error) {
    console.log(trial.cluster.logs());
    throw error;
  } finally {
    await closeTrial(trial);
  }
});

test.run();
