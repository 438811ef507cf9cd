import { equalBytes } from '../../codec/bytes.ts';
import { toBinaryString } from '../../ledger/binary-string.ts';
import type { BlockIndex, IndexFamily, IndexKey } from '../../ledger/index-keys.ts';
import { compareEntryAt, ENTRY_BYTES, entryKey, putEntry } from './entry.ts';
import { entriesOf, type IndexPages, readPages, writePages } from './pages.ts';
import { indexRoot } from './root.ts';

/** Families of which no two transactions of a block name the same key. */
const UNSHARED: ReadonlySet<IndexFamily> = new Set(['txId']);
/** Most entries of one block's index: what 4,096 transactions of 16 KiB can name at 16 bytes a name. */
const INDEX_ENTRIES_MAX = 4096 * 1024;

/**
 * The index over all keys of a block's transactions, in any order; a key that a transaction names twice counts once.
 * The same set of keys gives the same bytes and the same root. Throws a RangeError on a transaction index that no
 * block has and on more than 4,194,304 keys.
 */
export function indexRootOf(keys: readonly IndexKey[]): BlockIndex {
  if (keys.length > INDEX_ENTRIES_MAX) throw new RangeError(`more than ${INDEX_ENTRIES_MAX} keys in one block`);
  // Many transactions of a block share their organisation, author and kind: each key is hashed once.
  const keyPrefixes = new Map<string, Uint8Array>();
  const entries = new Uint8Array(keys.length * ENTRY_BYTES);
  for (const [place, { family, key, txIndex }] of keys.entries()) {
    const name = UNSHARED.has(family) ? undefined : family + toBinaryString(key);
    const known = name === undefined ? undefined : keyPrefixes.get(name);
    const keyPrefix = known ?? entryKey(family, key);
    if (name !== undefined && known === undefined) keyPrefixes.set(name, keyPrefix);
    putEntry(entries, place * ENTRY_BYTES, keyPrefix, txIndex);
  }
  return buildIndex(entries);
}

/** The index over encoded entries of 21 bytes, one after the other, in any order and possibly repeated. */
export function buildIndex(entries: Uint8Array): BlockIndex {
  const sorted = sortedUnique(entries);
  return { root: indexRoot(sorted), pages: writePages(sorted).bytes };
}

/**
 * True when stored pages are exactly those of the index with this root: entries sorted and unique, the directory
 * theirs. Costs as much as building; a look-up does without, since every hit is confirmed by its transaction.
 */
export function pagesMatchRoot(bytes: Uint8Array, root: Uint8Array): boolean {
  let pages: IndexPages;
  try {
    pages = readPages(bytes);
  } catch {
    return false;
  }
  const entries = entriesOf(pages);
  for (let offset = ENTRY_BYTES; offset < entries.length; offset += ENTRY_BYTES) {
    if (compareEntryAt(entries, offset, entries, offset - ENTRY_BYTES) <= 0) return false;
  }
  return equalBytes(indexRoot(entries), root) && equalBytes(writePages(entries).bytes, bytes);
}

function sortedUnique(entries: Uint8Array): Uint8Array {
  const count = entries.length / ENTRY_BYTES;
  // Six bytes as one number settle nearly every comparison: family and five of the digest.
  const heads = new Float64Array(count);
  const order = new Uint32Array(count);
  for (let place = 0; place < count; place += 1) {
    heads[place] = headNumber(entries, place * ENTRY_BYTES);
    order[place] = place;
  }
  order.sort((a, b) => heads[a]! - heads[b]! || compareEntryAt(entries, a * ENTRY_BYTES, entries, b * ENTRY_BYTES));
  const sorted = new Uint8Array(entries.length);
  let length = 0;
  for (const place of order) {
    const offset = place * ENTRY_BYTES;
    if (length > 0 && compareEntryAt(sorted, length - ENTRY_BYTES, entries, offset) === 0) continue;
    for (let i = 0; i < ENTRY_BYTES; i += 1) sorted[length + i] = entries[offset + i]!;
    length += ENTRY_BYTES;
  }
  return sorted.subarray(0, length);
}

function headNumber(entries: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = offset; i < offset + 6; i += 1) value = value * 256 + entries[i]!;
  return value;
}
