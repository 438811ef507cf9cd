import { type RecentIdPage, RecentIds } from './recent-ids.ts';
import { FAMILIES, type Family, type StateReader, stateName } from './state.ts';
import type { DecodedChange } from './state-overlay.ts';

/**
 * A committed state with the changes of executed blocks over it that are not committed yet: what the block after them
 * is executed on. It stays the same when those below it take over some of these blocks meanwhile.
 */
export class StateAhead implements StateReader {
  readonly #base: StateReader;
  /** By name what the blocks changed; undefined where the entry is removed. */
  readonly #values = new Map<string, unknown>();
  /** In the pages that the blocks added and not removed again. */
  readonly #recentIds = new RecentIds();

  constructor(base: StateReader) {
    this.#base = base;
  }

  read<T>(family: Family<T>, name: string): T | undefined {
    return this.#values.has(name) ? (this.#values.get(name) as T | undefined) : this.#base.read(family, name);
  }

  isRecent(txId: Uint8Array): boolean {
    return this.#recentIds.has(txId) || this.#base.isRecent(txId);
  }

  recentPagesExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    const below = this.#base.recentPagesExpiredBefore(timestampMs);
    return [
      ...below.filter((key) => !this.#values.has(stateName(FAMILIES.recentIds, key))),
      ...this.#recentIds.pagesExpiredBefore(timestampMs),
    ];
  }

  /** Moves to the state after the next block. */
  advance(changes: readonly DecodedChange[]): void {
    for (const { name, key, decoded } of changes) {
      this.#values.set(name, decoded);
      if (key[0] === FAMILIES.recentIds.code) this.#recentIds.set(name, decoded as RecentIdPage | undefined);
    }
  }
}
