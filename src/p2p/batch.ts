import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytesUpTo, list, nullable, struct } from '../codec/schema.ts';
import { ATTACHMENT_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../ledger/transaction.ts';
import { BATCH, GOSSIP } from './protocols.ts';

/** A transaction on its way between nodes. */
export interface TransactionEnvelope {
  /** Canonical encoding, signatures included. */
  readonly encoded: Uint8Array;
  /** blind[32] ‖ bytes, or null. */
  readonly attachment: Uint8Array | null;
}

/** Room for the heads of a transaction's array and of its two byte strings. */
const ENVELOPE_OVERHEAD_BYTES = 11;

const batchSchema = list(
  struct<TransactionEnvelope>({
    encoded: bytesUpTo(TRANSACTION_BYTES_MAX),
    attachment: nullable(bytesUpTo(ATTACHMENT_BYTES_MAX)),
  }),
  BATCH.transactionsMax,
);

/** The transactions of a batch. Throws a DecodeError on anything else and on an empty batch. */
export function decodeBatch(frame: Uint8Array): readonly TransactionEnvelope[] {
  const batch = decode(batchSchema, frame, GOSSIP.messageBytesMax);
  if (batch.length === 0) throw new DecodeError('a batch without transactions');
  return batch;
}

/**
 * Collects transactions and hands on encoded batches: at `BATCH.flushBytes`, or as soon as `BATCH.flushAfterMs` have
 * passed since the last batch. So a lone transaction leaves in the turn it came in, and many share their batches.
 */
export class Batcher {
  readonly #onBatch: (frame: Uint8Array) => void;
  readonly #nowMs: () => number;
  #collected: TransactionEnvelope[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushedMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is a monotonic clock. */
  constructor(onBatch: (frame: Uint8Array) => void, nowMs: () => number = () => performance.now()) {
    this.#onBatch = onBatch;
    this.#nowMs = nowMs;
  }

  /** Throws a RangeError on a transaction or attachment over its size limit. */
  add(transactions: readonly TransactionEnvelope[]): void {
    for (const transaction of transactions) {
      const { encoded, attachment } = transaction;
      if (encoded.length > TRANSACTION_BYTES_MAX || (attachment?.length ?? 0) > ATTACHMENT_BYTES_MAX)
        throw new RangeError('a transaction or attachment larger than any valid one');
      this.#collected.push(transaction);
      this.#bytes += encoded.length + (attachment?.length ?? 0) + ENVELOPE_OVERHEAD_BYTES;
      if (this.#bytes >= BATCH.flushBytes || this.#collected.length === BATCH.transactionsMax) this.flush();
    }
    if (this.#collected.length === 0) return;
    const restMs = this.#flushedMs + BATCH.flushAfterMs - this.#nowMs();
    if (restMs <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), restMs);
  }

  /** Hands on what is collected now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#collected.length === 0) return;
    const batch = this.#collected;
    this.#collected = [];
    this.#bytes = 0;
    this.#flushedMs = this.#nowMs();
    this.#onBatch(encode(batchSchema, batch));
  }

  /** Forgets what is collected. */
  close(): void {
    clearTimeout(this.#timer);
    this.#collected = [];
  }
}
