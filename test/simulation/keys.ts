import { concatBytes, equalBytes, utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { VerifySignature } from '../../src/ledger/certificate.ts';
import { makeValidatorSet, type ValidatorSet } from '../../src/ledger/validator-set.ts';

/** The genesis hash of every simulated ledger, and the one under which it goes on when it is restarted. */
export const GENESIS_HASH = sha256(utf8('simulated genesis'));
export const RESTARTED_HASH = sha256(utf8('simulated restart'));

/**
 * A stand-in for Ed25519, cheap and deterministic: the signature is a hash over key and message. Nobody in a
 * simulation signs with a key that is not its own, so it need not resist anyone.
 */
export function fakeSign(publicKey: Uint8Array, preimage: Uint8Array): Uint8Array {
  const digest = sha256(concatBytes(publicKey, preimage));
  return concatBytes(digest, publicKey);
}

export function fakeVerify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  return equalBytes(signature, fakeSign(publicKey, message));
}

/** How the nodes of a run sign and verify. */
export interface SignatureScheme {
  readonly sign: (publicKey: Uint8Array, preimage: Uint8Array) => Uint8Array;
  readonly verify: VerifySignature;
}

const DIGEST_BYTES = 16;

/** The same at a tenth of the price: two 64-bit lanes over key and preimage, then the key. */
export const CHEAP_SIGNATURES: SignatureScheme = {
  sign: (publicKey, preimage) => cheapSignature(publicKey, preimage, 0),
  verify: (signature, preimage, publicKey) => isCheapSignature(signature, preimage, publicKey, 0),
};

/** A planted bug: what kind of statement it is (the bytes before the first zero) is not signed. */
export const UNDOMAINED_SIGNATURES: SignatureScheme = {
  sign: (publicKey, preimage) => cheapSignature(publicKey, preimage, preimage.indexOf(0) + 1),
  verify: (signature, preimage, publicKey) => isCheapSignature(signature, preimage, publicKey, preimage.indexOf(0) + 1),
};

const lanes = new Uint32Array(4);
const digest = new Uint8Array(lanes.buffer);

function cheapSignature(publicKey: Uint8Array, preimage: Uint8Array, from: number): Uint8Array {
  const signature = new Uint8Array(64);
  mix(publicKey, preimage, from);
  signature.set(digest);
  signature.set(publicKey, DIGEST_BYTES);
  return signature;
}

function isCheapSignature(signature: Uint8Array, preimage: Uint8Array, publicKey: Uint8Array, from: number): boolean {
  mix(publicKey, preimage, from);
  for (let i = 0; i < DIGEST_BYTES; i += 1) if (signature[i] !== digest[i]) return false;
  for (let i = 0; i < publicKey.length; i += 1) if (signature[DIGEST_BYTES + i] !== publicKey[i]) return false;
  return signature.length === 64;
}

function mix(publicKey: Uint8Array, preimage: Uint8Array, from: number): void {
  let [a, b, c, d] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35];
  for (const part of [publicKey, preimage])
    for (let i = part === preimage ? from : 0; i < part.length; i += 1) {
      const byte = part[i]!;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte ^ (a >>> 15), 0x85ebca6b);
      c = Math.imul(c ^ byte ^ (b >>> 13), 0xc2b2ae35);
      d = Math.imul(d ^ byte ^ (c >>> 16), 0x27d4eb2f);
    }
  lanes[0] = a;
  lanes[1] = b;
  lanes[2] = c;
  lanes[3] = d;
}

const keys: Uint8Array[] = [];

/** Made-up public key number `index`; the same array each time, so that it can be known by identity. */
export function fakeKey(index: number): Uint8Array {
  for (let made = keys.length; made <= index; made += 1) keys.push(sha256(utf8(`validator ${made}`)));
  return keys[index]!;
}

/** A set of `n` validators with made-up keys, in order. */
export function fakeValidators(n: number): ValidatorSet {
  return validatorSetOf(Array.from({ length: n }, (_, index) => index));
}

/** The set of the validators with these numbers. */
export function validatorSetOf(numbers: readonly number[]): ValidatorSet {
  return makeValidatorSet(
    numbers.map((number) => ({ publicKey: fakeKey(number), organisation: sha256(utf8(`organisation ${number}`)) })),
  );
}
