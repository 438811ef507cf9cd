import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CrashTrace, isInRotation, primaryInTurn, readCrash } from '../../bench/consensus/first-commit.ts';
import { growthOf } from '../../bench/consensus/memory-growth.ts';
import { rateForSize } from '../../bench/consensus/size.ts';
import { judge, verdictText } from '../../bench/consensus/verdict.ts';

const TRACE: CrashTrace = {
  victim: 2,
  killedMs: 1_000,
  dueHeight: 6,
  dueView: 1,
  sightings: [
    { node: 0, height: 5, atMs: 1_004 },
    { node: 2, height: 6, atMs: 1_005 },
    { node: 1, height: 6, atMs: 2_110 },
    { node: 0, height: 6, atMs: 2_100 },
  ],
  transactions: [
    { plannedMs: 990, committedMs: 1_003 },
    { plannedMs: 1_000, committedMs: 1_006 },
    { plannedMs: 1_020, committedMs: Number.NaN },
    { plannedMs: 1_040, committedMs: 2_130 },
    { plannedMs: 1_090, committedMs: 2_120 },
  ],
};

test('after a kill the first commit counts of what was planned after it, whichever of that commits first', () => {
  assert.is(readCrash(TRACE).firstTransactionMs, 1_120);
});

test('after a kill the first block counts that a survivor told of, from the height on whose primary was killed', () => {
  assert.is(readCrash(TRACE).firstBlockMs, 1_100);
});

test('a kill took the turn of the primary unless its block was agreed on in view 0', () => {
  assert.ok(readCrash(TRACE).tookTurn);
  assert.not.ok(readCrash({ ...TRACE, dueView: 0 }).tookTurn);
});

test('what was not seen after a kill is no time at all', () => {
  const { firstTransactionMs, firstBlockMs } = readCrash({ ...TRACE, sightings: [], transactions: [] });
  assert.ok(Number.isNaN(firstTransactionMs) && Number.isNaN(firstBlockMs));
});

test('validators are in turn while every proposer is the primary of view 0 with nobody passed over', () => {
  assert.is(primaryInTurn(9, 4), 1);
  assert.ok(isInRotation(7, [3, 0, 1, 2], 4));
  assert.not.ok(isInRotation(7, [3, 1, 1, 2], 4));
});

test('a figure passes at its threshold, not beyond, and never unmeasured', () => {
  assert.ok(judge('time', 2_000, 'ms', 'atMost', 2_000).passes);
  assert.not.ok(judge('time', 2_001, 'ms', 'atMost', 2_000).passes);
  assert.ok(judge('share', 60, '%', 'atLeast', 60).passes);
  assert.not.ok(judge('share', 59.9, '%', 'atLeast', 60).passes);
  for (const bound of ['atMost', 'atLeast'] as const) assert.not.ok(judge('x', Number.NaN, 's', bound, 1).passes);
});

test('a verdict names the figure, its threshold and the outcome', () => {
  assert.is(verdictText(judge('time', 1_234.5, 'ms', 'atMost', 2_000)), 'PASS: time: 1235 ms, at most 2000 ms.');
  assert.is(verdictText(judge('share', 1 / 3, '%', 'atLeast', 60)), 'MISS: share: 0.333 %, at least 60 %.');
  assert.match(verdictText(judge('time', Number.NaN, 'ms', 'atMost', 2)), 'MISS: time: not measured');
});

const series = (bytes: (second: number) => number, seconds = 60) =>
  Array.from({ length: seconds }, (_, second) => [second * 1_000, bytes(second)] as const);

test('memory that climbs is told by its halves and by its slope', () => {
  const { firstBytes, secondBytes, ratio, slopeBytesPerSecond } = growthOf(series((second) => 1_000 + 10 * second));
  assert.is(firstBytes, 1_145);
  assert.is(secondBytes, 1_445);
  assert.is(ratio, 1_445 / 1_145);
  assert.ok(Math.abs(slopeBytesPerSecond - 10) < 1e-6);
});

test('of too few samples nothing is said about memory', () => {
  assert.ok(Number.isNaN(growthOf([]).ratio));
  assert.ok(Number.isNaN(growthOf(series(() => 1, 2)).ratio));
});

test('larger networks are offered less, as they share one machine', () => {
  assert.is(rateForSize(600, 4), 600);
  assert.is(rateForSize(600, 10), 240);
  assert.is(rateForSize(1, 13), 1);
});

test.run();
