import sodium from 'sodium-native';

/** Inputs up to this length are copied: handing a small fresh array to native code costs more than copying it. */
const COPIED_BYTES_MAX = 128;

// Off-heap from the start and used by one thread: each worker thread has its own module instance.
const digest = new Uint8Array(new ArrayBuffer(32));
const copy = new Uint8Array(new ArrayBuffer(COPIED_BYTES_MAX));
const copies = Array.from({ length: COPIED_BYTES_MAX + 1 }, (_, length) => copy.subarray(0, length));

/** SHA-256 (FIPS 180-4) of `bytes`, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const view = copies[bytes.length];
  view?.set(bytes);
  sodium.crypto_hash_sha256(digest, view ?? bytes);
  return digest.slice();
}
