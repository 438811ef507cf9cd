/**
 * The least recently used values of byte-string keys, bounded by the bytes they take. Values are shared with the
 * caller, who must not change them.
 */
export class ValueCache {
  readonly #bytesMax: number;
  /** In order of use, oldest first. */
  readonly #values = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const text = keyText(key);
    const value = this.#values.get(text);
    if (value === undefined) return undefined;
    this.#values.delete(text);
    this.#values.set(text, value);
    return value;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const text = keyText(key);
    this.#remove(text);
    this.#values.set(text, value);
    this.#bytes += entryBytes(text, value);
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  delete(key: Uint8Array): void {
    this.#remove(keyText(key));
  }

  #remove(text: string): void {
    const value = this.#values.get(text);
    if (value === undefined) return;
    this.#values.delete(text);
    this.#bytes -= entryBytes(text, value);
  }
}

/** What the objects around a small value cost, roughly; without it a cache of tiny values would be far over. */
const ENTRY_OVERHEAD_BYTES = 200;

function entryBytes(text: string, value: Uint8Array): number {
  return text.length + value.length + ENTRY_OVERHEAD_BYTES;
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
