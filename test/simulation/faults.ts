import type { Partition } from './network.ts';
import type { SimulatedNode } from './node.ts';
import type { Fault } from './plan.ts';
import type { World } from './world.ts';

/** Plans a fault of a run. */
export function planFault(world: World, { kind, atMs, forMs, node: number, side }: Fault): void {
  const node = world.nodes[number]!;
  const { heap } = world;
  switch (kind) {
    case 'crash':
      heap.plan(atMs, () => world.crash(node, forMs, kind));
      return;
    case 'crashOfAll':
      heap.plan(atMs, () => {
        for (const one of world.nodes) world.crash(one, Math.max(1, forMs - 7 * one.index), kind);
      });
      return;
    case 'crashAtSync':
      heap.plan(atMs, () => {
        if (node.core !== undefined) node.crashAtNextWriteMs = forMs;
      });
      return;
    case 'slowDisk':
      heap.plan(atMs, () => {
        node.slowUntilMs = heap.nowMs + forMs;
        world.trace.count(`fault.${kind}`);
      });
      return;
    case 'partition':
    case 'oneWayPartition':
      heap.plan(atMs, () => partition(world, { side: new Set(side), oneWay: kind === 'oneWayPartition' }, forMs));
      return;
    case 'loseJournal':
    case 'loseDisk':
      heap.plan(atMs, () => {
        world.crash(node, forMs, kind);
        node.restore({ journal: [], blocks: kind === 'loseDisk' ? [] : node.disk.blocks });
        node.isAmnesiac = true;
      });
      return;
    case 'staleJournal':
    case 'staleDisk':
      planRollback(world, node, kind, atMs, forMs);
  }
}

/** A backup is made, and put back later: of the journal alone, or of all. */
function planRollback(
  world: World,
  node: SimulatedNode,
  kind: 'staleJournal' | 'staleDisk',
  atMs: number,
  forMs: number,
): void {
  let backup = node.disk.copy();
  world.heap.plan(Math.max(20, atMs - 200 - forMs), () => {
    backup = node.disk.copy();
  });
  world.heap.plan(atMs, () => {
    world.crash(node, forMs, kind);
    node.uncheckedThrough = node.applied + 1;
    node.restore({ journal: backup.journal, blocks: kind === 'staleDisk' ? backup.blocks : node.disk.blocks });
  });
}

function partition(world: World, cut: Partition, forMs: number): void {
  if (!world.isFaulty) return;
  world.network.cut(cut);
  world.trace.count(cut.oneWay ? 'fault.oneWayPartition' : 'fault.partition');
  world.heap.plan(forMs, () => {
    if (!world.isFaulty) return;
    world.network.heal(cut);
    reconnect(world, (node) => cut.side.has(node.index));
  });
}

function reconnect(world: World, wasCut: (node: SimulatedNode) => boolean): void {
  for (const a of world.nodes)
    for (const b of world.nodes)
      if (a.index < b.index && a.number !== b.number && wasCut(a) !== wasCut(b)) world.connect(a, b);
}
