import { compareBytes } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { fromBinaryString, toBinaryString } from './binary-string.ts';
import { FAMILIES, type StateChange } from './state.ts';

const BUCKET_MS = 1_000;

/**
 * Which recent transaction ids have expired: the index behind `StateReader.recentIdsExpiredBefore`, derived from the
 * entries of the family recentId and never part of the state itself. Ids lie in buckets of one second.
 */
export class RecentIdIndex {
  /** Second → id as text → validUntilMs. */
  readonly #buckets = new Map<number, Map<string, number>>();
  readonly #validUntilMs = new Map<string, number>();

  /** Follows a committed change of the state; changes of other families are ignored. */
  apply({ key, value }: StateChange): void {
    if (key[0] !== FAMILIES.recentId.code) return;
    const id = toBinaryString(key.subarray(1));
    this.#remove(id);
    if (value === undefined) return;
    const validUntilMs = decode(FAMILIES.recentId.schema, value, FAMILIES.recentId.bytesMax);
    const second = Math.floor(validUntilMs / BUCKET_MS);
    const bucket = this.#buckets.get(second) ?? new Map<string, number>();
    this.#buckets.set(second, bucket.set(id, validUntilMs));
    this.#validUntilMs.set(id, validUntilMs);
  }

  /** Ids whose validUntilMs < `timestampMs`, in ascending order of (validUntilMs, id bytes). */
  expiredBefore(timestampMs: number): readonly Uint8Array[] {
    const expired: { readonly id: Uint8Array; readonly validUntilMs: number }[] = [];
    for (const [second, bucket] of this.#buckets) {
      if (second * BUCKET_MS >= timestampMs) continue;
      for (const [id, validUntilMs] of bucket)
        if (validUntilMs < timestampMs) expired.push({ id: fromBinaryString(id), validUntilMs });
    }
    expired.sort((a, b) => a.validUntilMs - b.validUntilMs || compareBytes(a.id, b.id));
    return expired.map(({ id }) => id);
  }

  #remove(id: string): void {
    const validUntilMs = this.#validUntilMs.get(id);
    if (validUntilMs === undefined) return;
    const second = Math.floor(validUntilMs / BUCKET_MS);
    const bucket = this.#buckets.get(second);
    bucket?.delete(id);
    if (bucket?.size === 0) this.#buckets.delete(second);
    this.#validUntilMs.delete(id);
  }
}
