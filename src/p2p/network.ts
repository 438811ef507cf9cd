import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { GossipSub } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { Ed25519PrivateKey, Libp2p } from '@libp2p/interface';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { answerRequests, type RequestHandlers } from './answer.ts';
import { Batcher, decodeBatch, type TransactionEnvelope } from './batch.ts';
import { Conduct } from './conduct.ts';
import { Counters, type NetworkMetrics } from './counters.ts';
import { type AdmittedPeer, Gate, type KnownPeer } from './gate.ts';
import { gossipService, joinGossip } from './gossip.ts';
import { privateKeyOf } from './identity.ts';
import { Links } from './links.ts';
import {
  type BlocksRequest,
  CHANNEL,
  DEFAULT_LIMITS,
  type FrameClass,
  type NetworkLimits,
  REQUESTS,
  type RequestProtocol,
  type Topic,
} from './protocols.ts';
import { Reconnector } from './reconnect.ts';
import { RequestError, type RequestOptions, sendRequest } from './request.ts';

/** Where a network's log events go; pino's loggers fit. */
export interface NetworkLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What a network is started with. */
export interface NetworkOptions {
  /** 32-byte Ed25519 seed of the validator or observer key: the node's PeerId follows from it. */
  readonly seed: Uint8Array;
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/4001`. */
  readonly listen: readonly string[];
  /** Who may connect, and how to reach each. An entry for this node itself is ignored. */
  readonly peers: readonly AdmittedPeer[];
  /** Hexadecimal genesis hash: keeps the gossip of different ledgers apart. */
  readonly topicSuffix: string;
  readonly limits?: Partial<NetworkLimits>;
  readonly log: NetworkLog;
}

/**
 * What a network calls. Frames may be views into larger buffers. A handler that throws a DecodeError says that the
 * peer sent malformed bytes: that is counted and the peer is cut. Any other error is a bug and is not caught.
 */
export interface NetworkHandlers {
  /** A consensus message of a member, in the order in which it was sent. */
  onConsensus(from: Uint8Array, frame: Uint8Array): void;
  /** Transactions that `from` passed on; they may be another's and may come more than once. */
  onTransactions(from: Uint8Array, batch: readonly TransactionEnvelope[]): void;
  /** A block announcement that `from` passed on; it may come more than once. */
  onBlock(from: Uint8Array, frame: Uint8Array): void;
  /** The peer takes frames from now on. Its first frames may arrive before this call. */
  onConnected(publicKey: Uint8Array): void;
  onDisconnected(publicKey: Uint8Array): void;
  readonly requests: RequestHandlers;
}

/** A running network of one node. */
export interface Network {
  /** Queues a consensus message; false when the peer is not connected or was cut for taking too little. */
  send(publicKey: Uint8Array, frame: Uint8Array): boolean;
  /** Queues a consensus message for every connected member. */
  broadcast(frame: Uint8Array): void;
  /** Collects transactions for a few milliseconds and sends them to all members. */
  publishTransactions(batch: readonly TransactionEnvelope[]): void;
  /** Announces a committed block (at most 1 MiB) to members and observers; each node announces its own commits. */
  publishBlock(frame: Uint8Array): void;
  /** Consecutive encoded blocks from `fromHeight`, possibly fewer than asked for. Rejects with a RequestError. */
  requestBlocks(publicKey: Uint8Array, request: BlocksRequest, options?: RequestOptions): Promise<readonly Uint8Array[]>;
  /** Transactions by hash, in order; null for what the peer lacks or what did not fit. Rejects with a RequestError. */
  requestBodies(publicKey: Uint8Array, hashes: readonly Uint8Array[], options?: RequestOptions): Promise<Answers>;
  /** Attachments by hash; as `requestBodies`. */
  requestAttachments(publicKey: Uint8Array, hashes: readonly Uint8Array[], options?: RequestOptions): Promise<Answers>;
  /** One block of a payload's DAG by CID, unchecked; null if the peer lacks it. Rejects with a RequestError. */
  requestPayload(publicKey: Uint8Array, cid: Uint8Array, options?: RequestOptions): Promise<Uint8Array | null>;
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

type Services = { readonly identify: Identify; readonly ping: Ping; readonly gossip: GossipSub };

/** Buffered on a stream that is paused: libp2p resets it at 4 MiB, so a peer may have less than that under way. */
const STREAM_WINDOW_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Starts listening and dialling. Rejects when an address of `listen` cannot be used. Peers can do no more than waste
 * their own budget: what is malformed, too large, too slow or too much is counted in `metrics()` and ends their
 * connection (network.md).
 */
export async function createNetwork(options: NetworkOptions, handlers: NetworkHandlers): Promise<Network> {
  const { log } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const key = await privateKeyOf(options.seed);
  const counters = new Counters();
  const conduct = new Conduct(() => performance.now());
  const gate = new Gate(key.publicKey.raw, conduct, counters);
  const libp2p = await createNode(key, options.listen, limits, gate);
  let isClosed = false;

  const punish = (peer: KnownPeer, reason: string) => {
    counters.drop('malformed');
    const shunnedForMs = conduct.recordFault(peer.name);
    log.warn({ peer: peer.name, reason, shunnedForMs }, 'peer cut: it sent malformed data');
    links.cut(peer.name, reason);
  };
  const deliver = (from: KnownPeer, frameClass: FrameClass, payload: Uint8Array) => {
    if (isClosed) return;
    if (frameClass === 'block') handlers.onBlock(from.publicKey, payload);
    else if (!gate.isMember(from.name)) counters.drop('fromObserver');
    else if (frameClass === 'consensus') handlers.onConsensus(from.publicKey, payload);
    else handlers.onTransactions(from.publicKey, decodeBatch(payload));
  };
  const reconnector = new Reconnector({
    firstMs: limits.reconnectFirstMs,
    maxMs: limits.reconnectMaxMs,
    random: Math.random,
    // Two nodes that start together need one connection: the one with the lower key dials, the other waits a little.
    initialDelayMs: ({ name }) => (toHex(key.publicKey.raw) < name ? 0 : 2 * limits.reconnectFirstMs),
    dial: async ({ addresses }, signal) => {
      await libp2p.dial([...addresses], { signal });
    },
  });
  const links = new Links(gate, counters, {
    onFrame: deliver,
    onFault: punish,
    onStalled: (peer, reason) => log.warn({ peer: peer.name, reason }, 'peer cut: it is too slow'),
    onOpen: (peer) => {
      log.info({ peer: peer.name }, 'peer connected');
      if (!isClosed) handlers.onConnected(peer.publicKey);
    },
    onClosed: (peer) => {
      log.info({ peer: peer.name }, 'peer disconnected');
      if (!isClosed) handlers.onDisconnected(peer.publicKey);
    },
    onReached: ({ name }) => reconnector.connected(name),
    onLost: ({ name }) => reconnector.lost(name),
  });
  const gossip = joinGossip(options.topicSuffix, {
    pubsub: libp2p.services.gossip,
    gate,
    counters,
    onMessage: deliver,
    onFault: punish,
    onUnsent: (topic, error) => log.debug({ topic, error }, 'gossip not sent'),
  });

  /** To each peer directly while all are connected, which costs a third of gossip; else by gossip, which goes round. */
  const spread = (topic: Topic, frame: Uint8Array, peers: readonly KnownPeer[]) => {
    if (peers.some(({ name }) => links.connectionOf(name) === undefined)) gossip.publish(topic, frame);
    else for (const { name } of peers) links.push(name, topic, frame);
  };
  const members = () => [...gate.peers()].filter(({ isMember }) => isMember);
  const batcher = new Batcher((frame) => spread('transactions', frame, members()));

  const ask = async <Q>(publicKey: Uint8Array, protocol: RequestProtocol<Q>, request: Q, how: RequestOptions = {}) => {
    const connection = links.connectionOf(toHex(publicKey));
    if (connection === undefined) throw new RequestError('notConnected', `${protocol.id}: the peer is not connected`);
    return sendRequest(connection, protocol, request, how, counters);
  };
  const setMembers = (peers: readonly AdmittedPeer[]) => {
    for (const address of gate.setPeers(peers))
      log.warn({ address }, 'not a multiaddr: this address of a peer is ignored');
    links.cutStrangers();
    reconnector.setPeers(gate.peers());
  };
  void ask;
  void setMembers;
  void batcher;
}
