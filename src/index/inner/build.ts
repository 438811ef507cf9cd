import { equalBytes } from '../../codec/bytes.ts';
import { toBinaryString } from '../../ledger/binary-string.ts';
import type { BlockIndex, IndexKey } from '../../ledger/index-keys.ts';
import { compareEntryAt, ENTRY_BYTES, entryKey, entryUnder } from './entry.ts';
import { entriesOf, type IndexPages, readPages, writePages } from './pages.ts';
import { indexRoot } from './root.ts';

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
  const entries = keys.map(({ family, key, txIndex }) => {
    const name = family + toBinaryString(key);
    let keyPrefix = keyPrefixes.get(name);
    if (keyPrefix === undefined) {
      keyPrefix = entryKey(family, key);
      keyPrefixes.set(name, keyPrefix);
    }
    return entryUnder(keyPrefix, txIndex);
  });
  return buildIndex(entries);
}

/** The index over encoded entries of 21 bytes, in any order and possibly repeated. */
export function buildIndex(entries: readonly Uint8Array[]): BlockIndex {
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
    const previous = entries.subarray(offset - ENTRY_BYTES, offset);
    if (compareEntryAt(entries, offset, previous) <= 0) return false;
  }
  return equalBytes(indexRoot(entries), root) && equalBytes(writePages(entries).bytes, bytes);
}

function sortedUnique(entries: readonly Uint8Array[]): Uint8Array {
  // Six bytes as one number settle nearly every comparison: family and five of the digest.
  const heads = Float64Array.from(entries, (entry) => headNumber(entry));
  const order = Uint32Array.from(entries, (_, place) => place);
  order.sort((a, b) => heads[a]! - heads[b]! || compareEntryAt(entries[a]!, 0, entries[b]!));
  const sorted = new Uint8Array(entries.length * ENTRY_BYTES);
  let length = 0;
  for (const place of order) {
    const entry = entries[place]!;
    if (length > 0 && compareEntryAt(sorted, length - ENTRY_BYTES, entry) === 0) continue;
    sorted.set(entry, length);
    length += ENTRY_BYTES;
  }
  return sorted.subarray(0, length);
}

function headNumber(entry: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < 6; i += 1) value = value * 256 + entry[i]!;
  return value;
}
