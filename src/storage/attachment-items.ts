import { equalBytes, toHex } from '../codec/bytes.ts';
import { attachmentHash } from '../ledger/transaction.ts';
import type { CheckedLevel } from './checked-level.ts';
import { PREFIX, prefixed } from './schema.ts';
import { StorageError } from './storage-error.ts';

/** blind[32] ‖ bytes of an attachment, verified against its hash, or undefined. Error: ItemDamaged. */
export async function readAttachment(level: CheckedLevel, hash: Uint8Array): Promise<Uint8Array | undefined> {
  const item = `attachment ${toHex(hash)}`;
  const attachment = await level.stored(prefixed(PREFIX.attachment, hash), item);
  if (attachment === undefined || equalBytes(attachmentHash(attachment), hash)) return attachment;
  const remedy = 'Check the disk; it is replaced when it is fetched again from another validator.';
  throw new StorageError('ItemDamaged', item, `The stored ${item} does not have its hash.`, remedy);
}

/** Stores one under its hash. Errors: HashMismatch, WriteFailed. */
export async function writeAttachment(level: CheckedLevel, hash: Uint8Array, bytes: Uint8Array): Promise<void> {
  if (!equalBytes(attachmentHash(bytes), hash)) {
    const item = `attachment ${toHex(hash)}`;
    const remedy = 'It was not stored; fetch it from another validator.';
    throw new StorageError('HashMismatch', item, `The bytes offered for ${item} have another hash.`, remedy);
  }
  await level.write(true, (batch) => batch.putPlain(prefixed(PREFIX.attachment, hash), bytes));
}
