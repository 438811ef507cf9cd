import { compareBytes } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import { sha256 } from '../crypto/hash.ts';
import { fromBinaryString, toBinaryString } from './binary-string.ts';
import { type Family, type StateChange, type StateReader, stateName } from './state.ts';
import { type MapChange, mapPath } from './state-map.ts';

/** Typed reading of the state. Values are shared: nobody alters what is read. */
export interface StateView {
  read<T>(family: Family<T>, key: Uint8Array): T | undefined;
}

/** A change with its name and its value as they are in memory: what a cache of decoded values takes over. */
export interface DecodedChange extends StateChange {
  readonly name: string;
  /** Undefined where the entry is removed. */
  readonly decoded: unknown;
}

interface Entry {
  readonly family: Family<unknown>;
  readonly value: unknown;
  readonly isChanged: boolean;
}

/**
 * What a block being executed reads and writes: the changes so far over a committed state, which stays as it is.
 * Values are encoded once, however often a block touches them.
 */
export class StateOverlay implements StateView {
  readonly #base: StateReader;
  /** By `stateName`. */
  readonly #entries = new Map<string, Entry>();
  /** Ids of the transactions applied so far, whose page is written when the block ends. */
  readonly #applied = new Set<string>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  /** Throws a DecodeError when the committed value is damaged: a fault of this node alone. */
  read<T>(family: Family<T>, key: Uint8Array): T | undefined {
    const name = stateName(family, key);
    const known = this.#entries.get(name);
    // The family's code is part of the name, so an entry has the type of its family.
    if (known !== undefined) return known.value as T | undefined;
    const value = this.#base.read(family, name);
    this.#entries.set(name, { family: family as Family<unknown>, value, isChanged: false });
    return value;
  }

  write<T>(family: Family<T>, key: Uint8Array, value: T): void {
    this.#put(family, key, value);
  }

  remove<T>(family: Family<T>, key: Uint8Array): void {
    this.#put(family, key, undefined);
  }

  /** Whether a transaction that has not expired was applied already, here or before. */
  isRecent(txId: Uint8Array): boolean {
    return this.#applied.has(toBinaryString(txId)) || this.#base.isRecent(txId);
  }

  /** From now on the transaction is recent. */
  noteApplied(txId: Uint8Array): void {
    this.#applied.add(toBinaryString(txId));
  }

  /** As the committed state answers; pages written here since are not among them. */
  recentPagesExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    return this.#base.recentPagesExpiredBefore(timestampMs);
  }

  /** All changes, in ascending order of key. */
  changes(): readonly DecodedChange[] {
    const changes: DecodedChange[] = [];
    for (const [name, { family, value, isChanged }] of this.#entries) {
      if (!isChanged) continue;
      const encoded = value === undefined ? undefined : encode(family.schema, value);
      changes.push({ name, key: fromBinaryString(name), value: encoded, decoded: value });
    }
    // One character a byte: the order of the texts is the order of the keys.
    return changes.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #put<T>(family: Family<T>, key: Uint8Array, value: T | undefined): void {
    this.#entries.set(stateName(family, key), { family: family as Family<unknown>, value, isChanged: true });
  }
}

/** The same changes as the authenticated map takes them: hashed, in order of path. Keys are distinct. */
export function mapChanges(changes: readonly StateChange[]): readonly MapChange[] {
  return changes
    .map(({ key, value }) => ({ path: mapPath(key), valueHash: value === undefined ? undefined : sha256(value) }))
    .sort((a, b) => compareBytes(a.path, b.path));
}
