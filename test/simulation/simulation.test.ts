import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { calmPlan } from './calm.ts';
import { Coverage } from './coverage.ts';
import { firstCaught, MUTANTS, mutantPlan } from './mutants.ts';
import { makePlan } from './plan.ts';
import { partsOf } from './plan-parts.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

test('under faults of every kind 1 to 7 validators agree, and go on when the faults stop', () => {
  const coverage = new Coverage();
  for (let seed = 1; seed <= 320; seed += 1) {
    const nodes = seed <= 40 ? 1 + (seed % 7) : 4 + (seed % 4);
    const { violation, counts } = simulate({ plan: makePlan(seed, nodes) });
    assert.is(violation, undefined, `${violation?.message}: npm run sim -- --seeds 1 --first ${seed} --nodes ${nodes}`);
    coverage.add(counts);
  }
  assert.equal(coverage.missing, []);
});

/** Seeds that failed once, with what they showed. */
const FOUND: readonly (readonly [seed: number, nodes: number, what: string])[] = [
  [26_323, 7, 'a transaction that only one without a seat holds waits for ever while others make blocks'],
  [26_674, 6, 'one that left, and lost its disk, hears nothing of those who make blocks now'],
];

for (const [seed, nodes, what] of FOUND)
  test(`found once, and mended: ${what}`, () => {
    assert.is(simulate({ plan: makePlan(seed, nodes) }).violation, undefined);
  });

test('a seed run twice gives one trace', () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const nodes = 4 + (seed % 4);
    const [first, second] = [1, 2].map(() => simulate({ plan: makePlan(seed, nodes) }));
    assert.equal(first, second);
    assert.is.not(first!.traceHash, simulate({ plan: makePlan(seed + 1_000, nodes) }).traceHash);
  }
});

test('a calm ledger of four decides block after block in view 0', () => {
  const { violation, height, counts } = simulate({ plan: calmPlan(4) });
  assert.is(violation, undefined);
  assert.ok(height > 10);
  assert.is(counts['message.ViewChange'], undefined);
});

test('two twins among four fork the ledger, one does not', () => {
  const side = { kind: 'partition', atMs: 0, forMs: 5_000, node: 0, side: [0, 1, 2] } as const;
  const plan = { ...calmPlan(4), faults: [side] };
  // The twins of 0 and 1 are with node 3, so that each side has a quorum.
  assert.is(simulate({ plan: { ...plan, twins: [0, 1] } }).violation?.invariant, 'agreement');
  assert.is(simulate({ plan: { ...plan, twins: [0] } }).violation, undefined);
});

test('more than f liars break agreement, so the checker sees what it should', () => {
  const liars = [0, 1].map((node) => ({ node, behaviours: ['equivocate'], stops: false }) as const);
  const invariants = Array.from({ length: 20 }, (_, index) => {
    const plan = { ...calmPlan(4), seed: index + 1, liars };
    return simulate({ plan }).violation?.invariant;
  });
  assert.ok(invariants.includes('agreement'));
});

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`the planted bug ${name} is caught within ${mutant.seeds} seeds, and the same runs without it are clean`, () => {
    const caught = firstCaught(mutant);
    assert.ok(caught !== undefined, 'nothing saw it');
    for (let seed = 1; seed <= caught.seed; seed += 1) {
      const { violation } = simulate({ plan: mutantPlan(mutant, seed) });
      assert.is(violation, undefined, `seed ${seed} fails without the bug too: ${violation?.message}`);
    }
  });
}

test('a failure is shrunk to the parts that it needs, and these show it again', () => {
  const { options } = MUTANTS['oldCommitsIgnored']!;
  const mutant = MUTANTS['oldCommitsIgnored']!;
  const plan = mutantPlan(mutant, firstCaught(mutant)!.seed);
  const shrunk = shrink(plan, options);
  const again = simulate({ ...options, plan: shrunk.plan });
  assert.is(again.traceHash, shrunk.result.traceHash);
  assert.is(again.violation?.message, shrunk.result.violation?.message);
  assert.ok(partsOf(shrunk.plan).length < partsOf(plan).length);
  assert.ok(shrunk.untilMs <= plan.faultsMs);
});

test.run();
