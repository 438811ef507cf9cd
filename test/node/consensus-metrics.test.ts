// The gauges of the agreement, by validator; what is not known now is not shown.
import { Registry } from 'prom-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addConsensusGauges } from '../../src/node/consensus-metrics.ts';
import type { ConsensusStatus } from '../../src/node/ports.ts';

test('readings come and go with the status', async () => {
  const validator = {
    validator: 0,
    name: 'Ash',
    connected: true,
    prepared: false,
    committed: false,
    viewChange: null,
    voteLagMs: 250,
    missedHeights: 4,
  };
  let status: ConsensusStatus = {
    primary: 0,
    primaryName: 'Ash',
    quorum: 1,
    proposal: 'none',
    validators: [validator, { ...validator, validator: 1, connected: false, voteLagMs: null }],
    nextTimeoutMs: 1_500,
    lastCommitAgeMs: 20_000,
    explanation: [],
  };
  const registry = new Registry();
  addConsensusGauges(registry, { consensus: () => status, evidenceEntries: async () => 2 });
  const values = async () => (await registry.metrics()).split('\n').filter((line) => /^medledger/.test(line));
  assert.equal(await values(), [
    'medledger_consensus_vote_lag_seconds{validator="0"} 0.25',
    'medledger_consensus_missed_heights{validator="0"} 4',
    'medledger_consensus_missed_heights{validator="1"} 4',
    'medledger_consensus_validator_connected{validator="0"} 1',
    'medledger_consensus_validator_connected{validator="1"} 0',
    'medledger_consensus_next_timeout_seconds 1.5',
    'medledger_consensus_last_commit_age_seconds 20',
    'medledger_consensus_evidence_entries 2',
  ]);
  status = { ...status, validators: [validator], nextTimeoutMs: null, lastCommitAgeMs: null };
  assert.equal(await values(), [
    'medledger_consensus_vote_lag_seconds{validator="0"} 0.25',
    'medledger_consensus_missed_heights{validator="0"} 4',
    'medledger_consensus_validator_connected{validator="0"} 1',
    'medledger_consensus_evidence_entries 2',
  ]);
});

test.run();
