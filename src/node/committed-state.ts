import { fromBinaryString } from '../ledger/binary-string.ts';
import type { RecentIdPage, RecentIds } from '../ledger/recent-ids.ts';
import { decodeStateValue, FAMILIES, type Family, type StateReader } from '../ledger/state.ts';
import { mapHas, mapPath, type StateMap } from '../ledger/state-map.ts';
import type { DecodedChange } from '../ledger/state-overlay.ts';
import type { DerivedState } from './derived-state.ts';

/** The store as the committed state reads it: values as they stand at the tip. */
export interface StoredState {
  stateValue(stateKey: Uint8Array): Uint8Array | undefined;
}

/**
 * The committed state of a node: the map that authenticates it, and its values, which are decoded once and kept while
 * they are in use, two generations of at most `entriesMax` each. What the map does not hold is not looked for on disk.
 * A value that was written is kept where the one before it was: most of what a block makes nobody reads soon.
 */
export class CommittedState implements StateReader {
  readonly #stored: StoredState;
  readonly #entriesMax: number;
  readonly #recentIds: RecentIds;
  #map: StateMap;
  /** Values in use since the last change of generation, by name; undefined is never among them. */
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();

  constructor(stored: StoredState, { map, recentIds }: DerivedState, entriesMax: number) {
    this.#stored = stored;
    this.#map = map;
    this.#recentIds = recentIds;
    this.#entriesMax = entriesMax;
  }

  get map(): StateMap {
    return this.#map;
  }

  read<T>(family: Family<T>, name: string): T | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young as T;
    const old = this.#old.get(name);
    if (old !== undefined) {
      this.#keep(name, old);
      return old as T;
    }
    const key = fromBinaryString(name);
    if (!mapHas(this.#map, mapPath(key))) return undefined;
    const encoded = this.#stored.stateValue(key);
    if (encoded === undefined) throw new Error('a state value is missing that the state map has: the disk lost data');
    const value = decodeStateValue(family, encoded);
    this.#keep(name, value);
    return value;
  }

  isRecent(txId: Uint8Array): boolean {
    return this.#recentIds.has(txId);
  }

  recentPagesExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    return this.#recentIds.pagesExpiredBefore(timestampMs);
  }

  /** Moves to the state after a block that the store holds from now on. */
  advance(map: StateMap, changes: readonly DecodedChange[]): void {
    this.#map = map;
    for (const { name, key, decoded } of changes) {
      if (key[0] === FAMILIES.recentIds.code) this.#recentIds.set(name, decoded as RecentIdPage | undefined);
      const isInUse = this.#old.delete(name) || this.#young.has(name);
      if (decoded === undefined) this.#young.delete(name);
      else if (isInUse) this.#keep(name, decoded);
    }
  }

  #keep(name: string, value: unknown): void {
    if (this.#young.size >= this.#entriesMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, value);
  }
}
