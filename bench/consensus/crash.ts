import { compareBytes } from '../../src/codec/bytes.ts';
import type { BenchNetwork, BenchNode } from '../network.ts';
import { seededChance } from '../seeded-chance.ts';
import { BlockWatch, clientOf, viewOf } from './block-watch.ts';
import { type CrashReading, isInRotation, primaryInTurn, readCrash } from './first-commit.ts';
import type { ConsensusOptions } from './options.ts';
import { loadNodesOf, withNetwork } from './part-network.ts';
import { type SteadyClient, SteadyLoad } from './steady-load.ts';
import { pause, until } from './until.ts';

/** One kill of a primary. */
export interface CrashRepeat extends CrashReading {
  readonly victim: string;
  readonly dueHeight: number;
  readonly dueView: number;
  /** From its start to being ready and at the tip again. */
  readonly restartMs: number;
}

/** What the part measured. */
export interface CrashRaw {
  readonly repeats: readonly CrashRepeat[];
  /** T0 of the ledger. */
  readonly viewTimeoutMs: number;
  readonly client: SteadyClient;
}

const VALIDATORS = 4;
/** Primaries in turn before a kill, so that none is being passed over: twice round. */
const BLOCKS_IN_TURN = 2 * VALIDATORS;
/** The kill falls anywhere within so long after the network has settled: many blocks. */
const MOMENT_MS = 1_000;
/** A kill that misses the primary's turn is repeated; at most so many times as many kills as are asked for. */
const ATTEMPTS_FACTOR = 4;
const PATIENCE_MS = 120_000;
const DRAIN_MS = 10_000;

/** Kills the primary again and again under a low steady load, and times the first commit after each. */
export async function measureCrashes(options: ConsensusOptions, say: (line: string) => void): Promise<CrashRaw> {
  return withNetwork(options, { nodes: VALIDATORS }, async (network, parameters) => {
    const { crashes, lowRate, seed } = options;
    const watch = new BlockWatch(network.nodes.map((node) => clientOf(network, node)));
    const load = await SteadyLoad.start(loadNodesOf(network.nodes), network.genesisHash, seed, lowRate);
    const chance = seededChance(seed, 'crash');
    const repeats: CrashRepeat[] = [];
    try {
      const taken = () => repeats.filter(({ tookTurn }) => tookTurn).length;
      while (taken() < crashes && repeats.length < ATTEMPTS_FACTOR * crashes) {
        await settled(network, watch);
        await pause(chance() * MOMENT_MS);
        const repeat = await crashOnce(network, watch, load);
        repeats.push(repeat);
        say(`crash ${taken()} of ${crashes}: ${summaryOf(repeat)}`);
      }
    } finally {
      await load.stop(DRAIN_MS);
      await watch.close();
    }
    return { repeats, viewTimeoutMs: parameters.viewTimeoutMs, client: load.client() };
  });
}

async function crashOnce(network: BenchNetwork, watch: BlockWatch, load: SteadyLoad): Promise<CrashRepeat> {
  const dueHeight = watch.tipHeight + 1;
  const victim = nodeOfValidator(network, primaryInTurn(dueHeight, VALIDATORS));
  const node = network.nodes[victim]!;
  load.avoid(victim);
  const killedMs = performance.now();
  await network.kill(node);
  const read = (dueView: number) => {
    const { sightings } = watch;
    return readCrash({ victim, killedMs, dueHeight, dueView, sightings, transactions: load.transactions });
  };
  const isOver = () => {
    const { firstBlockMs, firstTransactionMs } = read(0);
    return !Number.isNaN(firstBlockMs + firstTransactionMs);
  };
  await until(isOver, `a commit after the kill of ${node.name}`, PATIENCE_MS);
  const survivor = network.nodes[(victim + 1) % VALIDATORS]!;
  const dueView = await dueViewAt(network, survivor, dueHeight);
  const restartMs = await restart(network, watch, node);
  load.use(victim);
  return { ...read(dueView), victim: node.name, dueHeight, dueView, restartMs };
}

/** View of a block at a node, which may be the last to commit it. */
async function dueViewAt(network: BenchNetwork, node: BenchNode, height: number): Promise<number> {
  const client = clientOf(network, node);
  await until(async () => (await client.status()).height >= height, `${node.name} at height ${height}`, PATIENCE_MS);
  return viewOf(await client.block(height));
}

/** Starts a node that was killed and waits until it has what the others had then. */
async function restart(network: BenchNetwork, watch: BlockWatch, node: BenchNode): Promise<number> {
  const startMs = performance.now();
  const goal = watch.tipHeight;
  network.start(node);
  await network.ready([node]);
  const client = clientOf(network, node);
  await until(async () => (await client.status()).height >= goal, `${node.name} at height ${goal}`, PATIENCE_MS);
  return performance.now() - startMs;
}

/** Resolves once all validators have been primary in turn, twice round: none is passed over for an earlier miss. */
async function settled(network: BenchNetwork, watch: BlockWatch): Promise<void> {
  const client = clientOf(network, network.nodes[0]!);
  const beginHeight = watch.tipHeight;
  const inTurn = async () => {
    const first = watch.tipHeight - BLOCKS_IN_TURN + 1;
    if (first <= beginHeight) return false;
    const heights = Array.from({ length: BLOCKS_IN_TURN }, (_, place) => first + place);
    const proposers: number[] = [];
    for (const height of heights) {
      // One that another node has, and this one not yet.
      const block = await client.block(height).catch(() => undefined);
      if (block === undefined) return false;
      proposers.push(block.proposer);
    }
    return isInRotation(first, proposers, VALIDATORS);
  };
  await until(inTurn, 'all validators as primary in turn', PATIENCE_MS);
}

/** Place of the node that has this index in the set: validators stand in the order of their keys (consensus.md §1). */
function nodeOfValidator({ nodes }: BenchNetwork, validator: number): number {
  const keys = nodes.map(({ publicKey }) => publicKey);
  return keys.indexOf(keys.toSorted(compareBytes)[validator]!);
}

function summaryOf({ victim, tookTurn, firstTransactionMs, firstBlockMs, dueView, restartMs }: CrashRepeat): string {
  const times = `first transaction ${firstTransactionMs.toFixed(0)} ms, first block ${firstBlockMs.toFixed(0)} ms`;
  const turn = tookTurn ? `in view ${dueView}` : 'its block had been decided: not counted';
  return `${victim}, ${times}, ${turn}; back after ${(restartMs / 1_000).toFixed(1)} s`;
}
