import { concatBytes, toHex } from '../codec/bytes.ts';
import { sha256 } from '../crypto/hash.ts';

/**
 * Signatures found valid, by SHA-256(preimage ‖ public key ‖ signature): a hit stands for these exact three and never
 * for a transaction id (ledger.md §3). Two generations of `capacity` each bound the memory.
 */
export class SignatureCache {
  readonly #capacity: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Remembers that `signature` over `preimage` by `publicKey` verified. */
  add(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): void {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(cacheKey(preimage, publicKey, signature));
  }

  /** True when exactly this signature was found valid before; false says nothing. */
  has(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
    const key = cacheKey(preimage, publicKey, signature);
    return this.#young.has(key) || this.#old.has(key);
  }
}

function cacheKey(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): string {
  return toHex(sha256(concatBytes(preimage, publicKey, signature)));
}
