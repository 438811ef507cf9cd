import { toHex } from '../codec/bytes.ts';
import type { DecodedTransaction } from '../ledger/transaction.ts';

/** A transaction whose signatures were checked, waiting for a block. */
export interface PendingTransaction {
  readonly decoded: DecodedTransaction;
  /** blind[32] ‖ bytes, hash-checked against the transaction; null when it declares none. */
  readonly attachment: Uint8Array | null;
}

/** Limits of the pool: what a node holds for blocks to come. */
export interface MempoolLimits {
  readonly transactions: number;
  /** Encodings and attachments together. */
  readonly bytes: number;
}

/**
 * The pending transactions of one node in order of arrival, at most one per transaction id. Bodies stay reachable by
 * transaction hash until removed.
 */
export class Mempool {
  readonly #limits: MempoolLimits;
  /** Hexadecimal transaction id → entry; a Map keeps the order of arrival. */
  readonly #byId = new Map<string, PendingTransaction>();
  readonly #byHash = new Map<string, PendingTransaction>();
  readonly #byAttachment = new Map<string, PendingTransaction>();
  #bytes = 0;
  /** No entry expires earlier: most blocks need not look at every one. */
  #expiresFromMs = Number.POSITIVE_INFINITY;

  constructor(limits: MempoolLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an entry; `known` when its id waits already, `full` when a limit would be passed. */
  add(entry: PendingTransaction): 'added' | 'known' | 'full' {
    const id = toHex(entry.decoded.txId);
    if (this.#byId.has(id)) return 'known';
    const bytes = entryBytes(entry);
    if (this.#byId.size >= this.#limits.transactions || this.#bytes + bytes > this.#limits.bytes) return 'full';
    this.#byId.set(id, entry);
    this.#byHash.set(toHex(entry.decoded.txHash), entry);
    const reference = entry.decoded.transaction.attachment;
    if (reference !== null) this.#byAttachment.set(toHex(reference.hash), entry);
    this.#bytes += bytes;
    this.#expiresFromMs = Math.min(this.#expiresFromMs, entry.decoded.transaction.validUntilMs);
    return 'added';
  }

  byId(txIdHex: string): PendingTransaction | undefined {
    return this.#byId.get(txIdHex);
  }

  byHash(txHashHex: string): PendingTransaction | undefined {
    return this.#byHash.get(txHashHex);
  }

  /** The attachment with this hash, of a pending transaction. */
  attachment(hashHex: string): Uint8Array | undefined {
    return this.#byAttachment.get(hashHex)?.attachment ?? undefined;
  }

  /** All entries, oldest first. */
  entries(): IterableIterator<PendingTransaction> {
    return this.#byId.values();
  }

  /** Drops the entry with this id; false when there is none. */
  remove(txIdHex: string): boolean {
    const entry = this.#byId.get(txIdHex);
    if (entry === undefined) return false;
    this.#byId.delete(txIdHex);
    this.#byHash.delete(toHex(entry.decoded.txHash));
    const reference = entry.decoded.transaction.attachment;
    if (reference !== null) this.#byAttachment.delete(toHex(reference.hash));
    this.#bytes -= entryBytes(entry);
    return true;
  }

  /** Drops and returns every entry that no block later than `timestampMs` may hold. */
  removeExpired(timestampMs: number): PendingTransaction[] {
    if (timestampMs <= this.#expiresFromMs) return [];
    const expired: PendingTransaction[] = [];
    this.#expiresFromMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#byId.values()) {
      const { validUntilMs } = entry.decoded.transaction;
      if (validUntilMs < timestampMs) expired.push(entry);
      else this.#expiresFromMs = Math.min(this.#expiresFromMs, validUntilMs);
    }
    for (const entry of expired) this.remove(toHex(entry.decoded.txId));
    return expired;
  }
}

function entryBytes(entry: PendingTransaction): number {
  return entry.decoded.encoded.length + (entry.attachment?.length ?? 0);
}
