import type { StepResult } from '../measure-step.ts';
import type { DownRaw } from './down.ts';
import type { ConsensusOptions } from './options.ts';
import { clientNote, figure, type PartReport, partReport } from './part-report.ts';
import { judge } from './verdict.ts';

/** Least share of the healthy throughput with one of four nodes down. */
const SHARE_MIN = 0.6;

/** Throughput whole and without one node. */
export function downReport({ healthy, down }: DownRaw, { rate, phaseMs, rampMs }: ConsensusOptions): PartReport {
  const share = down.committedPerSecond / healthy.committedPerSecond;
  const row = (name: string, step: StepResult) => {
    const { committedPerSecond, offeredPerSecond, latency, lost, work } = step;
    const viewChanges = Math.max(...work.map((node) => node.viewChanges));
    return [name, offeredPerSecond, committedPerSecond, latency.p50, latency.p99, lost, viewChanges];
  };
  const bySecond = (name: string, { commitsBySecond }: StepResult) => ({
    name,
    points: commitsBySecond.map((count, second) => [second, count] as const),
  });
  return partReport(
    'Throughput with one of four nodes down',
    [judge('throughput with one node down, of the healthy one', 100 * share, '%', 'atLeast', 100 * SHARE_MIN)],
    [
      figure('committed, healthy', '/s', 'higher', [healthy.committedPerSecond]),
      figure('committed, one down', '/s', 'higher', [down.committedPerSecond]),
      figure('one down, of healthy', '%', 'higher', [100 * share]),
    ],
    {
      notes: [
        `The same ${rate} transactions/s for ${phaseMs / 1_000} s each, after ${rampMs / 1_000} s that are not counted: ` +
          'first with all four nodes, then with one killed. In both phases clients turn to the other three alone. The ' +
          'ratio says something of the ledger only where the healthy network is near what it can do: where "committed" ' +
          'equals "offered" in both, it says that one node less still does this much.',
        clientNote([healthy.clientState, down.clientState]),
      ],
      tables: [
        {
          title: 'Both phases',
          columns: ['phase', 'offered/s', 'committed/s', 'p50 ms', 'p99 ms', 'lost', 'view changes'],
          rows: [row('healthy', healthy), row('one down', down)],
        },
      ],
      plots: [
        {
          title: 'Commits seen in each second',
          xLabel: 'seconds',
          yLabel: 'transactions',
          isLogarithmic: false,
          series: [bySecond('healthy', healthy), bySecond('one down', down)],
        },
      ],
    },
  );
}
