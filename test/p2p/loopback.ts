import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { TransactionEnvelope } from '../../src/p2p/batch.ts';
import type { AdmittedPeer } from '../../src/p2p/gate.ts';
import { createNetwork, type Network } from '../../src/p2p/network.ts';
import type { NetworkHandlers } from '../../src/p2p/network-options.ts';
import type { NetworkLimits } from '../../src/p2p/protocols.ts';

// A promise that nobody handles must fail the test, whichever part of the network made it.
process.on('unhandledRejection', (error) => {
  console.error('unhandled rejection', error);
  process.exit(1);
});

export interface TestNode {
  readonly publicKey: Uint8Array;
  readonly network: Network;
  /** What the handlers were called with, in order. */
  readonly consensus: { from: Uint8Array; frame: Uint8Array }[];
  readonly transactions: TransactionEnvelope[];
  readonly blocks: { from: Uint8Array; frame: Uint8Array }[];
  /** Resolves once the condition holds; it is looked at after each handler call. Rejects after ten seconds. */
  until(condition: () => boolean): Promise<void>;
}

export const seedOf = (name: string) => new Uint8Array(createHash('sha256').update(name).digest());
export const publicKeyOfSeed = (name: string) => ed25519.getPublicKey(seedOf(name));

export interface TestNodeOptions {
  readonly peers?: readonly AdmittedPeer[];
  readonly port?: number;
  readonly requests?: Partial<NetworkHandlers['requests']>;
  readonly handlers?: Partial<NetworkHandlers>;
  readonly limits?: Partial<NetworkLimits>;
}

const log = { debug() {}, info() {}, warn() {} };

/** A network on loopback that writes down what it hears. */
export async function startNode(name: string, options: TestNodeOptions = {}): Promise<TestNode> {
  const events = new EventEmitter();
  const node = { consensus: [], transactions: [], blocks: [] } as unknown as {
    -readonly [K in keyof TestNode]: TestNode[K];
  };
  const changed = () => events.emit('change');
  node.publicKey = publicKeyOfSeed(name);
  node.until = async (condition) => {
    const signal = AbortSignal.timeout(10_000);
    while (!condition()) await once(events, 'change', { signal });
  };
  node.network = await createNetwork(
    {
      seed: seedOf(name),
      listen: [`/ip4/127.0.0.1/tcp/${options.port ?? 0}`],
      peers: options.peers ?? [],
      topicSuffix: 'ab'.repeat(32),
      limits: { reconnectFirstMs: 100, reconnectMaxMs: 500, handshakeTimeoutMs: 1_000, ...options.limits },
      log,
    },
    {
      onConsensus: (from, frame) => {
        node.consensus.push({ from, frame: frame.slice() });
        changed();
      },
      onTransactions: (_from, batch) => {
        node.transactions.push(...batch);
        changed();
      },
      onBlock: (from, frame) => {
        node.blocks.push({ from, frame });
        changed();
      },
      onConnected: changed,
      onDisconnected: changed,
      ...options.handlers,
      requests: {
        blocks: async () => [],
        block: async () => null,
        bodies: async (hashes) => hashes.map(() => null),
        attachments: async (hashes) => hashes.map(() => null),
        history: async () => [],
        payload: async () => null,
        ...options.requests,
      },
    },
  );
  return node;
}

/** Nodes that admit and reach one another; resolves when every pair is connected. */
export async function startMesh<const Names extends readonly string[]>(
  names: Names,
  options: TestNodeOptions = {},
): Promise<{ [K in keyof Names]: TestNode }> {
  const nodes = (await Promise.all(names.map((name) => startNode(name, options)))) as { [K in keyof Names]: TestNode };
  const peers = nodes.map(asPeer);
  for (const { network } of nodes) network.setMembers(peers);
  await Promise.all(nodes.map((node) => node.until(() => node.network.connectedPeers().length === names.length - 1)));
  return nodes;
}

export const asPeer = ({ publicKey, network }: TestNode): AdmittedPeer => ({
  publicKey,
  addresses: network.addresses(),
});

export const closeAll = (nodes: readonly TestNode[]) => Promise.all(nodes.map(({ network }) => network.close()));

export const portOf = ({ network }: TestNode) => Number(network.addresses()[0]!.split('/')[4]);
