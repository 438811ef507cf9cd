import { fromBinaryString, toBinaryString } from './binary-string.ts';
import { RecentIds } from './recent-ids.ts';
import { decodeStateValue, FAMILIES, type Family, type StateChange, type StateReader } from './state.ts';

/** A committed state held in memory: for tests, simulation and verifying a chain without a store. */
export class MemoryState implements StateReader {
  readonly #values = new Map<string, Uint8Array>();
  readonly #recentIds = new RecentIds();

  /** The encoded value under a state key. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toBinaryString(key));
  }

  read<T>(family: Family<T>, name: string): T | undefined {
    const encoded = this.#values.get(name);
    return encoded === undefined ? undefined : decodeStateValue(family, encoded);
  }

  isRecent(txId: Uint8Array): boolean {
    return this.#recentIds.has(txId);
  }

  recentPagesExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    return this.#recentIds.pagesExpiredBefore(timestampMs);
  }

  /** Takes over the changes of a decided block, or the entries of a genesis. */
  apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) {
      const name = toBinaryString(key);
      if (value === undefined) this.#values.delete(name);
      else this.#values.set(name, value);
      if (key[0] === FAMILIES.recentIds.code)
        this.#recentIds.set(name, value === undefined ? undefined : decodeStateValue(FAMILIES.recentIds, value));
    }
  }

  /** Every entry, in no particular order; what a bulk build of the map takes. */
  entries(): readonly StateChange[] {
    return Array.from(this.#values, ([name, value]) => ({ key: fromBinaryString(name), value }));
  }
}
