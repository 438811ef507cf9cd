import type { Libp2p } from '@libp2p/interface';
import { toHex } from '../codec/bytes.ts';
import { answerRequests } from './answer.ts';
import { Batcher, decodeBatch, type TransactionEnvelope } from './batch.ts';
import { Conduct } from './conduct.ts';
import { Counters, type NetworkMetrics } from './counters.ts';
import { type AdmittedPeer, Gate, type KnownPeer } from './gate.ts';
import { type Gossip, joinGossip } from './gossip.ts';
import { privateKeyOf } from './identity.ts';
import { createNode, type NodeServices } from './libp2p-node.ts';
import { Links } from './links.ts';
import type { NetworkHandlers, NetworkOptions } from './network-options.ts';
import {
  type BlocksRequest,
  CHANNEL,
  DEFAULT_LIMITS,
  type FrameClass,
  type HistoryRequest,
  type NetworkLimits,
  REQUESTS,
  type RequestProtocol,
  type Topic,
} from './protocols.ts';
import { Reconnector } from './reconnect.ts';
import { RequestError, type RequestOptions, sendRequest } from './request.ts';

/** An address that is taken or not this machine's; the message says what to do. */
class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** A running network of one node. */
export interface Network {
  /** Queues a consensus message; false when the peer is not connected or was cut for taking too little. */
  send(publicKey: Uint8Array, frame: Uint8Array): boolean;
  /** Queues a consensus message for every connected member. */
  broadcast(frame: Uint8Array): void;
  /** Collects transactions for a few milliseconds and sends them to all members. */
  publishTransactions(batch: readonly TransactionEnvelope[]): void;
  /** Announces a committed block (at most 1 MiB) to observers; to all while some peer is not connected. */
  publishBlock(frame: Uint8Array): void;
  /** Consecutive encoded blocks from `fromHeight`, possibly fewer than asked for. Rejects with a RequestError. */
  requestBlocks(
    publicKey: Uint8Array,
    request: BlocksRequest,
    options?: RequestOptions,
  ): Promise<readonly Uint8Array[]>;
  /** The encoded block with this hash, unchecked; null if the peer lacks it. Rejects with a RequestError. */
  requestBlock(publicKey: Uint8Array, hash: Uint8Array, options?: RequestOptions): Promise<Uint8Array | null>;
  /** Transactions by hash, in order; null for what the peer lacks or what did not fit. Rejects with a RequestError. */
  requestBodies(publicKey: Uint8Array, hashes: readonly Uint8Array[], options?: RequestOptions): Promise<Answers>;
  /** Attachments by hash; as `requestBodies`. */
  requestAttachments(publicKey: Uint8Array, hashes: readonly Uint8Array[], options?: RequestOptions): Promise<Answers>;
  /** One block of a payload's DAG by CID, unchecked; null if the peer lacks it. Rejects with a RequestError. */
  requestPayload(publicKey: Uint8Array, cid: Uint8Array, options?: RequestOptions): Promise<Uint8Array | null>;
  /** What a peer knows of the past, unchecked; empty if it lacks it. Rejects with a RequestError. */
  requestHistory(
    publicKey: Uint8Array,
    request: HistoryRequest,
    options?: RequestOptions,
  ): Promise<readonly Uint8Array[]>;
  /** The peer sent something malformed or wrongly signed: counts it, cuts the peer, keeps it out for a while. */
  reportMalformed(publicKey: Uint8Array, reason: string): void;
  /** Replaces the admitted peers: new ones are dialled, those left out are disconnected. */
  setMembers(peers: readonly AdmittedPeer[]): void;
  connectedPeers(): readonly Uint8Array[];
  /** Milliseconds of the latest ping; undefined before the first one and for peers not connected. */
  roundTripMs(publicKey: Uint8Array): number | undefined;
  /** Multiaddrs under which this node listens, with its PeerId. */
  addresses(): readonly string[];
  metrics(): NetworkMetrics;
  /** Disconnects all peers and frees the ports. Handlers are not called after it was called. */
  close(): Promise<void>;
}

type Answers = readonly (Uint8Array | null)[];

/**
 * Starts listening and dialling. Rejects when no address of `listen` can be used. What a peer sends that is malformed,
 * too large, too slow or too much is counted in `metrics()` and ends its connection (network.md).
 */
export async function createNetwork(options: NetworkOptions, handlers: NetworkHandlers): Promise<Network> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const key = await privateKeyOf(options.seed);
  const counters = new Counters();
  const conduct = new Conduct(() => performance.now());
  const gate = new Gate(key.publicKey.raw, conduct, counters);
  const libp2p = await createNode(key, options.listen, limits, gate.gater());
  const network = new Libp2pNetwork({ options, handlers, limits, counters, conduct, gate, libp2p });
  try {
    await network.start(key.publicKey.raw);
  } catch (error) {
    await network.close();
    const where = options.listen.join(', ');
    throw new ListenError(
      `Cannot listen on ${where}: set p2p.listen to another address, or stop the process that has it`,
      {
        cause: error,
      },
    );
  }
  return network;
}

interface Parts {
  readonly options: NetworkOptions;
  readonly handlers: NetworkHandlers;
  readonly limits: NetworkLimits;
  readonly counters: Counters;
  readonly conduct: Conduct;
  readonly gate: Gate;
  readonly libp2p: Libp2p<NodeServices>;
}

class Libp2pNetwork implements Network {
  readonly #parts: Parts;
  readonly #links: Links;
  readonly #batcher: Batcher;
  #reconnector: Reconnector | undefined;
  #gossip: Gossip | undefined;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { gate, counters, handlers, options } = parts;
    this.#batcher = new Batcher((frame) => {
      const members = [...gate.peers()].filter(({ isMember }) => isMember);
      this.#spread('transactions', frame, members, () => true);
    });
    this.#links = new Links(gate, counters, {
      onFrame: (from, frameClass, payload) => this.#deliver(from, frameClass, payload),
      onFault: (peer, reason) => this.#punish(peer, reason),
      onStalled: ({ name }, reason) => options.log.warn({ peer: name, reason }, 'peer cut: it is too slow'),
      onOpen: ({ name, publicKey }) => {
        options.log.debug({ peer: name }, 'peer connected');
        if (!this.#isClosed) handlers.onConnected(publicKey);
      },
      onClosed: ({ name, publicKey }) => {
        options.log.debug({ peer: name }, 'peer disconnected');
        if (!this.#isClosed) handlers.onDisconnected(publicKey);
      },
      onReached: ({ name }) => this.#reconnector?.connected(name),
      onLost: ({ name }) => this.#reconnector?.lost(name),
    });
  }

  async start(ownPublicKey: Uint8Array): Promise<void> {
    const { libp2p, gate, counters, handlers, limits, options } = this.#parts;
    const { log } = options;
    libp2p.addEventListener('connection:open', ({ detail }) => this.#links.connectionOpened(detail));
    libp2p.addEventListener('connection:close', ({ detail }) => this.#links.connectionClosed(detail));
    await libp2p.handle(CHANNEL.id, (stream, connection) => this.#links.acceptChannel(stream, connection), {
      maxInboundStreams: 4,
      maxOutboundStreams: 4,
    });
    await answerRequests({
      libp2p,
      gate,
      counters,
      handlers: handlers.requests,
      onFault: (peer, reason) => this.#punish(peer, reason),
      onFailed: ({ name }, protocol, error) =>
        log.warn({ peer: name, protocol, err: error }, 'a request was not answered'),
    });
    await libp2p.start();
    this.#gossip = joinGossip(options.topicSuffix, {
      pubsub: libp2p.services.gossip,
      gate,
      counters,
      onMessage: (from, topic, data) => this.#deliverGossip(from, topic, data),
      onFault: (peer, reason) => this.#punish(peer, reason),
      onUnsent: (topic, error) => log.debug({ topic, err: error }, 'gossip was not sent'),
    });
    const ownName = toHex(ownPublicKey);
    this.#reconnector = new Reconnector({
      firstMs: limits.reconnectFirstMs,
      maxMs: limits.reconnectMaxMs,
      random: Math.random,
      // Two nodes that start together need one connection: the lower key dials, the other first waits a little.
      initialDelayMs: ({ name }) => (ownName < name ? 0 : 2 * limits.reconnectFirstMs),
      dial: async ({ addresses }, signal) => {
        await libp2p.dial([...addresses], { signal });
      },
    });
    this.setMembers(options.peers);
  }

  send(publicKey: Uint8Array, frame: Uint8Array): boolean {
    return this.#links.push(toHex(publicKey), 'consensus', frame);
  }

  broadcast(frame: Uint8Array): void {
    for (const { name } of this.#links.open())
      if (this.#parts.gate.isMember(name)) this.#links.push(name, 'consensus', frame);
  }

  publishTransactions(batch: readonly TransactionEnvelope[]): void {
    this.#batcher.add(batch);
  }

  publishBlock(frame: Uint8Array): void {
    // Members that are all connected hear of a block as they agree on it.
    this.#spread('block', frame, [...this.#parts.gate.peers()], (peer) => !peer.isMember);
  }

  async requestBlocks(publicKey: Uint8Array, request: BlocksRequest, how?: RequestOptions): Promise<Uint8Array[]> {
    const blocks = await this.#ask(
      publicKey,
      REQUESTS.blocks,
      request,
      how,
      (items) => items.length <= request.maxBlocks && !items.includes(null),
    );
    return blocks.filter((block) => block !== null);
  }

  requestBodies(publicKey: Uint8Array, hashes: readonly Uint8Array[], how?: RequestOptions): Promise<Answers> {
    return this.#ask(publicKey, REQUESTS.bodies, hashes, how, ({ length }) => length === hashes.length);
  }

  requestAttachments(publicKey: Uint8Array, hashes: readonly Uint8Array[], how?: RequestOptions): Promise<Answers> {
    return this.#ask(publicKey, REQUESTS.attachments, hashes, how, ({ length }) => length === hashes.length);
  }

  async requestBlock(publicKey: Uint8Array, hash: Uint8Array, how?: RequestOptions): Promise<Uint8Array | null> {
    const [block] = await this.#ask(publicKey, REQUESTS.block, hash, how, ({ length }) => length === 1);
    return block ?? null;
  }

  async requestPayload(publicKey: Uint8Array, cid: Uint8Array, how?: RequestOptions): Promise<Uint8Array | null> {
    const [block] = await this.#ask(publicKey, REQUESTS.payload, cid, how, ({ length }) => length === 1);
    return block ?? null;
  }

  async requestHistory(publicKey: Uint8Array, request: HistoryRequest, how?: RequestOptions): Promise<Uint8Array[]> {
    const items = await this.#ask(publicKey, REQUESTS.history, request, how, (all) => !all.includes(null));
    return items.filter((item) => item !== null);
  }

  reportMalformed(publicKey: Uint8Array, reason: string): void {
    const peer = this.#parts.gate.peerOf(publicKey);
    if (peer !== undefined) this.#punish(peer, reason);
  }

  setMembers(peers: readonly AdmittedPeer[]): void {
    const { gate, options } = this.#parts;
    for (const address of gate.setPeers(peers)) options.log.warn({ address }, 'no multiaddr: an address is ignored');
    this.#links.cutStrangers();
    this.#reconnector?.setPeers(gate.peers());
  }

  connectedPeers(): readonly Uint8Array[] {
    return [...this.#links.open()].map(({ publicKey }) => publicKey);
  }

  roundTripMs(publicKey: Uint8Array): number | undefined {
    return this.#links.connectionOf(toHex(publicKey))?.rtt;
  }

  addresses(): readonly string[] {
    return this.#parts.libp2p.getMultiaddrs().map((address) => address.toString());
  }

  metrics(): NetworkMetrics {
    return this.#parts.counters.snapshot(this.#links.queuedBytes());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#batcher.close();
    this.#reconnector?.close();
    this.#links.cutAll('this node is stopping');
    await this.#parts.libp2p.stop();
  }

  /** Directly while all are connected, which costs far less; by gossip otherwise, which finds a way round. */
  #spread(topic: Topic, frame: Uint8Array, peers: readonly KnownPeer[], isTold: (peer: KnownPeer) => boolean): void {
    const hasGap = peers.some(({ name }) => this.#links.connectionOf(name) === undefined);
    if (hasGap) this.#gossip?.publish(topic, frame);
    else for (const peer of peers) if (isTold(peer)) this.#links.push(peer.name, topic, frame);
  }

  #deliver(from: KnownPeer, frameClass: FrameClass, payload: Uint8Array): void {
    const { gate, counters, handlers } = this.#parts;
    if (this.#isClosed) return;
    if (frameClass === 'block') handlers.onBlock(from.publicKey, payload);
    else if (frameClass === 'transactions') handlers.onTransactions(from.publicKey, decodeBatch(payload));
    else if (gate.isMember(from.name)) handlers.onConsensus(from.publicKey, payload);
    else counters.drop('fromObserver');
  }

  /** A neighbour passes on what others wrote: its own role does not matter. */
  #deliverGossip(from: KnownPeer, topic: Topic, data: Uint8Array): void {
    if (this.#isClosed) return;
    if (topic === 'block') this.#parts.handlers.onBlock(from.publicKey, data);
    else this.#parts.handlers.onTransactions(from.publicKey, decodeBatch(data));
  }

  #punish(peer: KnownPeer, reason: string): void {
    const { counters, conduct, options } = this.#parts;
    counters.drop('malformed');
    const shunnedForMs = conduct.recordFault(peer.name);
    options.log.warn({ peer: peer.name, reason, shunnedForMs }, 'peer cut: it sent malformed data');
    this.#links.cut(peer.name, reason);
  }

  async #ask<Q>(
    publicKey: Uint8Array,
    protocol: RequestProtocol<Q>,
    request: Q,
    how: RequestOptions = {},
    fits: (items: Answers) => boolean,
  ): Promise<Answers> {
    const connection = this.#links.connectionOf(toHex(publicKey));
    if (connection === undefined) throw new RequestError('notConnected', `${protocol.id}: the peer is not connected`);
    try {
      const items = await sendRequest(connection, protocol, request, how, this.#parts.counters);
      if (!fits(items)) throw new RequestError('malformed', `${protocol.id}: not as many items as asked for`);
      return items;
    } catch (error) {
      if (error instanceof RequestError && error.kind === 'malformed') this.reportMalformed(publicKey, error.message);
      throw error;
    }
  }
}
