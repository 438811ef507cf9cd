import { equalBytes } from '../codec/bytes.ts';

/** One signature that was found valid over some preimage. */
interface ValidSignature {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Signatures found valid, kept with the decoded transaction that they are of: a hit stands for this very preimage (the
 * array itself, which nobody changes), key and signature, never for a transaction id alone (ledger.md §3). It lives as
 * long as the transaction does; one that is decoded anew is verified anew.
 */
export class SignatureCache {
  readonly #valid = new WeakMap<Uint8Array, ValidSignature[]>();

  /** Remembers that `signature` over `preimage` by `publicKey` verified. */
  add(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): void {
    const known = this.#valid.get(preimage);
    if (known === undefined) this.#valid.set(preimage, [{ publicKey, signature }]);
    else if (!this.has(preimage, publicKey, signature)) known.push({ publicKey, signature });
  }

  /** True when exactly this signature was found valid before; false says nothing. */
  has(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
    for (const valid of this.#valid.get(preimage) ?? [])
      if (equalBytes(valid.signature, signature) && equalBytes(valid.publicKey, publicKey)) return true;
    return false;
  }
}
