import { Gauge, type Registry } from 'prom-client';
import type { ConsensusStatus } from './ports.ts';

/** Readings about the agreement that are taken when the metrics are asked for. */
export interface ConsensusMetricSources {
  consensus(): ConsensusStatus;
  /** Entries of evidence on the ledger. */
  evidenceEntries(): Promise<number>;
}

/** Gauges of who takes part in the agreement and how; a reading that is not there now is not shown. */
export function addConsensusGauges(registry: Registry, { consensus, evidenceEntries }: ConsensusMetricSources): void {
  const registers = [registry];
  const ofValidators = (
    name: string,
    help: string,
    read: (validator: ConsensusStatus['validators'][number]) => number | null,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ['validator'],
      registers,
      collect() {
        this.reset();
        for (const validator of consensus().validators) {
          const value = read(validator);
          if (value !== null) this.set({ validator: validator.validator }, value);
        }
      },
    });
  // With no labels, a gauge that was reset shows 0: only one that has none of them at all can be left out.
  const ofTime = (name: string, help: string, read: (status: ConsensusStatus) => number | null) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.remove();
        const value = read(consensus());
        if (value !== null) this.set(value / 1_000);
      },
    });
  ofValidators(
    'medledger_consensus_vote_lag_seconds',
    'Median time by which its COMMITs came after the quorum',
    ({ voteLagMs }) => (voteLagMs === null ? null : voteLagMs / 1_000),
  );
  ofValidators(
    'medledger_consensus_missed_heights',
    'Of the last heights those at which it did not vote',
    ({ missedHeights }) => missedHeights,
  );
  ofValidators('medledger_consensus_validator_connected', 'Whether it is connected', ({ connected }) =>
    Number(connected),
  );
  ofTime('medledger_consensus_next_timeout_seconds', 'Until the view runs out', ({ nextTimeoutMs }) => nextTimeoutMs);
  ofTime(
    'medledger_consensus_last_commit_age_seconds',
    'Since the last commit',
    ({ lastCommitAgeMs }) => lastCommitAgeMs,
  );
  new Gauge({
    name: 'medledger_consensus_evidence_entries',
    help: 'Evidence of double signing on the ledger',
    registers,
    async collect() {
      this.set(await evidenceEntries());
    },
  });
}
