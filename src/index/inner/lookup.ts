import type { IndexFamily } from '../../ledger/index-keys.ts';
import { ENTRY_BYTES, ENTRY_KEY_BYTES, entryKey, firstEntryOfKey, txIndexAt } from './entry.ts';
import { entriesOf, lowerBound, readPages } from './pages.ts';

/**
 * Indices, ascending, of the block's transactions that name `key`; empty when none does. Reads one page of each
 * level, then only the entries of the key. A digest of 16 bytes stands for the key, and pages on disk may be damaged:
 * the caller confirms each hit by reading the transaction. Throws a DecodeError when `pages` are cut or of another
 * version.
 */
export function lookup(pages: Uint8Array, family: IndexFamily, key: Uint8Array): readonly number[] {
  const opened = readPages(pages);
  const prefix = entryKey(family, key);
  const entries = entriesOf(opened);
  const found: number[] = [];
  let offset = lowerBound(opened, firstEntryOfKey(prefix)) * ENTRY_BYTES;
  while (offset < entries.length && hasKey(entries, offset, prefix)) {
    found.push(txIndexAt(entries, offset));
    offset += ENTRY_BYTES;
  }
  return found;
}

function hasKey(entries: Uint8Array, offset: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < ENTRY_KEY_BYTES; i += 1) if (entries[offset + i] !== prefix[i]) return false;
  return true;
}
