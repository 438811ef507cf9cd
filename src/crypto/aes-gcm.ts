/** Length of the authentication tag that ends every ciphertext. */
export const TAG_BYTES = 16;

/** An AES-256 key as WebCrypto holds it. */
export type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The AES key of 32 bytes. Throws a RangeError on another length. */
export async function importAesKey(key: Uint8Array): Promise<AesKey> {
  if (key.length !== 32) throw new RangeError(`an AES-256 key has 32 bytes, not ${key.length}`);
  return crypto.subtle.importKey('raw', new Uint8Array(key), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** AES-256-GCM (NIST SP 800-38D); the nonce is `counter` in 12 bytes, big endian. Ciphertext ‖ tag. */
export async function gcmSeal(
  key: AesKey,
  counter: number,
  aad: Uint8Array,
  plaintext: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.encrypt(parameters(counter, aad), key, plaintext));
}

/** The plaintext, or undefined when the ciphertext was not made with this key, counter and AAD. */
export async function gcmOpen(
  key: AesKey,
  counter: number,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (ciphertext.length < TAG_BYTES) return undefined;
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters(counter, aad), key, new Uint8Array(ciphertext)));
  } catch {
    return undefined;
  }
}

interface GcmParameters {
  readonly name: 'AES-GCM';
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly additionalData: Uint8Array<ArrayBuffer>;
}

function parameters(counter: number, aad: Uint8Array): GcmParameters {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(4, BigInt(counter));
  return { name: 'AES-GCM', iv, additionalData: new Uint8Array(aad) };
}
