import { toHex } from '../codec/bytes.ts';
import { type LedgerLevel, openLedgerLevel, rebuildRemedy } from './ledger-level.ts';
import { decodeU64, openValue, plainBytes, prefixRange, sealValue } from './schema.ts';
import { causeText, StorageError } from './storage-error.ts';
import type { WriteBatch } from './write-batch.ts';

/** A view of the store as it was at one moment; must be closed. */
export type LevelSnapshot = ReturnType<LedgerLevel['snapshot']>;

/** Level reads and writes with checksums, and with errors that name the item in the words of the ledger. */
export class CheckedLevel {
  readonly #level: LedgerLevel;
  readonly #folder: string;
  /** The first failed write; what the disk holds since then is unknown, so nothing more is written. */
  #failure: StorageError | undefined;

  constructor(level: LedgerLevel, folder: string) {
    this.#level = level;
    this.#folder = folder;
  }

  /** Opens `folder`; errors as of `openLedgerLevel`. */
  static async open(folder: string, genesisHash: Uint8Array): Promise<CheckedLevel> {
    return new CheckedLevel(await openLedgerLevel(folder, genesisHash), folder);
  }

  /** The bytes as stored, checksum and all, or undefined. */
  async stored(key: Uint8Array, item: string): Promise<Uint8Array | undefined> {
    try {
      const value = await this.#level.get(key);
      return value === undefined ? undefined : plainBytes(value);
    } catch (error) {
      throw this.damaged(item, error);
    }
  }

  /** The checked payload read by `read` (undefined: malformed), or undefined when there is none. */
  async value<T>(key: Uint8Array, item: string, read: (payload: Uint8Array) => T | undefined): Promise<T | undefined> {
    const stored = await this.stored(key, item);
    return stored === undefined ? undefined : this.#opened(key, stored, item, read);
  }

  /** The checked payload at once, from `snapshot` where given. */
  valueSync(key: Uint8Array, item: () => string, snapshot: LevelSnapshot | undefined): Uint8Array | undefined {
    let stored: Uint8Array | undefined;
    try {
      stored = snapshot === undefined ? this.#level.getSync(key) : this.#level.getSync(key, { snapshot });
    } catch (error) {
      throw this.damaged(item(), error);
    }
    if (stored === undefined) return undefined;
    const payload = openValue(key, stored);
    if (payload === undefined) throw this.damaged(item());
    return payload;
  }

  /**
   * Every item under a prefix by key, as of now, from the key `from` on where given: the key without its prefix, and
   * the checked payload. `name` names an item by that key. With `snapshot`, as of that moment.
   */
  async *items(
    prefix: number,
    name: (key: Uint8Array) => string,
    from?: Uint8Array,
    snapshot?: LevelSnapshot,
  ): AsyncGenerator<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
    const { gte, lt } = prefixRange(prefix);
    const range = { gte: from ?? gte, lt };
    const iterator = this.#level.iterator(snapshot === undefined ? range : { ...range, snapshot });
    try {
      for (;;) {
        const entries = await iterator.nextv(1000).catch((error: unknown) => {
          throw this.damaged(`range of items from ${toHex(gte)}`, error);
        });
        if (entries.length === 0) return;
        for (const [key, stored] of entries) {
          const value = openValue(key, stored);
          const rest = plainBytes(key, 1);
          if (value === undefined) throw this.damaged(name(rest));
          yield { key: rest, value };
        }
      }
    } finally {
      await iterator.close();
    }
  }

  /** Writes what `fill` puts in as one batch; with `sync`, resolves once it is on disk. Error: WriteFailed. */
  async write(sync: boolean, fill: (batch: WriteBatch) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    // Chained: half the main-thread time of an array of operations.
    const batch = this.#level.batch();
    try {
      fill({
        put: (key, payload) => batch.put(key, sealValue(key, payload)),
        putPlain: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
      });
    } catch (error) {
      await batch.close();
      throw error;
    }
    try {
      await batch.write({ sync });
    } catch (error) {
      const fault = `Writing to the ledger store ${this.#folder} failed: ${causeText(error)}.`;
      const remedy =
        'Free space or replace the disk, then start the node again; it goes on after the last whole block.';
      this.#failure ??= new StorageError('WriteFailed', this.#folder, fault, remedy, error);
      throw this.#failure;
    }
  }

  /** Removes every item under a prefix, in no one batch: only what may be removed again after a crash. */
  async clear(prefix: number): Promise<void> {
    const { gte, lt } = prefixRange(prefix);
    await this.#level.clear({ gte, lt });
  }

  /** What the store holds now, whatever is written afterwards. */
  snapshot(): LevelSnapshot {
    return this.#level.snapshot();
  }

  close(): Promise<void> {
    return this.#level.close();
  }

  /** The error for an item that fails its checksum, cannot be read, or is gone. */
  damaged(item: string, cause?: unknown): StorageError {
    const why = cause === undefined ? 'is damaged or gone' : `cannot be read: ${causeText(cause)}`;
    const fault = `In the ledger store ${this.#folder} the ${item} ${why}.`;
    return new StorageError('ItemDamaged', item, fault, rebuildRemedy(this.#folder), cause);
  }

  #opened<T>(key: Uint8Array, stored: Uint8Array, item: string, read: (payload: Uint8Array) => T | undefined): T {
    const payload = openValue(key, stored);
    const value = payload === undefined ? undefined : read(payload);
    if (value === undefined) throw this.damaged(item);
    return value;
  }
}

/** Names items whose keys are heights. */
export function nameByHeight(what: string): (key: Uint8Array) => string {
  return (key) => `${what} of block ${decodeU64(key) ?? toHex(key)}`;
}
