import { ed25519 } from '@noble/curves/ed25519.js';

/** Holds one Ed25519 key and signs with it (RFC 8032). */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The 64-byte signature over exactly these bytes: pass a preimage of `signedPreimage`, never a bare message. */
  sign(message: Uint8Array): Uint8Array;
}

/** A signer in plain JavaScript, for browsers. Throws an Error unless the seed has 32 bytes. */
export function nobleSigner(seed: Uint8Array): Signer {
  const secret = seed.slice();
  return {
    publicKey: ed25519.getPublicKey(secret),
    sign: (message) => ed25519.sign(message, secret),
  };
}
