import type { RequestHandlers } from './answer.ts';
import type { TransactionEnvelope } from './batch.ts';
import type { AdmittedPeer } from './gate.ts';
import type { NetworkLimits } from './protocols.ts';

/** Where a network's log events go; pino's loggers fit. */
interface NetworkLog {
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
