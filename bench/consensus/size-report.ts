import { median } from '../latency.ts';
import type { StepResult } from '../measure-step.ts';
import type { ConsensusOptions } from './options.ts';
import { clientNote, figure, type PartReport, partReport } from './part-report.ts';
import type { SizeResult } from './size.ts';

const COLUMNS = ['nodes', 'p50 ms', 'p99 ms', 'committed/s', 'of offered/s', 'p99 ms, full', 'lost', 'view changes'];
const COST_COLUMNS = ['nodes', 'messages/block', 'KiB/block', 'transactions/block', 'KiB/block, full', 'cores, full'];

/** What the part measured, by size. */
export function sizeReport(sizes: readonly SizeResult[], options: ConsensusOptions): PartReport {
  const { lowRate, repeats, intervalMs } = options;
  const measurements = sizes.flatMap(({ nodes, low, full }) => [
    figure(
      `n = ${nodes}: p50 at ${lowRate}/s`,
      'ms',
      'lower',
      low.map(({ latency }) => latency.p50),
    ),
    figure(
      `n = ${nodes}: p99 at ${lowRate}/s`,
      'ms',
      'lower',
      low.map(({ latency }) => latency.p99),
    ),
    figure(
      `n = ${nodes}: committed, full load`,
      '/s',
      'higher',
      full.map(({ committedPerSecond }) => committedPerSecond),
    ),
    figure(`n = ${nodes}: messages a block and node`, '', 'lower', low.map(framesPerBlock)),
    figure(`n = ${nodes}: bytes a block and node`, 'bytes', 'lower', low.map(bytesPerBlock)),
  ]);
  const rows = sizes.map(({ nodes, low, full }) => [
    String(nodes),
    mid(low, ({ latency }) => latency.p50),
    mid(low, ({ latency }) => latency.p99),
    mid(full, ({ committedPerSecond }) => committedPerSecond),
    mid(full, ({ offeredPerSecond }) => offeredPerSecond),
    mid(full, ({ latency }) => latency.p99),
    [...low, ...full].reduce((sum, { lost }) => sum + lost, 0),
    [...low, ...full].reduce((sum, { work }) => sum + Math.max(...work.map(({ viewChanges }) => viewChanges)), 0),
  ]);
  const costs = sizes.map(({ nodes, low, full }) => [
    String(nodes),
    mid(low, framesPerBlock),
    mid(low, bytesPerBlock) / 1_024,
    mid(full, ({ work }) => work[0]!.transactions / Math.max(1, work[0]!.blocks)),
    mid(full, bytesPerBlock) / 1_024,
    mid(full, ({ cpu }) => cpu.reduce((sum, { user, system }) => sum + user + system, 0)),
  ]);
  return partReport('Latency and throughput by size', [], measurements, {
    notes: [
      `Medians of ${repeats} repeats of ${intervalMs / 1_000} s. Latency at ${lowRate}/s over all nodes, throughput at a ` +
        'load that is more than the machine can do at n nodes, if "committed" lies clearly below "offered".',
      'Messages and bytes are those that one node sends for one block at the low rate, on the average of all nodes: ' +
        'consensus messages, transactions and STATUS with our framing, before encryption.',
      clientNote(sizes.flatMap(({ low, full }) => [...low, ...full]).map(({ clientState }) => clientState)),
    ],
    tables: [
      { title: 'By size', columns: COLUMNS, rows },
      { title: 'What a node sends', columns: COST_COLUMNS, rows: costs },
    ],
    plots: [
      plot('Latency by size, low load', 'milliseconds', [
        { name: 'p50', points: sizes.map(({ nodes, low }) => [nodes, mid(low, ({ latency }) => latency.p50)]) },
        { name: 'p99', points: sizes.map(({ nodes, low }) => [nodes, mid(low, ({ latency }) => latency.p99)]) },
      ]),
      plot('Throughput by size, full load', 'committed transactions/s', [
        {
          name: 'committed',
          points: sizes.map(({ nodes, full }) => [nodes, mid(full, (step) => step.committedPerSecond)]),
        },
      ]),
    ],
  });
}

function plot(title: string, yLabel: string, series: { name: string; points: (readonly [number, number])[] }[]) {
  return { title, xLabel: 'validators', yLabel, isLogarithmic: false, series };
}

function mid(steps: readonly StepResult[], value: (step: StepResult) => number): number {
  return median(steps.map(value));
}

function framesPerBlock({ work }: StepResult): number {
  return work.reduce((sum, { sentFrames, blocks }) => sum + sentFrames / Math.max(1, blocks), 0) / work.length;
}

function bytesPerBlock({ work }: StepResult): number {
  return work.reduce((sum, { sentBytes, blocks }) => sum + sentBytes / Math.max(1, blocks), 0) / work.length;
}
