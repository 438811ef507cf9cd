import type { NodeConfig } from '../../src/node/config.ts';
import type { Surroundings } from '../../src/node/process-group.ts';

/** How faults come into the network: by the kernel, between network namespaces, or by a proxy on loopback. */
export type NetworkMode = 'namespaces' | 'proxy';

/** What a line does to the bytes that it lets through. */
export interface LineShape {
  /** Least delay, and what chance may add to it. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Share of packets (of chunks, in a proxy) that have to be sent again. */
  readonly loss: number;
  /** Null for no limit. */
  readonly bytesPerSecond: number | null;
}

/** A line as good as the machine gives it. */
export const CLEAR_LINE: LineShape = { delayMs: 0, jitterMs: 0, loss: 0, bytesPerSecond: null };

/** The network between the nodes of a cluster. A line goes from one node to another; both directions are two lines. */
export interface FaultNetwork {
  readonly mode: NetworkMode;
  /** Points a node's configuration to this network. */
  rewire(number: number, config: NodeConfig): NodeConfig;
  /** What the node's process has to run in. */
  surroundings(number: number): Surroundings;
  /** From now on nothing of what `from` sends arrives at `to`, whoever dialled. The connections stay open. */
  block(from: number, to: number): void;
  /** Only where `canShapePackets` says so, if the mode is namespaces. */
  shape(from: number, to: number, shape: LineShape): void;
  /** Every line is clear again. */
  heal(): void;
  close(): Promise<void>;
}

/** Blocks both lines between every node of `some` and every node of `others`. */
export function separate(network: FaultNetwork, some: readonly number[], others: readonly number[]): void {
  for (const one of some)
    for (const other of others) {
      network.block(one, other);
      network.block(other, one);
    }
}

/** The index of the node that a configured peer is: testnets call them `hospital-1` and so on. */
export function numberOfPeer(name: string): number {
  const digits = /^hospital-([0-9]+)$/.exec(name)?.[1];
  if (digits === undefined) throw new Error(`${name} is no node of a testnet`);
  return Number(digits) - 1;
}
