import { sha256 } from '../crypto/hash.ts';

/**
 * Signatures found valid, by SHA-256(preimage), public key and signature: a hit stands for these exact three and never
 * for a transaction id alone (ledger.md §3). Two generations of `capacity` each bound the memory.
 */
export class SignatureCache {
  readonly #capacity: number;
  #young = new Set<string>();
  #old = new Set<string>();
  /** One preimage is looked up for each of its signatures, and again at each execution: it is hashed once. */
  readonly #digests = new WeakMap<Uint8Array, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Remembers that `signature` over `preimage` by `publicKey` verified. */
  add(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): void {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(this.#key(preimage, publicKey, signature));
  }

  /** True when exactly this signature was found valid before; false says nothing. `preimage` is never changed. */
  has(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
    const key = this.#key(preimage, publicKey, signature);
    return this.#young.has(key) || this.#old.has(key);
  }

  /** The three have fixed lengths, so that no two triples share a key: digest[32] ‖ public key[32] ‖ signature. */
  #key(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): string {
    let digest = this.#digests.get(preimage);
    if (digest === undefined) {
      digest = latin1(sha256(preimage));
      this.#digests.set(preimage, digest);
    }
    return digest + latin1(publicKey) + latin1(signature);
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
