import assert from 'node:assert/strict';
import { deleteAttachment, putAttachment, putWanted } from './attachment-items.ts';
import { encodeBodies } from './block-bodies.ts';
import {
  encodeLocation,
  encodeU64,
  heightKey,
  PREFIX,
  prefixed,
  STATE_KEY_BYTES_MAX,
  type TipRecord,
} from './schema.ts';
import type { WriteBatch } from './write-batch.ts';

/** A state value as it stands after a block; null when the key is gone. */
export interface StateChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** A state value with its key. */
export interface StateEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** All that one decided block leaves behind. The byte arrays belong to the store from the call on. */
export interface BlockCommit {
  /** One above the tip, or above the block before it in the same batch. */
  readonly height: number;
  /** Hash of `header`. */
  readonly hash: Uint8Array;
  /** Canonical bytes. */
  readonly header: Uint8Array;
  /** Canonical commit-certificate bytes. */
  readonly certificate: Uint8Array;
  /** Full encodings, in order. */
  readonly transactions: readonly Uint8Array[];
  /** Ids of `transactions`, in the same order. */
  readonly txIds: readonly Uint8Array[];
  readonly stateChanges: readonly StateChange[];
  /** The block's attachments by hash; bytes = blind[32] ‖ content. */
  readonly attachments: readonly { readonly hash: Uint8Array; readonly bytes: Uint8Array }[];
  /** Hashes of attachments that the block names and that are not at hand: to be fetched from members. */
  readonly wantedAttachments: readonly Uint8Array[];
  /** Hashes of attachments that this block disposes of. */
  readonly disposedAttachments: readonly Uint8Array[];
  /** The block's transaction-index pages. */
  readonly indexPages: Uint8Array;
}

/** The tip record after `commits`, which must follow that of `before` one by one. */
export function recordAfter(before: TipRecord, commits: readonly BlockCommit[]): TipRecord {
  assert(commits.length > 0, 'there is nothing to commit');
  return commits.reduce((record, { height, hash, transactions }) => {
    assert.equal(height, record.tip.height + 1, 'a block must follow the tip');
    return { tip: { height, hash }, transactions: record.transactions + transactions.length };
  }, before);
}

/**
 * Puts into `batch` every write that a block alone makes. Bodies take one key a block, for each small write costs more
 * than its bytes: per transaction remain its location and what it changes in the state.
 */
export function writeBlock(batch: WriteBatch, commit: BlockCommit): void {
  assert.equal(commit.hash.length, 32);
  assert.equal(commit.txIds.length, commit.transactions.length);
  const { height } = commit;
  batch.put(heightKey(PREFIX.header, height), commit.header);
  batch.put(heightKey(PREFIX.certificate, height), commit.certificate);
  batch.put(heightKey(PREFIX.indexPages, height), commit.indexPages);
  batch.put(prefixed(PREFIX.heightByHash, commit.hash), encodeU64(height));
  const bodiesKey = heightKey(PREFIX.bodies, height);
  batch.putPlain(bodiesKey, encodeBodies(bodiesKey, commit.transactions));
  commit.txIds.forEach((txId, index) => {
    batch.put(prefixed(PREFIX.location, txId), encodeLocation({ height, index }));
  });
  writeState(batch, commit.stateChanges);
  for (const { hash, bytes } of commit.attachments) putAttachment(batch, hash, bytes);
  for (const hash of commit.wantedAttachments) putWanted(batch, hash);
  for (const hash of commit.disposedAttachments) deleteAttachment(batch, hash);
}

/** Puts state changes into `batch`. */
export function writeState(batch: WriteBatch, changes: readonly StateChange[]): void {
  for (const { key: stateKey, value } of changes) {
    assert(stateKey.length <= STATE_KEY_BYTES_MAX, 'state key too long');
    const key = prefixed(PREFIX.state, stateKey);
    if (value === null) batch.del(key);
    else batch.put(key, value);
  }
}
