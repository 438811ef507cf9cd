import { concatBytes, uintBytes } from '../codec/bytes.ts';
import { gcmOpen, gcmSeal, importAesKey, TAG_BYTES } from './aes-gcm.ts';
import { domainPrefix } from './hash.ts';
import { paddedSize, paddedSlice, unpadded } from './padding.ts';
import type { RecordVersion } from './record-keys.ts';

/** Most plaintext bytes of the search fields of one record version; leaves room for wraps in a 16 KiB attachment. */
export const FIELDS_BYTES_MAX = 8 * 1024;
/** Most bytes of their ciphertext. */
export const SEALED_FIELDS_BYTES_MAX = paddedSize(FIELDS_BYTES_MAX) + TAG_BYTES;

/**
 * Encrypts the search fields of one record version: length prefix and Padmé padding, AES-256-GCM, AAD
 * `"medledger/v1/FIELDS" ‖ 0x00 ‖ recordId ‖ version u32be`.
 *
 * `key` (see `fieldKey`) must be fresh: the nonce is fixed at zero, so a second encryption with it breaks both.
 */
export async function sealFields(fields: Uint8Array, key: Uint8Array, of: RecordVersion): Promise<Uint8Array> {
  if (fields.length > FIELDS_BYTES_MAX)
    throw new RangeError(`search fields of ${fields.length} bytes: at most ${FIELDS_BYTES_MAX} are allowed`);
  const plaintext = paddedSlice(fields, 0, paddedSize(fields.length));
  return gcmSeal(await importAesKey(key), 0, fieldsAad(of), plaintext);
}

/** The search fields, or undefined when `sealed` was not made with this key for this record version. */
export async function openFields(
  sealed: Uint8Array,
  key: Uint8Array,
  of: RecordVersion,
): Promise<Uint8Array | undefined> {
  if (sealed.length > SEALED_FIELDS_BYTES_MAX) return undefined;
  const padded = await gcmOpen(await importAesKey(key), 0, fieldsAad(of), sealed);
  return padded === undefined ? undefined : unpadded(padded);
}

function fieldsAad(of: RecordVersion): Uint8Array {
  return concatBytes(domainPrefix('FIELDS'), of.recordId, uintBytes(of.version, 4));
}
