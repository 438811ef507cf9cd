import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planBatches, plannedTimes, readInterval } from '../../bench/open-loop.ts';
import { seededChance } from '../../bench/seeded-chance.ts';

const times = (seed: number) => plannedTimes(1_000, 3_000, seededChance(seed, 'plan'));

test('a plan has exactly as many times as the rate says, ascending, within the step', () => {
  const planned = times(1);
  assert.is(planned.length, 3_000);
  assert.ok(planned.every((time, place) => time >= (planned[place - 1] ?? 0) && time < 3_000));
});

test('a plan follows from its seed alone', () => {
  assert.equal(times(7), times(7));
  assert.not.equal(times(7), times(8));
});

test('arrivals vary as those of a Poisson process do', () => {
  const planned = times(2);
  const gaps = Array.from(planned, (time, place) => time - (planned[place - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  // The deviation of exponential gaps is their mean.
  assert.ok(deviation / mean > 0.9 && deviation / mean < 1.1, `${deviation} against ${mean}`);
});

test('every transaction is in one request, in order, and none leaves before it was planned or after its window', () => {
  const planned = times(3);
  const batches = planBatches(planned, { windowMs: 5, transactionsMax: 4 });
  let next = 0;
  for (const { first, count, sendAtMs } of batches) {
    assert.is(first, next);
    assert.ok(count >= 1 && count <= 4);
    assert.ok(sendAtMs >= planned[first + count - 1]!);
    assert.ok(sendAtMs <= planned[first]! + 5);
    next = first + count;
  }
  assert.is(next, planned.length);
  assert.ok(batches.some(({ count }) => count === 4));
});

test('a full request leaves with its last transaction, one that is not full at the end of its window', () => {
  const planned = Float64Array.of(0, 1, 2, 50, 52);
  assert.equal(planBatches(planned, { windowMs: 5, transactionsMax: 3 }), [
    { first: 0, count: 3, sendAtMs: 2 },
    { first: 3, count: 2, sendAtMs: 55 },
  ]);
});

test('without a window each transaction leaves by itself when it was planned', () => {
  const planned = Float64Array.of(0, 0, 3);
  const batches = planBatches(planned, { windowMs: 0, transactionsMax: 100 });
  assert.equal(
    batches.map(({ count, sendAtMs }) => [count, sendAtMs]),
    [
      [1, 0],
      [1, 0],
      [1, 3],
    ],
  );
});

test('latency runs from the planned time, so a stall counts against all that was planned meanwhile', () => {
  const plannedMs = Float64Array.from({ length: 100 }, (_, place) => place * 10);
  // Nothing commits before the 1,000th millisecond: a client that waits for answers would report one slow request.
  const committedMs = plannedMs.map(() => 1_000);
  const { latenciesUs } = readInterval({ plannedMs, committedMs, rampMs: 0, intervalMs: 1_000 });
  assert.is(latenciesUs.length, 100);
  assert.is(latenciesUs[0], 1_000_000);
  assert.is(latenciesUs[50], 500_000);
});

test('latency counts what was planned in the interval, throughput what committed in it', () => {
  const plannedMs = Float64Array.of(900, 1_100, 1_900, 2_100);
  const committedMs = Float64Array.of(1_050, 1_200, 2_300, 2_200);
  const reading = readInterval({ plannedMs, committedMs, rampMs: 1_000, intervalMs: 1_000 });
  assert.is(reading.planned, 2);
  assert.equal(reading.latenciesUs, [100_000, 400_000]);
  assert.is(reading.committedPerSecond, 2);
  assert.equal(reading.commitsBySecond, [0, 2, 2]);
});

test('a transaction whose commit was never seen is lost, not fast', () => {
  const plannedMs = Float64Array.of(0, 1, 2);
  const committedMs = Float64Array.of(5, Number.NaN, 6);
  const reading = readInterval({ plannedMs, committedMs, rampMs: 0, intervalMs: 10 });
  assert.is(reading.lost, 1);
  assert.is(reading.latenciesUs.length, 2);
  assert.is(reading.committedPerSecond, 200);
});

test.run();
