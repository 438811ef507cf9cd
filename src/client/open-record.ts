import { equalBytes } from '../codec/bytes.ts';
import { openFields } from '../crypto/field-cipher.ts';
import { sealingPublicKey, unwrapSecret } from '../crypto/hpke.ts';
import { openPayload, PAYLOAD_CHUNK_BYTES } from '../crypto/payload-cipher.ts';
import { dataKey, fieldKey, type RecordVersion, wrapInfo } from '../crypto/record-keys.ts';
import {
  type Attachment,
  decodeAttachment,
  decodeRecordFields,
  isAttachmentOf,
  type RecordFields,
} from '../ledger/attachment.ts';
import type { AttachmentReference } from '../ledger/transaction.ts';
import type { AccountIdentity } from './keys.ts';
import type { Party } from './seal-record.ts';

/** Who opens a record, and as what. */
export interface Reader {
  readonly identity: Pick<AccountIdentity, 'address' | 'sealingSecret'>;
  readonly party: Party;
}

/** One version of a record as fetched. */
export interface FetchedRecord extends RecordVersion {
  /** The genesis hash of the height of this version's block (`genesisHashAt`): another before a restart. */
  readonly genesisHash: Uint8Array;
  /** What the transaction says of the attachment. */
  readonly reference: AttachmentReference;
  readonly attachment: Uint8Array;
}

/** A record that does not open; the message says what is missing or damaged. */
export class RecordOpenError extends Error {
  override readonly name = 'RecordOpenError';
}

/**
 * The search fields; null when the record has none. Throws a RecordOpenError when the attachment is not the one that
 * the transaction names or holds nothing for the reader, a SealingError when the reader's sealing key is another, a
 * DecodeError when the author sealed something malformed.
 */
export async function openRecordFields(record: FetchedRecord, reader: Reader): Promise<RecordFields | null> {
  const attachment = checkedAttachment(record);
  if (attachment.fields.length === 0) return null;
  const s = await unwrap(record, attachment, reader, 's');
  const plain = await openFields(attachment.fields, fieldKey(s, record.genesisHash, record), record);
  if (plain === undefined) throw new RecordOpenError('the search fields do not open with the wrapped secret');
  return decodeRecordFields(plain);
}

/**
 * The payload. Throws as `openRecordFields` does, and a PayloadError when the ciphertext or the key is not the one
 * that the transaction commits to.
 */
export async function openRecordPayload(
  record: FetchedRecord,
  ciphertext: Uint8Array,
  keyCommitment: Uint8Array,
  reader: Reader,
): Promise<Uint8Array> {
  const attachment = checkedAttachment(record);
  const s = await unwrap(record, attachment, reader, 's');
  const kNode = await unwrap(record, attachment, reader, 'kNode');
  const key = dataKey({ s, kNode }, record.genesisHash, record);
  return openPayload(payloadChunks(ciphertext), key, keyCommitment, record);
}

function checkedAttachment({ reference, attachment }: FetchedRecord): Attachment {
  if (!isAttachmentOf(reference, attachment))
    throw new RecordOpenError('the attachment is not the one that the transaction names; fetch it from another node');
  return decodeAttachment(attachment);
}

async function unwrap(
  record: FetchedRecord,
  attachment: Attachment,
  { identity, party }: Reader,
  secret: 's' | 'kNode',
): Promise<Uint8Array> {
  const own = attachment.wraps.find((wrap) => wrap.secret === secret && equalBytes(wrap.recipient, identity.address));
  if (own === undefined) throw new RecordOpenError('the record holds no key for this account');
  const { genesisHash, recordId, version } = record;
  const info = wrapInfo({
    genesisHash,
    recordId,
    version,
    recipient: identity.address,
    sealingKey: sealingPublicKey(identity.sealingSecret),
    basis: { kind: party },
    secret,
  });
  return unwrapSecret(own.wrap, identity.sealingSecret, info);
}

function payloadChunks(ciphertext: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < ciphertext.length; start += PAYLOAD_CHUNK_BYTES)
    chunks.push(ciphertext.subarray(start, start + PAYLOAD_CHUNK_BYTES));
  return chunks;
}
