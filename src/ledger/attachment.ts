import { concatBytes, equalBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytes, bytesUpTo, enumeration, list, struct, text } from '../codec/schema.ts';
import { ATTACHMENT_BYTES_MAX, type AttachmentReference, attachmentHash } from './transaction.ts';

/** Length of the random blind before the content, in bytes: it makes the hash on chain say nothing. */
export const BLIND_BYTES = 32;
/** Length of one HPKE wrap of a 32-byte secret: X25519 encapsulated key (32), ciphertext (32), tag (16). */
export const WRAP_BYTES = 80;
/** Most bytes of encrypted search fields. */
export const FIELDS_CIPHERTEXT_BYTES_MAX = 8 * 1024;
/** Most key wraps in one attachment. */
export const WRAPS_MAX = 64;
/** Most bytes of encoded search fields before encryption; leaves room for nonce and tag. */
export const FIELDS_BYTES_MAX = FIELDS_CIPHERTEXT_BYTES_MAX - 64;
/** Most codes among the search fields of one record. */
export const CODES_MAX = 32;

/** A secret of a record version, sealed to one account (ledger.md §8). */
export interface KeyWrap {
  /** Address of the account that can open it. */
  readonly recipient: Uint8Array;
  /** `s` opens search fields; `s` and `kNode` together open the payload. */
  readonly secret: 's' | 'kNode';
  readonly wrap: Uint8Array;
}

/** What lies off chain beside a transaction and is deleted with the record: nothing of it readable without keys. */
export interface Attachment {
  readonly blind: Uint8Array;
  /** Encryption of the search fields under the field key; empty when the record has none. */
  readonly fields: Uint8Array;
  readonly wraps: readonly KeyWrap[];
}

/** Search fields of a record, as they stand encrypted in its attachment. */
export interface RecordFields {
  readonly kind: string;
  /** `system|code`, as in FHIR token search. */
  readonly codes: readonly string[];
  /** ISO 8601 date or date-time; empty when the source has none. */
  readonly date: string;
  readonly department: string;
  readonly region: string;
  readonly title: string;
}

const contentSchema = struct<Omit<Attachment, 'blind'>>({
  fields: bytesUpTo(FIELDS_CIPHERTEXT_BYTES_MAX),
  wraps: list(
    struct<KeyWrap>({
      recipient: bytes(32),
      secret: enumeration<KeyWrap['secret']>({ s: 0, kNode: 1 }),
      wrap: bytes(WRAP_BYTES),
    }),
    WRAPS_MAX,
  ),
});

const recordFieldsSchema = struct<RecordFields>({
  kind: text(64),
  codes: list(text(128), CODES_MAX),
  date: text(40),
  department: text(128),
  region: text(128),
  title: text(512),
});

/**
 * `blind[32] ‖ CBOR [fields, wraps]`: the form that is hashed, sent and stored. Throws a RangeError when a part or the
 * whole (ATTACHMENT_BYTES_MAX, blind included) is out of bounds.
 */
export function encodeAttachment(attachment: Attachment): Uint8Array {
  if (attachment.blind.length !== BLIND_BYTES) throw new RangeError(`the blind has ${BLIND_BYTES} bytes`);
  const encoded = concatBytes(attachment.blind, encode(contentSchema, attachment));
  if (encoded.length > ATTACHMENT_BYTES_MAX)
    throw new RangeError(`an attachment of ${encoded.length} bytes, at most ${ATTACHMENT_BYTES_MAX} allowed`);
  return encoded;
}

/** The attachment in its sent form. Throws a DecodeError on anything but the one encoding of an attachment. */
export function decodeAttachment(encoded: Uint8Array): Attachment {
  if (encoded.length < BLIND_BYTES) throw new DecodeError('an attachment begins with its blind');
  const content = decode(contentSchema, encoded.subarray(BLIND_BYTES), ATTACHMENT_BYTES_MAX - BLIND_BYTES);
  return { blind: encoded.slice(0, BLIND_BYTES), ...content };
}

/** What a transaction says of this attachment: its hash, and its length with the blind. */
export function attachmentReference(encoded: Uint8Array): AttachmentReference {
  return { hash: attachmentHash(encoded), bytes: encoded.length };
}

/** True when `encoded` is the attachment that the transaction names; the content is not looked at. */
export function isAttachmentOf(reference: AttachmentReference, encoded: Uint8Array): boolean {
  return encoded.length === reference.bytes && equalBytes(attachmentHash(encoded), reference.hash);
}

/** Plaintext of the search fields. Throws a RangeError when a field is out of bounds. */
export function encodeRecordFields(fields: RecordFields): Uint8Array {
  return encode(recordFieldsSchema, fields);
}

/** Search fields from their plaintext. Throws a DecodeError. */
export function decodeRecordFields(encoded: Uint8Array): RecordFields {
  return decode(recordFieldsSchema, encoded, FIELDS_BYTES_MAX);
}
