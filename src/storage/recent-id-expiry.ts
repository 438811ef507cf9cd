import { compareBytes } from '../codec/bytes.ts';
import { RECENT_ID_BYTES, type RecentId, readU64 } from './schema.ts';

const BUCKET_MS = 1000;
const BUCKET_BYTES_START = 16 * RECENT_ID_BYTES;

/**
 * Recent transaction ids by expiry, in memory: 40 bytes an id, in buckets of one second, so that ten minutes at
 * 1,000 transactions a second take 24 MB. Its size is bounded by the ledger's own rule on how far ahead an id may
 * expire.
 */
export class RecentIdExpiry {
  readonly #buckets = new Map<number, Bucket>();
  /** Latest expiry in the stored table of each block that still has one. */
  readonly #tables = new Map<number, number>();

  /** Takes up the table of one block, as stored (schema.ts); ids with validUntilMs < `fromMs` have been removed. */
  add(height: number, entries: Uint8Array, fromMs: number): void {
    let latestMs = 0;
    for (let at = 0; at < entries.length; at += RECENT_ID_BYTES) {
      const validUntilMs = readU64(entries, at);
      latestMs = Math.max(latestMs, validUntilMs);
      if (validUntilMs < fromMs) continue;
      const second = Math.floor(validUntilMs / BUCKET_MS);
      let bucket = this.#buckets.get(second);
      if (bucket === undefined) {
        bucket = { bytes: new Uint8Array(BUCKET_BYTES_START), length: 0 };
        this.#buckets.set(second, bucket);
      }
      push(bucket, entries.subarray(at, at + RECENT_ID_BYTES));
    }
    if (entries.length > 0) this.#tables.set(height, latestMs);
  }

  /** Heights whose stored table holds nothing but ids with validUntilMs < `ms`. */
  spentTables(ms: number): readonly number[] {
    const spent: number[] = [];
    for (const [height, latestMs] of this.#tables) if (latestMs < ms) spent.push(height);
    return spent;
  }

  /** The ids with validUntilMs < `ms`, by time, then id. */
  expiredBefore(ms: number): readonly RecentId[] {
    const expired: RecentId[] = [];
    for (const [second, bucket] of this.#buckets) {
      if (second * BUCKET_MS >= ms) continue;
      for (let at = 0; at < bucket.length; at += RECENT_ID_BYTES) {
        const validUntilMs = readU64(bucket.bytes, at);
        if (validUntilMs < ms) expired.push({ validUntilMs, txId: bucket.bytes.slice(at + 8, at + RECENT_ID_BYTES) });
      }
    }
    return expired.sort((a, b) => a.validUntilMs - b.validUntilMs || compareBytes(a.txId, b.txId));
  }

  /** Forgets the ids with validUntilMs < `ms`, and the tables spent by that. */
  removeBefore(ms: number): void {
    for (const height of this.spentTables(ms)) this.#tables.delete(height);
    for (const [second, bucket] of this.#buckets) {
      if (second * BUCKET_MS >= ms) continue;
      let kept = 0;
      for (let at = 0; at < bucket.length; at += RECENT_ID_BYTES) {
        if (readU64(bucket.bytes, at) < ms) continue;
        bucket.bytes.copyWithin(kept, at, at + RECENT_ID_BYTES);
        kept += RECENT_ID_BYTES;
      }
      bucket.length = kept;
      if (kept === 0) this.#buckets.delete(second);
    }
  }
}

interface Bucket {
  bytes: Uint8Array;
  /** Bytes in use. */
  length: number;
}

function push(bucket: Bucket, entry: Uint8Array): void {
  if (bucket.length + entry.length > bucket.bytes.length) {
    const larger = new Uint8Array(bucket.bytes.length * 2);
    larger.set(bucket.bytes);
    bucket.bytes = larger;
  }
  bucket.bytes.set(entry, bucket.length);
  bucket.length += entry.length;
}
