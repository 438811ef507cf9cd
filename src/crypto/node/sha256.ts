import sodium from 'sodium-native';

/** SHA-256 (FIPS 180-4) of `bytes`, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32);
  sodium.crypto_hash_sha256(digest, bytes);
  return digest;
}
