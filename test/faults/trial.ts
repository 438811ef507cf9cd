import assert from 'node:assert/strict';
import { type Cluster, createCluster, numberOfValidator } from '../cluster/cluster.ts';
import { type Parties, RecordLoad, registerParties } from '../cluster/record-load.ts';
import { makePrng, type Prng } from '../simulation/prng.ts';
import { openNamespaceNetwork } from './namespace-network.ts';
import type { FaultNetwork, NetworkMode } from './network.ts';
import { openProxyNetwork } from './proxy-network.ts';

/** Some 30 transactions a second: enough that every block carries some, little enough for a small machine. */
const CLIENTS = 10;
const CLIENT_PAUSE_MS = 300;
/** Longest wait for anything that has to happen by itself. */
export const PATIENCE_MS = 60_000;
/** Longest time without a commit while no more nodes are at fault than the ledger bears. */
const INTERRUPTION_MS_MAX = 10_000;
/** How often a state is asked for that no event tells. */
export const POLL_MS = 50;

/** A running cluster under load, and the faults that it can be given. */
export interface Trial {
  readonly cluster: Cluster;
  readonly network: FaultNetwork;
  readonly load: RecordLoad;
  readonly parties: readonly Parties[];
  readonly prng: Prng;
  /** The numbers of all nodes. */
  readonly numbers: readonly number[];
  /** Clients leave these nodes alone; those that are sent away turn to the next. */
  readonly avoided: Set<number>;
  /** What has to be undone at the end, however it comes. */
  readonly cleanups: (() => void)[];
  /** When the load began, in milliseconds of the monotonic clock. */
  readonly startedMs: number;
}

/** Starts a cluster in a network of this kind, and the load. */
export async function openTrial(mode: NetworkMode, nodes: number, seed: number): Promise<Trial> {
  const network = mode === 'proxy' ? await openProxyNetwork(nodes, seed) : openNamespaceNetwork(nodes);
  let cluster: Cluster | undefined;
  try {
    cluster = await createCluster({
      nodes,
      rewire: (number, config) => network.rewire(number, config),
      surroundings: (number) => network.surroundings(number),
    });
    cluster.start();
    await cluster.ready();
    const parties = await Promise.all(cluster.nodes.map((_, number) => registerParties(cluster!, number)));
    const avoided = new Set<number>();
    const uses = (number: number) => !avoided.has(number);
    const startedMs = performance.now();
    const load = new RecordLoad(cluster, parties, CLIENTS, { pauseMs: CLIENT_PAUSE_MS, uses });
    await load.more(20, PATIENCE_MS);
    const numbers = cluster.nodes.map((_, number) => number);
    return { cluster, network, load, parties, prng: makePrng(seed), numbers, avoided, startedMs, cleanups: [] };
  } catch (error) {
    await cluster?.close();
    await network.close();
    throw error;
  }
}

/** Ends the nodes and the network, and removes what they wrote. */
export async function closeTrial({ cluster, network, load, cleanups }: Trial): Promise<void> {
  load.abandon();
  for (const cleanup of cleanups.splice(0)) cleanup();
  await cluster.close();
  await network.close();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function heightOf(cluster: Cluster, number: number): Promise<number> {
  return (await cluster.nodes[number]!.client.status()).height;
}

/** Waits until a node has reached the height that any had at the call; returns how long it took. */
export async function caughtUp({ cluster, numbers }: Trial, number: number): Promise<number> {
  const startMs = performance.now();
  const heights = await Promise.all(numbers.map((other) => heightOf(cluster, other)));
  while ((await heightOf(cluster, number)) < Math.max(...heights)) {
    const spentMs = performance.now() - startMs;
    assert(spentMs < PATIENCE_MS, `node ${number} does not catch up`);
    await pause(POLL_MS);
  }
  return performance.now() - startMs;
}

/**
 * Waits until every node has heard from every other what can only have been sent after the call: that a line is open
 * does not mean that TCP has tried it again. Returns how long it took.
 */
export async function linksRecovered({ cluster, numbers }: Trial): Promise<number> {
  const startMs = performance.now();
  const heights = await Promise.all(numbers.map((number) => heightOf(cluster, number)));
  // No STATUS with this height has been sent yet.
  const fresh = Math.max(...heights) + 1;
  for (const number of numbers)
    for (;;) {
      const { peers } = await cluster.nodes[number]!.client.status();
      const silent = peers.filter(({ height }) => height < fresh);
      if (silent.length === 0) break;
      const names = silent.map(({ validator }) => numberOfValidator(cluster, validator));
      assert(performance.now() - startMs < PATIENCE_MS, `node ${number} hears nothing from ${names.join(', ')}`);
      await pause(POLL_MS);
    }
  return performance.now() - startMs;
}

/** The longest time without a commit since then, which must be short. */
export function assertInterruption(load: RecordLoad, sinceMs: number): number {
  const gapMs = load.longestGapMs(sinceMs, performance.now());
  assert(gapMs <= INTERRUPTION_MS_MAX, `no commit for ${gapMs.toFixed(0)} ms`);
  return gapMs;
}
