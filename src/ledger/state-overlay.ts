import { compareBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { sha256 } from '../crypto/hash.ts';
import { toBinaryString } from './binary-string.ts';
import { type Family, type StateChange, type StateReader, stateKey } from './state.ts';
import { type MapChange, mapPath } from './state-map.ts';

/** Typed reading of the state. Values are shared: nobody alters what is read. */
export interface StateView {
  read<T>(family: Family<T>, key: Uint8Array): T | undefined;
}

interface Entry {
  readonly key: Uint8Array;
  readonly family: Family<unknown>;
  readonly value: unknown;
  readonly isChanged: boolean;
}

/**
 * What a block being executed reads and writes: the changes so far over a committed state, which stays as it is.
 * Values are decoded once and encoded once, however often a block touches them.
 */
export class StateOverlay implements StateView {
  readonly #base: StateReader;
  readonly #entries = new Map<string, Entry>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  /** Throws a DecodeError when the committed value is damaged: a fault of this node alone. */
  read<T>(family: Family<T>, key: Uint8Array): T | undefined {
    const fullKey = stateKey(family, key);
    const name = toBinaryString(fullKey);
    const known = this.#entries.get(name);
    // The family's code is part of the name, so an entry has the type of its family.
    if (known !== undefined) return known.value as T | undefined;
    const encoded = this.#base.get(fullKey);
    const value = encoded === undefined ? undefined : decode(family.schema, encoded, family.bytesMax);
    this.#entries.set(name, { key: fullKey, family: family as Family<unknown>, value, isChanged: false });
    return value;
  }

  write<T>(family: Family<T>, key: Uint8Array, value: T): void {
    this.#put(family, key, value);
  }

  remove<T>(family: Family<T>, key: Uint8Array): void {
    this.#put(family, key, undefined);
  }

  /** As the committed state answers; ids written here since are not among them. */
  recentIdsExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    return this.#base.recentIdsExpiredBefore(timestampMs);
  }

  /** All changes, in ascending order of key. */
  changes(): readonly StateChange[] {
    const changes: StateChange[] = [];
    for (const { key, family, value, isChanged } of this.#entries.values())
      if (isChanged) changes.push({ key, value: value === undefined ? undefined : encode(family.schema, value) });
    return changes.sort((a, b) => compareBytes(a.key, b.key));
  }

  #put<T>(family: Family<T>, key: Uint8Array, value: T | undefined): void {
    const fullKey = stateKey(family, key);
    this.#entries.set(toBinaryString(fullKey), {
      key: fullKey,
      family: family as Family<unknown>,
      value,
      isChanged: true,
    });
  }
}

/** The same changes as the authenticated map takes them: hashed, in order of path. Keys are distinct. */
export function mapChanges(changes: readonly StateChange[]): readonly MapChange[] {
  return changes
    .map(({ key, value }) => ({ path: mapPath(key), valueHash: value === undefined ? undefined : sha256(value) }))
    .sort((a, b) => compareBytes(a.path, b.path));
}
