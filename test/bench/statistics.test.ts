import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { verdictOf } from '../../bench/compare.ts';
import { isSustained, kneeOf } from '../../bench/knee.ts';
import { latenciesOf, median } from '../../bench/latency.ts';

test('percentiles of a known distribution are right to three digits', () => {
  const latencies = latenciesOf(Array.from({ length: 10_000 }, (_, place) => (place + 1) * 100));
  const near = (value: number, expected: number) => assert.ok(Math.abs(value / expected - 1) < 0.002, `${value}`);
  assert.is(latencies.count, 10_000);
  near(latencies.p50, 500);
  near(latencies.p95, 950);
  near(latencies.p99, 990);
  near(latencies.p999, 999);
  near(latencies.max, 1_000);
  near(latencies.mean, 500.05);
  assert.is(
    latencies.cells.reduce((sum, [, count]) => sum + count, 0),
    10_000,
  );
});

test('of nothing there are no percentiles, and no failure', () => {
  assert.equal(latenciesOf([]), { count: 0, mean: 0, p50: 0, p95: 0, p99: 0, p999: 0, max: 0, cells: [] });
  assert.ok(Number.isNaN(median([])));
});

test('the median is the middle one, or the mean of the two in the middle', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2.5);
});

const repeat = (offeredPerSecond: number, committedPerSecond: number, p99Ms = 50, lost = 0) => ({
  offeredPerSecond,
  committedPerSecond,
  p99Ms,
  lost,
});

test('a rate is sustained by the median of its repeats: nearly all committed, in time, nothing lost', () => {
  assert.ok(isSustained([repeat(100, 100), repeat(100, 95), repeat(100, 20)]));
  assert.not.ok(isSustained([repeat(100, 100), repeat(100, 94), repeat(100, 20)]), 'too little committed');
  assert.not.ok(isSustained([repeat(100, 100, 1_001)]), 'too late');
  assert.ok(isSustained([repeat(100, 100, 1_000)]));
  assert.not.ok(isSustained([repeat(100, 100), repeat(100, 100), repeat(100, 100, 50, 1)]), 'one lost');
  assert.not.ok(isSustained([]));
});

test('the knee is the highest rate before the first that is not sustained', () => {
  const step = (rate: number, committed: number) => ({ rate, repeats: [repeat(rate, committed)] });
  assert.is(kneeOf([step(100, 100), step(200, 199), step(300, 210), step(400, 400)])?.rate, 200);
  assert.is(kneeOf([step(100, 100), step(200, 200)])?.rate, 200);
  assert.is(kneeOf([step(100, 50)]), undefined);
});

test('two runs differ only where their repeats do not overlap', () => {
  const of = (better: 'higher' | 'lower', ...values: number[]) => ({ name: 'x', unit: 'ms', better, values });
  assert.is(verdictOf(of('lower', 10, 11, 12), of('lower', 10.1, 11.1, 12)), 'same');
  assert.is(verdictOf(of('lower', 10, 11, 12), of('lower', 11.5, 13, 14)), 'unclear');
  assert.is(verdictOf(of('lower', 10, 11, 12), of('lower', 13, 14, 15)), 'worse');
  assert.is(verdictOf(of('lower', 10, 11, 12), of('lower', 7, 8, 9)), 'better');
  assert.is(verdictOf(of('higher', 10, 11, 12), of('higher', 13, 14, 15)), 'better');
});

test.run();
