import { concatBytes, equalBytes, utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { makeValidatorSet, type ValidatorSet } from '../../src/ledger/validator-set.ts';

/** The genesis hash of every simulated ledger. */
export const GENESIS_HASH = sha256(utf8('simulated genesis'));

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

/** A set of `n` validators with made-up keys, in order. */
export function fakeValidators(n: number): ValidatorSet {
  return makeValidatorSet(
    Array.from({ length: n }, (_, index) => ({
      publicKey: sha256(utf8(`validator ${index}`)),
      organisation: sha256(utf8(`organisation ${index}`)),
    })),
  );
}
