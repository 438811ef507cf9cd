import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MUTANTS } from './mutants.ts';
import { type SimulationOptions, type SimulationResult, simulate } from './world.ts';

const FAULTS_MS = 12_000;

/** The first seed of 1 … `seeds` whose run breaks one of the invariants. */
function firstCaught(
  seeds: number,
  invariants: readonly string[],
  options: Omit<SimulationOptions, 'seed'>,
): number | undefined {
  for (let seed = 1; seed <= seeds; seed += 1)
    if (invariants.includes(simulate({ ...options, seed }).violation?.invariant ?? '')) return seed;
  return undefined;
}

test('under faults of every kind 1 to 7 validators agree, and go on when the faults stop', () => {
  const seen: Record<string, number> = {};
  for (let seed = 1; seed <= 98; seed += 1) {
    const nodes = 1 + (seed % 7);
    const { violation, counts } = simulate({ seed, nodes, faultsMs: FAULTS_MS });
    assert.is(violation, undefined, `${violation?.message}: npm run sim -- --seeds 1 --first ${seed} --nodes ${nodes}`);
    for (const [what, times] of Object.entries(counts)) seen[what] = (seen[what] ?? 0) + times;
  }
  const wanted = [
    ...['PrePrepare', 'Prepare', 'Commit', 'ViewChange', 'Status', 'Decided'].map((kind) => `message.${kind}`),
    ...['crash', 'crashOfAll', 'amnesia', 'partition', 'oneWayPartition'].map((kind) => `fault.${kind}`),
    ...['equivocate', 'withhold', 'replay', 'lieInViewChange', 'hastyCommit'].map((kind) => `liar.${kind}`),
    ...['lost', 'duplicated', 'cut'].map((kind) => `network.${kind}`),
    ...['Fetch', 'Evidence', 'Behind', 'RecheckPending', 'ForwardPending', 'Validate.reproposed'].map(
      (kind) => `effect.${kind}`,
    ),
  ];
  for (const what of wanted) assert.ok((seen[what] ?? 0) > 0, `${what} did not happen`);
});

test('a seed run twice gives one trace', () => {
  const runs = [7, 7, 8].map((seed) => simulate({ seed, nodes: 4, faultsMs: FAULTS_MS }));
  const [first, second, other] = runs as [SimulationResult, SimulationResult, SimulationResult];
  assert.is(first.traceHash, second.traceHash);
  assert.is.not(first.traceHash, other.traceHash);
});

test('more than f liars break agreement, so the checker sees what it should', () => {
  assert.type(firstCaught(20, ['agreement'], { nodes: 4, liars: 2, faultsMs: FAULTS_MS }), 'number');
});

for (const nodes of [5, 6])
  test(`a quorum of 2f+1 among ${nodes} is caught within 12 seeds by its consequences alone`, () => {
    const options = { nodes, liars: 1, faultsMs: FAULTS_MS, rules: MUTANTS.quorumOf2f1, checksCertificates: false };
    assert.type(firstCaught(12, ['agreement'], options), 'number');
  });

test('a prepared certificate dropped in a view change is caught within 20 seeds', () => {
  const network = { loss: 0, duplication: 0, delayMaxMs: 400, decisionLoss: 0.7 };
  const options = { nodes: 4, liars: 0, faultsMs: FAULTS_MS, network, rules: MUTANTS.preparedDropped };
  assert.type(firstCaught(20, ['agreement'], options), 'number');
});

test('a message sent before its record is synced is caught within 40 seeds', () => {
  const options = { nodes: 4, faultsMs: FAULTS_MS, rules: MUTANTS.sendBeforeSync };
  assert.type(firstCaught(40, ['slot', 'agreement', 'journal', 'view'], options), 'number');
});

test.run();
