import { makeNodeClient, type NodeClient } from '../../src/client/index.ts';
import { LoadClient } from '../load/client-process.ts';
import type { BenchNetwork, BenchProcess } from '../network.ts';
import { clientOf } from './block-watch.ts';
import type { ConsensusOptions } from './options.ts';
import { loadNodesOf, withNetwork } from './part-network.ts';
import { until } from './until.ts';

/** How one node came to the tip. */
interface CatchUpRun {
  readonly name: string;
  /** What it had to take: for one that joined by a snapshot, the blocks after that. */
  readonly blocks: number;
  readonly transactions: number;
  /** From its start to the first answer of its interface, and from there to the tip. */
  readonly startSeconds: number;
  readonly seconds: number;
}

/** What the part measured. */
export interface CatchUpRaw {
  readonly runs: readonly CatchUpRun[];
  /** Blocks a second at which the others had made what was missed. */
  readonly madePerSecond: number;
}

/** How far a node is. */
interface Standing {
  readonly height: number;
  readonly transactionsCommitted: number;
}

const NOTHING: Standing = { height: 0, transactionsCommitted: 0 };
const VALIDATORS = 4;
const PATIENTS_PER_NODE = 20;
/** Small requests, few at a time: many blocks in a short time. */
const FILL = { records: 64, perRequest: 4, requestsAtOnce: 4 } as const;
const SNAPSHOT_INTERVAL = 64;
/** No block is made while nodes catch up: the tip stays where it is. */
const HEARTBEAT_MS = 3_600_000;
const PATIENCE_MS = 600_000;
const FOLLOWERS = [
  { name: 'follower-by-blocks', history: 'full' },
  { name: 'follower-by-snapshot', history: 'recent' },
] as const;

/**
 * Kills a validator, fills the ledger meanwhile, and times it back to the tip; then a node with an empty folder that
 * executes every block, and one that begins with a snapshot.
 */
export function measureCatchUp(
  options: ConsensusOptions,
  entry: string,
  say: (line: string) => void,
): Promise<CatchUpRaw> {
  const parameters = { snapshotInterval: SNAPSHOT_INTERVAL, heartbeatMs: HEARTBEAT_MS };
  return withNetwork(options, { nodes: VALIDATORS, parameters, followers: FOLLOWERS }, async (network) => {
    const late = network.nodes.at(-1)!;
    const first = clientOf(network, network.nodes[0]!);
    const client = new LoadClient(entry);
    try {
      const nodes = loadNodesOf(network.nodes.slice(0, -1));
      const { genesisHash } = network;
      await client.open({ nodes, genesisHash, patientsPerNode: PATIENTS_PER_NODE, seed: options.seed });
      // Of a node without any block a snapshot would be the natural beginning.
      await client.fill(FILL);
      const before = await first.status();
      await network.kill(late);
      say(`catch-up: making ${options.blocks} blocks without ${late.name}`);
      const madePerSecond = await fill(client, first, options.blocks);
      const runs: CatchUpRun[] = [];
      for (const node of [late, ...network.followers]) {
        const run = await follow(network, node, node === late ? before : NOTHING);
        runs.push(run);
        say(`catch-up: ${node.name}, ${run.blocks} blocks in ${run.seconds.toFixed(2)} s`);
      }
      return { runs, madePerSecond };
    } finally {
      client.close();
    }
  });
}

/** Makes at least so many blocks with what is left of the network; returns how many a second. */
async function fill(load: LoadClient, node: NodeClient, blocks: number): Promise<number> {
  const { height: begin } = await node.status();
  const startMs = performance.now();
  let height = begin;
  while (height < begin + blocks) {
    await load.fill(FILL);
    ({ height } = await node.status());
  }
  return (1_000 * (height - begin)) / (performance.now() - startMs);
}

async function follow(network: BenchNetwork, node: BenchProcess, known: Standing): Promise<CatchUpRun> {
  const goal = await clientOf(network, network.nodes[0]!).status();
  const client: NodeClient = makeNodeClient({ url: node.apiUrl, genesisHash: network.genesisHash, identity: null });
  const startMs = performance.now();
  network.start(node);
  let answeredMs: number | undefined;
  let from = 1;
  let skipped = 0;
  const isThere = async () => {
    const status = await client.status().catch(() => undefined);
    if (status === undefined) return false;
    answeredMs ??= performance.now();
    from = status.historyFrom;
    return status.tipHash === goal.tipHash;
  };
  await until(isThere, `${node.name} at height ${goal.height}`, PATIENCE_MS);
  const seconds = (performance.now() - answeredMs!) / 1_000;
  if (from > 1) skipped = await transactionsBelow(network, from, goal);
  return {
    name: node.name,
    blocks: goal.height - Math.max(known.height, from - 1),
    transactions: goal.transactionsCommitted - Math.max(known.transactionsCommitted, skipped),
    startSeconds: (answeredMs! - startMs) / 1_000,
    seconds,
  };
}

/** Transactions of the blocks below `height`: those that a snapshot stands for. */
async function transactionsBelow(network: BenchNetwork, height: number, goal: Standing): Promise<number> {
  const client = clientOf(network, network.nodes[0]!);
  let after = 0;
  for (let at = height; at <= goal.height; at += 1) after += (await client.block(at)).transactions;
  return goal.transactionsCommitted - after;
}
