import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { catchUpReport } from '../../bench/consensus/catch-up-report.ts';
import type { CrashRaw } from '../../bench/consensus/crash.ts';
import { crashReport } from '../../bench/consensus/crash-report.ts';
import { downReport } from '../../bench/consensus/down-report.ts';
import type { FloodPhase, FloodRaw } from '../../bench/consensus/flood.ts';
import { floodReport } from '../../bench/consensus/flood-report.ts';
import { type ConsensusOptions, PARTS } from '../../bench/consensus/options.ts';
import { failedReport } from '../../bench/consensus/part-report.ts';
import { sizeReport } from '../../bench/consensus/size-report.ts';
import { latenciesOf } from '../../bench/latency.ts';
import type { StepResult } from '../../bench/measure-step.ts';
import { readOptions } from '../../bench/options.ts';
import { sectionText } from '../../bench/report/report.ts';

const optionsOf = (...args: string[]): ConsensusOptions => {
  const request = readOptions(['consensus', ...args]);
  if (request.kind !== 'consensus') throw new Error(`read as ${JSON.stringify(request)}`);
  return request.options;
};
const OPTIONS = optionsOf();
const CLIENT = { cores: 0.1, lagP99Ms: 1, state: 'fine' } as const;

test('without options every part is measured, at the sizes and for the times that the issue names', () => {
  assert.equal(OPTIONS.parts, PARTS);
  assert.equal(OPTIONS.sizes, [4, 7, 10, 13]);
  assert.is(OPTIONS.crashes, 20);
  assert.is(OPTIONS.phaseMs, 60_000);
  assert.ok(optionsOf('--quick').phaseMs < 60_000);
  assert.is(optionsOf('--quick', '--seconds', '7').phaseMs, 7_000);
  assert.equal(optionsOf('--parts', 'flood,crash').parts, ['flood', 'crash']);
});

test('options of a consensus run that can not be read are answered with the fault', () => {
  const faultOf = (...args: string[]) => {
    const request = readOptions(['consensus', ...args]);
    return request.kind === 'help' ? (request.fault ?? '') : '';
  };
  assert.match(faultOf('--parts', 'size,shape'), 'shape');
  assert.match(faultOf('--sizes', '3'), 'from 4 on');
  assert.match(faultOf('--sizes', '7,4'), 'rising');
  assert.match(faultOf('--crashes', '2.5'), 'whole');
  assert.match(faultOf('--seconds', '0'), 'above 0');
});

const crash = (firstTransactionMs: number, tookTurn = true) => ({
  firstTransactionMs,
  firstBlockMs: firstTransactionMs - 10,
  tookTurn,
  victim: 'hospital-1',
  dueHeight: 9,
  dueView: tookTurn ? 1 : 0,
  restartMs: 4_000,
});
const crashes = (...repeats: CrashRaw['repeats']): CrashRaw => ({ repeats, viewTimeoutMs: 1_000, client: CLIENT });

test('crashes are judged by those that took the primary’s turn, against T0 and a second', () => {
  const passing = crashReport(crashes(crash(1_100), crash(1_900), crash(40, false)), OPTIONS);
  assert.ok(passing.verdicts[0]!.passes);
  assert.is(passing.measurements[0]!.values.length, 2);
  assert.match(sectionText(passing.section), 'the 2 of 3 kills');
  assert.not.ok(crashReport(crashes(crash(1_100), crash(2_100)), OPTIONS).verdicts[0]!.passes);
  assert.ok(crashReport({ ...crashes(crash(2_100)), viewTimeoutMs: 2_000 }, OPTIONS).verdicts[0]!.passes);
  assert.not.ok(crashReport(crashes(crash(40, false)), OPTIONS).verdicts[0]!.passes, 'none that counts');
});

const step = (change: Partial<StepResult> = {}): StepResult => {
  const node = { blocks: 10, transactions: 50, sentBytes: 10_240, sentFrames: 80, viewChanges: 1 };
  const latency = latenciesOf([20_000, 30_000]);
  return {
    offeredPerSecond: 600,
    committedPerSecond: 500,
    latency,
    lost: 0,
    commitsBySecond: [500],
    clientState: 'fine',
    cpu: [{ user: 0.2, system: 0.1, threads: {} }],
    work: [node, node],
    ...change,
  } as StepResult;
};

test('a node down is judged by the share of the healthy throughput', () => {
  const share = (committedPerSecond: number) =>
    downReport({ healthy: step(), down: step({ committedPerSecond }) }, OPTIONS).verdicts[0]!;
  assert.ok(share(300).passes);
  assert.not.ok(share(299).passes);
  assert.is(share(250).value, 50);
});

test('a report says when the client was the bottleneck, and when it was not', () => {
  const text = (clientState: StepResult['clientState']) =>
    sectionText(downReport({ healthy: step(), down: step({ clientState }) }, OPTIONS).section);
  assert.match(text('busy'), 'The client was the bottleneck in 1 of 2 steps');
  assert.match(text('late'), 'The client sent late in 1 of 2 steps');
  assert.match(text('fine'), 'The client was not the bottleneck');
});

test('sizes are reported side by side, with what a node sends for a block', () => {
  const { section, measurements, verdicts } = sizeReport(
    [4, 7].map((nodes) => ({ nodes, low: [step(), step()], full: [step()] })),
    OPTIONS,
  );
  assert.equal(verdicts, []);
  const rows = section.tables.map((table) => table.rows.map((row) => row.slice(0, 3)));
  assert.equal(
    rows[0]!.map(([nodes]) => nodes),
    ['4', '7'],
  );
  assert.equal(rows[1]![0], ['4', 8, 1]);
  assert.equal(measurements.find(({ name }) => name === 'n = 7: committed, full load')?.values, [500]);
});

const phase = (grownResident: number, committed = 100): FloodPhase => ({
  seconds: 60,
  memory: [1, grownResident].map((growth) =>
    Array.from({ length: 20 }, (_, place) => ({
      atMs: place * 500,
      heapBytes: 1_000 * (place + 1),
      residentBytes: place < 10 ? 4_000 : 4_000 * growth,
    })),
  ),
  planned: 100,
  committed,
  longestGapMs: 800,
  dropped: { 'dropped{reason="oldHeight"}': 7 },
});
const flooded = (change: FloodPhase, endBytes = 1_000): FloodRaw => ({
  names: ['hospital-1', 'hospital-2'],
  calm: phase(1),
  flooded: change,
  liveHeap: { beforeBytes: 500, middleBytes: 1_000, endBytes },
  flooder: { frames: 90_000, transactions: 4_500, garbage: 2, connectedShare: 0.9, heldBackShare: 0, seconds: 60 },
  client: CLIENT,
});

test('a flood is judged by the heap that lives, the node whose memory grew most, and the commits of others', () => {
  const passes = (raw: FloodRaw) => floodReport(raw, OPTIONS).verdicts.map((verdict) => verdict.passes);
  assert.equal(passes(flooded(phase(1.1))), [true, true, true]);
  assert.equal(passes(flooded(phase(1.1), 1_300)), [false, true, true]);
  assert.equal(passes(flooded(phase(1.3))), [true, false, true]);
  assert.equal(passes(flooded(phase(1, 94))), [true, true, false]);
  assert.match(sectionText(floodReport(flooded(phase(1)), OPTIONS).section), '1500 sent');
});

test('a part that failed is a miss, with its reason', () => {
  const { verdicts, section } = failedReport('crash', 'no commit');
  assert.not.ok(verdicts[0]!.passes);
  assert.match(sectionText(section), 'no commit');
});

test('catching up is judged against the rate at which blocks are made', () => {
  const run = { name: 'hospital-4', blocks: 500, transactions: 4_000, startSeconds: 1, seconds: 10 };
  const report = (madePerSecond: number) => catchUpReport({ runs: [run], madePerSecond }, OPTIONS);
  assert.ok(report(50).verdicts[0]!.passes);
  assert.not.ok(report(51).verdicts[0]!.passes);
  assert.equal(
    report(1).measurements.map(({ values }) => values[0]),
    [50, 400],
  );
});

test.run();
