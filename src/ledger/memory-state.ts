import { fromBinaryString, toBinaryString } from './binary-string.ts';
import { RecentIdIndex } from './recent-id-index.ts';
import { decodeStateValue, type Family, type StateChange, type StateReader } from './state.ts';

/** A committed state held in memory: for tests, simulation and verifying a chain without a store. */
export class MemoryState implements StateReader {
  readonly #values = new Map<string, Uint8Array>();
  readonly #recentIds = new RecentIdIndex();

  /** The encoded value under a state key. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toBinaryString(key));
  }

  read<T>(family: Family<T>, name: string): T | undefined {
    const encoded = this.#values.get(name);
    return encoded === undefined ? undefined : decodeStateValue(family, encoded);
  }

  recentIdsExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    return this.#recentIds.expiredBefore(timestampMs);
  }

  /** Takes over the changes of a decided block, or the entries of a genesis. */
  apply(changes: readonly StateChange[]): void {
    for (const change of changes) {
      const name = toBinaryString(change.key);
      if (change.value === undefined) this.#values.delete(name);
      else this.#values.set(name, change.value);
      this.#recentIds.apply(change);
    }
  }

  /** Every entry, in no particular order; what a bulk build of the map takes. */
  entries(): readonly StateChange[] {
    return Array.from(this.#values, ([name, value]) => ({ key: fromBinaryString(name), value }));
  }
}
