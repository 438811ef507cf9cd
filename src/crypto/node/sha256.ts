import { hash } from 'node:crypto';

const DIGEST_BYTES = 32;

/**
 * SHA-256 (FIPS 180-4) of `bytes`, 32 bytes. By way of a string with a character a byte: making a buffer in native code
 * costs more than hashing a small input.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  const text = hash('sha256', bytes, 'binary');
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let place = 0; place < DIGEST_BYTES; place += 1) digest[place] = text.charCodeAt(place);
  return digest;
}
