import { utf8 } from '../codec/bytes.ts';
import type { CheckedLevel } from './checked-level.ts';
import { NONCE_BYTES_MAX, NONCES_MAX, NonceTable } from './nonce-table.ts';
import { decodeU64, encodeU64, PREFIX, prefixed } from './schema.ts';
import { StorageError } from './storage-error.ts';

/** The nonces of signed HTTP requests, in memory and on disk. */
export class RequestNonces {
  readonly #level: CheckedLevel;
  readonly #table = new NonceTable(NONCES_MAX);

  constructor(level: CheckedLevel) {
    this.#level = level;
  }

  /** Reads those on disk. */
  async load(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const { key, value } of this.#level.items(PREFIX.nonce, () => 'request nonces')) {
      const expiresMs = decodeU64(value);
      if (expiresMs === undefined) throw this.#level.damaged('request nonces');
      this.#table.load(decoder.decode(key), expiresMs);
    }
  }

  /** See `Store.useNonce`. */
  async use(nonce: string, expiresMs: number, nowMs: number): Promise<boolean> {
    const key = nonceKey(nonce);
    if (key.length > 1 + NONCE_BYTES_MAX) throw new RangeError(`a nonce has at most ${NONCE_BYTES_MAX} bytes`);
    const verdict = this.#table.use(nonce, expiresMs, nowMs);
    if (verdict.kind === 'refused') {
      if (verdict.reason !== 'full') return false;
      const fault = `${NONCES_MAX} request nonces are in use.`;
      throw new StorageError('NonceTableFull', 'request nonces', fault, 'Try again when some have expired.');
    }
    await this.#level.write(false, (batch) => {
      for (const forgotten of verdict.forgotten) batch.del(nonceKey(forgotten));
      batch.put(key, encodeU64(expiresMs));
    });
    return true;
  }
}

function nonceKey(nonce: string): Uint8Array {
  return prefixed(PREFIX.nonce, utf8(nonce));
}
