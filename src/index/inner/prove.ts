import { encode } from '../../codec/cbor.ts';
import { merkleRoot } from '../../crypto/merkle.ts';
import type { IndexFamily, IndexKey } from '../../ledger/index-keys.ts';
import { compareEntryAt, ENTRY_BYTES, entryKey, firstEntryOfKey, indexEntry, lastEntryOfKey } from './entry.ts';
import { entriesOf, type IndexPages, lowerBound, readPages } from './pages.ts';
import { indexProofSchema } from './proof.ts';
import { CHUNK_ENTRIES, chunkHashes } from './root.ts';
import { splitOf } from './subtree.ts';

/**
 * Encoded proof of which transactions of the block name `key`, all of them, or that none does. Throws a DecodeError
 * when `pages` are cut or of another version, a RangeError when damage made the range longer than any block's.
 */
export function proveKey(pages: Uint8Array, family: IndexFamily, key: Uint8Array): Uint8Array {
  const opened = readPages(pages);
  const prefix = entryKey(family, key);
  const start = lowerBound(opened, firstEntryOfKey(prefix));
  const end = lowerBound(opened, lastEntryOfKey(prefix));
  return proofOfRange(opened, Math.max(start - 1, 0), Math.min(end, opened.entryCount - 1));
}

/** Encoded proof that the index has this entry; undefined when it has not. Errors as for `proveKey`. */
export function proveEntry(pages: Uint8Array, key: IndexKey): Uint8Array | undefined {
  const opened = readPages(pages);
  const entry = indexEntry(key);
  const place = lowerBound(opened, entry);
  if (place === opened.entryCount || compareEntryAt(entriesOf(opened), place * ENTRY_BYTES, entry) !== 0)
    return undefined;
  return proofOfRange(opened, place, place);
}

/** The proof over the chunks that hold entries `first` to `last`, inclusive. */
function proofOfRange(pages: IndexPages, first: number, last: number): Uint8Array {
  const { entryCount } = pages;
  if (entryCount === 0) return encode(indexProofSchema, { entryCount, firstChunk: 0, chunks: [], nodes: [] });
  const entries = entriesOf(pages);
  const firstChunk = Math.floor(first / CHUNK_ENTRIES);
  const lastChunk = Math.floor(last / CHUNK_ENTRIES);
  const step = CHUNK_ENTRIES * ENTRY_BYTES;
  const chunks: Uint8Array[] = [];
  for (let chunk = firstChunk; chunk <= lastChunk; chunk += 1)
    chunks.push(entries.subarray(chunk * step, (chunk + 1) * step));
  const nodes: Uint8Array[] = [];
  collectOutside(chunkHashes(entries), 0, firstChunk, lastChunk, nodes);
  return encode(indexProofSchema, { entryCount, firstChunk, chunks, nodes });
}

/** Adds, from left to right, the roots of the largest subtrees of `hashes` outside the chunks `first` to `last`. */
function collectOutside(
  hashes: readonly Uint8Array[],
  offset: number,
  first: number,
  last: number,
  nodes: Uint8Array[],
): void {
  if (offset > last || offset + hashes.length <= first) {
    nodes.push(merkleRoot(hashes));
  } else if (hashes.length > 1) {
    const split = splitOf(hashes.length);
    collectOutside(hashes.slice(0, split), offset, first, last, nodes);
    collectOutside(hashes.slice(split), offset + split, first, last, nodes);
  }
}
