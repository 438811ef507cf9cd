import sodium from 'sodium-native';
import type { Signer } from '../signer.ts';

/** A signer through libsodium. Throws a RangeError unless the seed has 32 bytes. */
export function sodiumSigner(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new RangeError(`a signing seed has 32 bytes, not ${seed.length}`);
  const publicKey = new Uint8Array(32);
  const secretKey = new Uint8Array(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  return {
    publicKey,
    sign(message) {
      const signature = new Uint8Array(64);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return signature;
    },
  };
}
