// 100,000 seeds, in slices so that a failure names where it is soon.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Coverage } from './coverage.ts';
import { makePlan } from './plan.ts';
import { simulate } from './simulate.ts';

const SLICES = 20;
const SLICE_SEEDS = 5_000;
/** Far from the seeds of the normal tests. */
const FIRST = 1_000_000;

const startedMs = performance.now();

for (let slice = 0; slice < SLICES; slice += 1) {
  const first = FIRST + slice * SLICE_SEEDS;
  test(`seeds ${first} to ${first + SLICE_SEEDS - 1} break nothing and exercise everything`, () => {
    const coverage = new Coverage();
    for (let seed = first; seed < first + SLICE_SEEDS; seed += 1) {
      const nodes = 4 + (seed % 4);
      const { violation, counts } = simulate({ plan: makePlan(seed, nodes) });
      const again = `npm run sim -- --seeds 1 --first ${seed} --nodes ${nodes}`;
      assert.is(violation, undefined, `${violation?.message}: ${again}`);
      coverage.add(counts);
    }
    assert.equal(coverage.missing, []);
  });
}

test.after(() => {
  const seconds = (performance.now() - startedMs) / 1000;
  const seeds = SLICES * SLICE_SEEDS;
  console.log(`${seeds} seeds in ${seconds.toFixed(0)} s, ${(seeds / seconds).toFixed(1)} a second`);
});

test.run();
