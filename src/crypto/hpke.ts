import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { x25519 } from '@noble/curves/ed25519.js';
import { concatBytes } from '../codec/bytes.ts';

/** Length of a wrapped 32-byte secret: encapsulated key 32 ‖ ciphertext 32 ‖ tag 16. */
export const WRAP_BYTES = 80;

const SECRET_BYTES = 32;
const ENCAPSULATED_BYTES = 32;

/** An X25519 key pair for sealing, 32 bytes each. */
export interface SealingKeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** A wrap that does not open, or a sealing key that can not be sealed to. Says nothing about why a wrap is bad. */
export class SealingError extends Error {
  override readonly name = 'SealingError';
}

// Made at first use: module loading stays free of effects in browsers without WebCrypto (insecure origins).
let suite: CipherSuite | undefined;

function hpke(): CipherSuite {
  suite ??= new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
  return suite;
}

/** A fresh X25519 key pair from the platform's random generator. */
export function generateSealingKeyPair(): SealingKeyPair {
  const { publicKey, secretKey } = x25519.keygen();
  return { publicKey, secretKey };
}

/** The public key of an X25519 secret (RFC 7748), 32 bytes. */
export function sealingPublicKey(secretKey: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secretKey);
}

/**
 * Seals a 32-byte secret to the holder of `recipientPublicKey`, bound to `info` (see `wrapInfo`): HPKE in base mode,
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, empty AAD (RFC 9180). Returns 80 bytes. Throws a SealingError
 * when the key is none that can be sealed to, such as one of small order.
 */
export async function wrapSecret(
  secret: Uint8Array,
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
): Promise<Uint8Array> {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`a secret has ${SECRET_BYTES} bytes, not ${secret.length}`);
  try {
    const key = await hpke().kem.deserializePublicKey(buffer(recipientPublicKey));
    const { enc, ct } = await hpke().seal({ recipientPublicKey: key, info: buffer(info) }, buffer(secret));
    return concatBytes(new Uint8Array(enc), new Uint8Array(ct));
  } catch (cause) {
    throw new SealingError('the recipient’s sealing key can not be sealed to: it must register another', { cause });
  }
}

/**
 * The secret inside a wrap. Throws a SealingError unless the wrap has 80 bytes and was made for this key and exactly
 * this `info`.
 */
export async function unwrapSecret(wrapped: Uint8Array, secretKey: Uint8Array, info: Uint8Array): Promise<Uint8Array> {
  if (wrapped.length !== WRAP_BYTES)
    throw new SealingError(`a wrapped secret has ${WRAP_BYTES} bytes, not ${wrapped.length}`);
  try {
    const recipientKey = await hpke().kem.importKey('raw', buffer(secretKey), false);
    const enc = buffer(wrapped.subarray(0, ENCAPSULATED_BYTES));
    const ciphertext = buffer(wrapped.subarray(ENCAPSULATED_BYTES));
    return new Uint8Array(await hpke().open({ recipientKey, enc, info: buffer(info) }, ciphertext));
  } catch (cause) {
    throw new SealingError('the wrap does not open with this sealing key for this record version', { cause });
  }
}

/** A buffer of its own: views may look into a larger one, which the library would take whole. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
