import { equalBytes, toHex } from '../codec/bytes.ts';
import { attachmentHash } from '../ledger/transaction.ts';
import type { CheckedLevel } from './checked-level.ts';
import { PREFIX, prefixed } from './schema.ts';
import { StorageError } from './storage-error.ts';
import type { WriteBatch } from './write-batch.ts';

/** An attachment under its hash; bytes = blind[32] ‖ content. */
export interface AttachmentItem {
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** blind[32] ‖ bytes of an attachment, verified against its hash, or undefined. Error: ItemDamaged. */
export async function readAttachment(level: CheckedLevel, hash: Uint8Array): Promise<Uint8Array | undefined> {
  const item = `attachment ${toHex(hash)}`;
  const attachment = await level.stored(prefixed(PREFIX.attachment, hash), item);
  if (attachment === undefined || equalBytes(attachmentHash(attachment), hash)) return attachment;
  const remedy = 'Check the disk; it is replaced when it is fetched again from another validator.';
  throw new StorageError('ItemDamaged', item, `The stored ${item} does not have its hash.`, remedy);
}

/** Stores some under their hashes, which are then no longer wanted, in one batch. Errors: HashMismatch, WriteFailed. */
export async function writeAttachments(level: CheckedLevel, attachments: readonly AttachmentItem[]): Promise<void> {
  for (const { hash, bytes } of attachments) {
    if (equalBytes(attachmentHash(bytes), hash)) continue;
    const item = `attachment ${toHex(hash)}`;
    const remedy = 'It was not stored; fetch it from another validator.';
    throw new StorageError('HashMismatch', item, `The bytes offered for ${item} have another hash.`, remedy);
  }
  await level.write(true, (batch) => {
    for (const { hash, bytes } of attachments) putAttachment(batch, hash, bytes);
  });
}

/** Hashes of the attachments that committed blocks name and that are not here, at most `limit`. */
export async function wantedAttachments(level: CheckedLevel, limit: number): Promise<Uint8Array[]> {
  const wanted: Uint8Array[] = [];
  for await (const { key } of level.items(PREFIX.wantedAttachment, (hash) => `wanted attachment ${toHex(hash)}`)) {
    if (wanted.length === limit) break;
    wanted.push(key);
  }
  return wanted;
}

/** Puts one into `batch`. */
export function putAttachment(batch: WriteBatch, hash: Uint8Array, bytes: Uint8Array): void {
  batch.putPlain(prefixed(PREFIX.attachment, hash), bytes);
  batch.del(prefixed(PREFIX.wantedAttachment, hash));
}

/** Remembers in `batch` that one has to be fetched. */
export function putWanted(batch: WriteBatch, hash: Uint8Array): void {
  batch.put(prefixed(PREFIX.wantedAttachment, hash), new Uint8Array(0));
}

/** Removes one in `batch`; it is not wanted either. */
export function deleteAttachment(batch: WriteBatch, hash: Uint8Array): void {
  batch.del(prefixed(PREFIX.attachment, hash));
  batch.del(prefixed(PREFIX.wantedAttachment, hash));
}
