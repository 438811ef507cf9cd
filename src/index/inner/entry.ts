import { taggedHash } from '../../crypto/hash.ts';
import { BLOCK_TRANSACTIONS_MAX } from '../../ledger/block.ts';
import type { IndexFamily, IndexKey } from '../../ledger/index-keys.ts';

/** Wire codes of the families, 1 to 16; a code is never used again for another. */
export const FAMILY_CODES: Readonly<Record<IndexFamily, number>> = {
  txId: 1,
  record: 2,
  patient: 3,
  author: 4,
  organisation: 5,
  actionKind: 6,
};

/** Bytes of an entry: family u8 ‖ keyDigest 16 ‖ txIndex u32be. */
export const ENTRY_BYTES = 21;
/** Bytes of an entry that name the key: family ‖ keyDigest. Entries of one key share them. */
export const ENTRY_KEY_BYTES = 17;
const DIGEST_BYTES = 16;
const TX_INDEX_MAX = 0xffffffff;

/** family u8 ‖ first 16 bytes of SHA-256("medledger/v1/INDEX-KEY" ‖ 0x00 ‖ family u8 ‖ key), 17 bytes. */
export function entryKey(family: IndexFamily, key: Uint8Array): Uint8Array {
  const code = Uint8Array.of(FAMILY_CODES[family]);
  const prefix = new Uint8Array(ENTRY_KEY_BYTES);
  prefix.set(code);
  prefix.set(taggedHash('INDEX-KEY', code, key).subarray(0, DIGEST_BYTES), 1);
  return prefix;
}

/** The 21 bytes of an entry. Throws a RangeError when the transaction cannot stand in any block. */
export function indexEntry({ family, key, txIndex }: IndexKey): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES);
  putEntry(entry, 0, entryKey(family, key), txIndex);
  return entry;
}

/** Writes the entry of a key, given by its 17 bytes (`entryKey`), at `offset`. Throws as `indexEntry` does. */
export function putEntry(entries: Uint8Array, offset: number, keyPrefix: Uint8Array, txIndex: number): void {
  if (!Number.isSafeInteger(txIndex) || txIndex < 0 || txIndex >= BLOCK_TRANSACTIONS_MAX)
    throw new RangeError(`no block has a transaction ${txIndex}`);
  writeEntry(entries, offset, keyPrefix, txIndex);
}

/** Lowest entry that a key can have, whether or not it is in any index. */
export function firstEntryOfKey(keyPrefix: Uint8Array): Uint8Array {
  return entryOfKey(keyPrefix, 0);
}

/** Above every entry of a key and below those of the next: no block has a transaction of this index. */
export function lastEntryOfKey(keyPrefix: Uint8Array): Uint8Array {
  return entryOfKey(keyPrefix, TX_INDEX_MAX);
}

/** The transaction index at the end of the entry that starts at `offset`. */
export function txIndexAt(entries: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = offset + ENTRY_KEY_BYTES; i < offset + ENTRY_BYTES; i += 1) value = value * 256 + entries[i]!;
  return value;
}

/** Bytewise order of the entry at `offset` and that of `others` at `other`: negative, zero or positive. */
export function compareEntryAt(entries: Uint8Array, offset: number, others: Uint8Array, other = 0): number {
  for (let i = 0; i < ENTRY_BYTES; i += 1) {
    const difference = entries[offset + i]! - others[other + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function entryOfKey(keyPrefix: Uint8Array, txIndex: number): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES);
  writeEntry(entry, 0, keyPrefix, txIndex);
  return entry;
}

function writeEntry(entries: Uint8Array, offset: number, keyPrefix: Uint8Array, txIndex: number): void {
  entries.set(keyPrefix, offset);
  for (let i = offset + ENTRY_BYTES - 1, rest = txIndex; i >= offset + ENTRY_KEY_BYTES; i -= 1, rest >>>= 8)
    entries[i] = rest & 0xff;
}
