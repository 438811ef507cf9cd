// The situations that consensus.md §12 names, one by one; simulation.test.ts meets them by chance as well.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { calmPlan } from './calm.ts';
import type { Fault, Plan } from './plan.ts';
import { World } from './world.ts';

const SEEDS = 12;
/** Far from the ids of the simulated clients. */
const FIRST_ID = 500_000_001;
const SECOND_ID = 500_000_002;

/** Runs a scenario under some seeds, a world for each; `act` adds to it before it runs. Every run must be clean. */
function runs(plan: (seed: number) => Plan, act: (world: World) => void = () => undefined): readonly World[] {
  return Array.from({ length: SEEDS }, (_, index) => {
    const world = new World({ plan: plan(index + 1) });
    act(world);
    world.run();
    return world;
  });
}

/** How often something happened in all of them. */
function times(worlds: readonly World[], what: string): number {
  return worlds.reduce((sum, { trace }) => sum + (trace.counts[what] ?? 0), 0);
}

const fault = (kind: Fault['kind'], atMs: number, node: number, forMs = 20): Fault => ({
  kind,
  atMs,
  forMs,
  node,
  side: [],
});

test('one transaction id under two signature sets is executed once', () => {
  // A second execution would be the violation `application` or `execution`.
  const worlds = runs(
    (seed) => calmPlan(4, seed),
    (world) =>
      world.heap.plan(100, () => {
        world.nodes[0]!.submit(world.pool.make(FIRST_ID, 0));
        world.nodes[1]!.submit(world.pool.make(FIRST_ID, 1));
      }),
  );
  for (const world of worlds)
    assert.is(countOf(world, [world.pool.make(FIRST_ID, 0).txHash, world.pool.make(FIRST_ID, 1).txHash]), 1);
});

test('of a conflicting pending pair one is executed and the other costs no view', () => {
  const worlds = runs(
    (seed) => calmPlan(4, seed),
    (world) =>
      world.heap.plan(100, () => {
        world.nodes[0]!.submit(world.pool.make(FIRST_ID, 0, 'one thing'));
        world.nodes[1]!.submit(world.pool.make(SECOND_ID, 0, 'one thing'));
      }),
  );
  for (const world of worlds)
    assert.is(
      countOf(
        world,
        [FIRST_ID, SECOND_ID].map((id) => world.pool.make(id, 0).txHash),
      ),
      1,
    );
  assert.is(times(worlds, 'message.ViewChange'), 0);
});

test('two certificates of different views for one block are both good', () => {
  const network = { loss: 0, duplication: 0, delayMaxMs: 400, decisionLoss: 0.85 };
  assert.ok(
    times(
      runs((seed) => ({ ...calmPlan(4, seed), network })),
      'end.certificateOfAnotherView',
    ) > 0,
  );
});

test('whoever loses its whole disk signs nothing again at heights that it had signed at, and then goes on', () => {
  // Lost at many moments of a height, also where the tips shown are two below it: T, T + 1 and T + 2.
  const network = { loss: 0, duplication: 0, delayMaxMs: 400, decisionLoss: 0.7 };
  const worlds = runs((seed) => ({
    ...calmPlan(4, seed),
    network,
    faults: [fault('loseDisk', 300 + 237 * seed, seed % 4)],
  }));
  assert.ok(times(worlds, 'report.amnesiaEnds') >= SEEDS);
});

test('a stale journal that was restored is noticed, and with or without notice agreement holds', () => {
  const restored = (kind: Fault['kind']) =>
    runs((seed) => ({ ...calmPlan(4, seed), faults: [fault(kind, 1_000 + 311 * seed, seed % 4, 40)] }));
  assert.ok(times(restored('staleJournal'), 'report.amnesia') > 0);
  // Journal and store together are no older than each other: only a vote that a peer shows could tell.
  assert.is(times(restored('staleDisk'), 'fault.staleDisk'), SEEDS);
});

test('a block whose bodies a Byzantine primary keeps to itself is never certified without honest holders', () => {
  // All crash, and the certified block must come back from the journals of those who PREPAREd it.
  const network = { loss: 0, duplication: 0, delayMaxMs: 400, decisionLoss: 0.7 };
  const worlds = runs((seed) => ({
    ...calmPlan(4, seed),
    network,
    liars: [{ node: 0, behaviours: ['hideBlocks', 'withhold'], stops: true }],
    faults: [1_500, 3_000, 4_500].map((atMs) => fault('crashOfAll', atMs + 11 * seed, 0, 200)),
  }));
  assert.ok(times(worlds, 'liar.hideBlocks') > 0);
  assert.ok(times(worlds, 'effect.Validate.reproposed') > 0);
});

test('a skewed clock on an idle network costs no more than its own turns', () => {
  for (const skewMs of [-5_000, 5_000]) {
    const worlds = runs((seed) => ({ ...calmPlan(4, seed), skews: [{ node: seed % 4, skewMs }] }));
    assert.ok(times(worlds, 'report.proposalRefused') > 0);
    for (const { invariants } of worlds) assert.ok(invariants.highest > 2);
  }
});

test('validators change while transactions wait, and an id counts once across the change', () => {
  const changes = [
    { atMs: 300, joins: 4, leaves: 0 },
    { atMs: 900, joins: 5, leaves: undefined },
    { atMs: 2_000, joins: undefined, leaves: 1 },
  ];
  const worlds = runs(
    (seed) => ({ ...calmPlan(4, seed), spares: 2, changes }),
    (world) => {
      for (const atMs of [250, 1_500, 4_000])
        world.heap.plan(atMs, () => {
          for (const node of world.nodes) node.submit(world.pool.make(FIRST_ID, atMs));
        });
    },
  );
  assert.is(times(worlds, 'end.membershipChanged'), SEEDS);
  for (const world of worlds)
    assert.is(
      countOf(
        world,
        [250, 1_500, 4_000].map((atMs) => world.pool.make(FIRST_ID, atMs).txHash),
      ),
      1,
    );
});

test('one who joins and is served old or forged blocks ends up on the ledger all the same', () => {
  const worlds = runs((seed) => ({
    ...calmPlan(4, seed),
    spares: 1,
    changes: [{ atMs: 400, joins: 4, leaves: undefined }],
    liars: [{ node: 2, behaviours: ['badSync', 'replay', 'forgeCertificate'], stops: false }],
  }));
  assert.ok(times(worlds, 'liar.badSync') > 0);
  for (const { nodes } of worlds) assert.ok(nodes[4]!.applied > 2);
});

test('proposals that a relay has spoilt cost an honest primary nothing in the long run', () => {
  const worlds = runs((seed) => ({
    ...calmPlan(4, seed),
    liars: [{ node: 1, behaviours: ['spoilRelay'], stops: false }],
  }));
  assert.ok(times(worlds, 'liar.spoilRelay') > SEEDS);
  assert.is(times(worlds, 'report.proposalInvalid'), 0);
});

test('more than f are lost for good: those who stay restart the ledger, and what is replayed of the old one is nothing', () => {
  const worlds = runs((seed) => ({
    ...calmPlan(7, seed),
    network: { loss: 0.02, duplication: 0.1, delayMaxMs: 400 },
    liars: [{ node: 0, behaviours: ['replay', 'equivocate', 'forgeCertificate'], stops: false }],
    faults: [fault('crashOfAll', 4_500, 0, 200)],
    restart: { lostAtMs: 2_000, atMs: 2_600, lost: [4, 5, 6] },
  }));
  assert.is(times(worlds, 'end.restarted'), SEEDS);
  assert.ok(times(worlds, 'liar.replay') > 0);
  for (const { nodes } of worlds) {
    const { startHeight, height } = nodes[1]!.ledger;
    assert.ok(startHeight > 0 && height > startHeight + 1, `${startHeight} to ${height}`);
    for (const { isLost, applied } of nodes.slice(4)) assert.ok(isLost && applied <= startHeight);
  }
});

/** How many of these transactions stand in the chain of the first honest node. */
function countOf(world: World, hashes: readonly Uint8Array[]): number {
  const wanted = new Set(hashes.map((hash) => hash.join()));
  const { disk } = world.nodes.find(({ isHonest }) => isHonest)!;
  const listed = disk.blocks.flatMap(({ proposal }) => proposal.txHashes.map((hash) => hash.join()));
  return listed.filter((hash) => wanted.has(hash)).length;
}

test.run();
