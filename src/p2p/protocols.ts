import { bytes, bytesUpTo, list, nullable, type Schema, struct, uint, union } from '../codec/schema.ts';
import { CID_BYTES_MAX } from '../ledger/action.ts';
import { BLOCK_TRANSACTIONS_MAX } from '../ledger/block.ts';
import { STATE_CHUNK_BYTES_MAX } from '../ledger/state-chunk.ts';
import { ATTACHMENT_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../ledger/transaction.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** No frame is larger: libp2p loses messages of more than 4 MiB without an error. Larger things go by hash. */
export const FRAME_BYTES_MAX = 3 * MIB;

/**
 * The direct channel: one stream in each direction between two peers for as long as they are connected. A frame's
 * first byte is its class (`FRAME_CLASSES`); the rest is opaque here.
 */
export const CHANNEL = {
  id: '/medledger/consensus/1',
  frameBytesMax: FRAME_BYTES_MAX,
  /** Reading pauses above these: the sender's own queue fills, not our memory. */
  bytesPerSecond: 32 * MIB,
  bytesBurst: 64 * MIB,
  framesPerSecond: 20_000,
  framesBurst: 40_000,
  /** From a frame's first byte to its last; looked at once in each such time, so at most twice as long. */
  frameDeadlineMs: 20_000,
} as const;

/** What a direct frame carries, with its number on the wire, most urgent first. */
export const FRAME_CLASSES = { consensus: 1, block: 2, transactions: 3 } as const;
/** What a frame of the channel is about: the order of the classes is their priority. */
export type FrameClass = keyof typeof FRAME_CLASSES;

/** A request for consecutive blocks. */
export interface BlocksRequest {
  readonly fromHeight: number;
  /** 1 to `BLOCKS_PER_REQUEST_MAX`. */
  readonly maxBlocks: number;
  /** The reply stops before exceeding this, but holds at least one block when there is one. */
  readonly maxBytes: number;
}

/** Most blocks in one reply. */
const BLOCKS_PER_REQUEST_MAX = 64;
/** Most bytes of blocks in one reply, unless the first block alone is larger. */
const BLOCKS_BYTES_MAX = 2 * MIB;

/** Most headers in one reply. */
export const HEADERS_PER_REQUEST_MAX = 1024;

/** What one who joins, or was away for long, asks for. Each item of the answers proves itself. */
export type HistoryRequest =
  /** Header and certificate of the last block. */
  | { readonly kind: 'tip' }
  /** Header and certificate of the newest block of which a snapshot of the state can be had. */
  | { readonly kind: 'snapshot' }
  /** Consecutive headers, with certificates where the validators change. */
  | { readonly kind: 'headers'; readonly fromHeight: number; readonly maxHeaders: number }
  /** The validator list with this hash. */
  | { readonly kind: 'validators'; readonly hash: Uint8Array }
  /** The chunk of the snapshot at a height whose range holds a path. */
  | { readonly kind: 'chunk'; readonly height: number; readonly path: Uint8Array }
  /** The bytes from `offset` on of a block too large for one frame: its length u64be, then as many as fit. */
  | { readonly kind: 'piece'; readonly hash: Uint8Array; readonly offset: number };

type FieldsOf<K extends HistoryRequest['kind']> = Omit<Extract<HistoryRequest, { readonly kind: K }>, 'kind'>;

const historyRequest = union<HistoryRequest>({
  tip: [0, struct<FieldsOf<'tip'>>({})],
  snapshot: [1, struct<FieldsOf<'snapshot'>>({})],
  headers: [2, struct<FieldsOf<'headers'>>({ fromHeight: uint(), maxHeaders: uint(HEADERS_PER_REQUEST_MAX) })],
  validators: [3, struct<FieldsOf<'validators'>>({ hash: bytes(32) })],
  chunk: [4, struct<FieldsOf<'chunk'>>({ height: uint(), path: bytes(32) })],
  piece: [5, struct<FieldsOf<'piece'>>({ hash: bytes(32), offset: uint() })],
});

/** One request protocol: a stream for each request, a frame each way. */
export interface RequestProtocol<Q> {
  readonly id: string;
  readonly request: Schema<Q>;
  readonly requestBytesMax: number;
  /** The items asked for, in order; null for what is not held. */
  readonly response: Schema<readonly (Uint8Array | null)[]>;
  readonly responseBytesMax: number;
  /** What stands for items that do not fit the reply: null for each, or the list ends before the first. */
  readonly overflow: 'nulls' | 'cut';
  /** Budget of one peer: requests, and bytes of replies, each second; twice as much at once. */
  readonly requestsPerSecond: number;
  readonly replyBytesPerSecond: number;
  /** Requests of one peer being answered at a time. */
  readonly concurrentMax: number;
  /** From the request to the whole reply. */
  readonly deadlineMs: number;
}

const hashes = list(bytes(32), BLOCK_TRANSACTIONS_MAX);
const HASHES_BYTES_MAX = BLOCK_TRANSACTIONS_MAX * 34 + 8;
const answers = (itemBytesMax: number, itemsMax: number) => list(nullable(bytesUpTo(itemBytesMax)), itemsMax);

/** First byte of a reply: what follows, or why nothing does. */
export const REPLY = { answer: 0, busy: 1, failed: 2 } as const;

/** Every request protocol. A reply's frame also has a status byte. */
export const REQUESTS = {
  blocks: {
    id: '/medledger/sync/1',
    request: struct<BlocksRequest>({
      fromHeight: uint(),
      maxBlocks: uint(BLOCKS_PER_REQUEST_MAX),
      maxBytes: uint(BLOCKS_BYTES_MAX),
    }),
    requestBytesMax: 32,
    response: answers(FRAME_BYTES_MAX, BLOCKS_PER_REQUEST_MAX),
    responseBytesMax: FRAME_BYTES_MAX - 1,
    overflow: 'cut',
    requestsPerSecond: 50,
    replyBytesPerSecond: 32 * MIB,
    concurrentMax: 4,
    deadlineMs: 10_000,
  },
  /** A whole block, undecided or committed, by its hash: for those who know the decision but not the block. */
  block: {
    id: '/medledger/block/1',
    request: bytes(32),
    requestBytesMax: 34,
    response: answers(FRAME_BYTES_MAX, 1),
    responseBytesMax: FRAME_BYTES_MAX - 1,
    overflow: 'nulls',
    requestsPerSecond: 50,
    replyBytesPerSecond: 32 * MIB,
    concurrentMax: 4,
    deadlineMs: 10_000,
  },
  bodies: {
    id: '/medledger/bodies/1',
    request: hashes,
    requestBytesMax: HASHES_BYTES_MAX,
    response: answers(TRANSACTION_BYTES_MAX, BLOCK_TRANSACTIONS_MAX),
    responseBytesMax: FRAME_BYTES_MAX - 1,
    overflow: 'nulls',
    requestsPerSecond: 100,
    replyBytesPerSecond: 32 * MIB,
    concurrentMax: 8,
    deadlineMs: 5_000,
  },
  attachments: {
    id: '/medledger/attachments/1',
    request: hashes,
    requestBytesMax: HASHES_BYTES_MAX,
    response: answers(ATTACHMENT_BYTES_MAX, BLOCK_TRANSACTIONS_MAX),
    responseBytesMax: FRAME_BYTES_MAX - 1,
    overflow: 'nulls',
    requestsPerSecond: 100,
    replyBytesPerSecond: 32 * MIB,
    concurrentMax: 8,
    deadlineMs: 5_000,
  },
  /** One block of a payload's DAG by its CID; a payload of many blocks is fetched block by block from its root. */
  payload: {
    id: '/medledger/payload/1',
    request: bytesUpTo(CID_BYTES_MAX),
    requestBytesMax: CID_BYTES_MAX + 2,
    response: answers(2 * MIB, 1),
    responseBytesMax: 2 * MIB + 32,
    overflow: 'nulls',
    requestsPerSecond: 200,
    replyBytesPerSecond: 32 * MIB,
    concurrentMax: 8,
    deadlineMs: 10_000,
  },
  /** Tips, headers, and parts of snapshots and of large blocks. */
  history: {
    id: '/medledger/history/1',
    request: historyRequest,
    requestBytesMax: 64,
    response: answers(STATE_CHUNK_BYTES_MAX, HEADERS_PER_REQUEST_MAX),
    responseBytesMax: FRAME_BYTES_MAX - 1,
    overflow: 'cut',
    requestsPerSecond: 100,
    replyBytesPerSecond: 32 * MIB,
    concurrentMax: 4,
    deadlineMs: 10_000,
  },
} as const;

/** Gossip topics; the ledger's genesis hash follows in hexadecimal, so that two ledgers never mix. */
export const TOPICS = {
  transactions: 'medledger/transactions/1/',
  block: 'medledger/block/1/',
} as const;
/** Name of a gossip topic. */
export type Topic = keyof typeof TOPICS;

/** Limits of gossip: one message, and what one neighbour may bring. */
export const GOSSIP = {
  messageBytesMax: MIB,
  bytesPerSecond: 16 * MIB,
  bytesBurst: 32 * MIB,
} as const;

/** When collected transactions leave as one batch: after a few milliseconds, or at this size. */
export const BATCH = { flushAfterMs: 5, flushBytes: 256 * KIB, transactionsMax: BLOCK_TRANSACTIONS_MAX } as const;

/** What waits for one peer at most, by class. Over the first a peer is cut; over the others the newest is dropped. */
export const OUTBOX = {
  bytesMax: { consensus: 16 * MIB, block: 4 * MIB, transactions: 8 * MIB },
  framesMax: { consensus: 8_192, block: 256, transactions: 1_024 },
  /** A peer that takes nothing for this long while something waits is cut. */
  stalledAfterMs: 10_000,
} as const;

/** What a network may hold and how patient it is; the node's configuration may lower or raise these. */
export interface NetworkLimits {
  readonly connectionsMax: number;
  /** Connections being accepted at a time, and new ones from one host each second. */
  readonly pendingConnectionsMax: number;
  readonly connectionsPerHostPerSecond: number;
  readonly handshakeTimeoutMs: number;
  readonly dialTimeoutMs: number;
  /** First and longest wait before dialling a lost peer again; each wait is jittered. */
  readonly reconnectFirstMs: number;
  readonly reconnectMaxMs: number;
  readonly pingIntervalMs: number;
}

/** Limits of a network that is not told otherwise. */
export const DEFAULT_LIMITS: NetworkLimits = {
  connectionsMax: 512,
  pendingConnectionsMax: 64,
  connectionsPerHostPerSecond: 64,
  handshakeTimeoutMs: 5_000,
  dialTimeoutMs: 5_000,
  reconnectFirstMs: 250,
  reconnectMaxMs: 15_000,
  pingIntervalMs: 5_000,
};
