import { fromBinaryString } from './binary-string.ts';
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
  /** validUntilMs of the transaction ids that the blocks added and not removed again, by name. */
  readonly #recentIds = new Map<string, number>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  read<T>(family: Family<T>, name: string): T | undefined {
    return this.#values.has(name) ? (this.#values.get(name) as T | undefined) : this.#base.read(family, name);
  }

  recentIdsExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    const below = this.#base.recentIdsExpiredBefore(timestampMs);
    const expired = below.filter((id) => !this.#values.has(stateName(FAMILIES.recentId, id)));
    for (const [name, validUntilMs] of this.#recentIds)
      if (validUntilMs < timestampMs) expired.push(fromBinaryString(name).subarray(1));
    return expired;
  }

  /** Moves to the state after the next block. */
  advance(changes: readonly DecodedChange[]): void {
    for (const { name, key, decoded } of changes) {
      this.#values.set(name, decoded);
      if (key[0] !== FAMILIES.recentId.code) continue;
      if (decoded === undefined) this.#recentIds.delete(name);
      else this.#recentIds.set(name, decoded as number);
    }
  }
}
