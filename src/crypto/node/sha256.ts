import { hash } from 'node:crypto';

const DIGEST_BYTES = 32;

/**
 * SHA-256 (FIPS 180-4) of `bytes`, 32 bytes. By way of a string with a character a byte: making a buffer in native code
 * costs more than hashing a small input.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  const text = sha256Text(bytes);
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let place = 0; place < DIGEST_BYTES; place += 1) digest[place] = text.charCodeAt(place);
  return digest;
}

/** The same as a text of 32 characters, one a byte: what the inner nodes of a tree are kept as. */
export function sha256Text(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'binary');
}
