import { equalBytes } from '../../codec/bytes.ts';
import { decode } from '../../codec/cbor.ts';
import { DecodeError } from '../../codec/decode-error.ts';
import { leafHash, nodeHash } from '../../crypto/merkle.ts';
import type { IndexFamily, IndexKey } from '../../ledger/index-keys.ts';
import {
  compareEntryAt,
  ENTRY_BYTES,
  entryKey,
  firstEntryOfKey,
  indexEntry,
  lastEntryOfKey,
  txIndexAt,
} from './entry.ts';
import { INDEX_PROOF_BYTES_MAX, type IndexProof, indexProofSchema } from './proof.ts';
import { CHUNK_ENTRIES, rootOfTop } from './root.ts';
import { splitOf } from './subtree.ts';

/** What a key proof shows: every transaction of the block that names the key, ascending; none when it is absent. */
export type KeyProofOutcome =
  | { readonly kind: 'proven'; readonly txIndices: readonly number[] }
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Checks an encoded proof of all transactions that name `key` in the block whose header holds `root`. Total: any
 * bytes are taken, and exactly one encoding per index and key is proven, that of `proveKey`. A digest of 16 bytes
 * stands for the key, so each transaction is still to be read, proven under txRoot.
 */
export function verifyKeyProof(
  encoded: Uint8Array,
  root: Uint8Array,
  family: IndexFamily,
  key: Uint8Array,
): KeyProofOutcome {
  const opened = openProof(encoded, root);
  if (typeof opened === 'string') return { kind: 'invalid', reason: opened };
  const { proof, entries } = opened;
  const prefix = entryKey(family, key);
  const reason = boundaryFault(proof, entries, firstEntryOfKey(prefix), lastEntryOfKey(prefix));
  if (reason !== undefined) return { kind: 'invalid', reason };
  const txIndices: number[] = [];
  for (let offset = 0; offset < entries.length; offset += ENTRY_BYTES) {
    if (equalBytes(entries.subarray(offset, offset + prefix.length), prefix))
      txIndices.push(txIndexAt(entries, offset));
  }
  return { kind: 'proven', txIndices };
}

/** Why an encoded proof does not show that the index with `root` has this entry, in words; undefined when it does. */
export function entryProofFault(encoded: Uint8Array, root: Uint8Array, key: IndexKey): string | undefined {
  const opened = openProof(encoded, root);
  if (typeof opened === 'string') return opened;
  if (opened.proof.chunks.length !== 1) return 'more or fewer chunks than the one of the entry';
  const entry = indexEntry(key);
  for (let offset = 0; offset < opened.entries.length; offset += ENTRY_BYTES) {
    if (compareEntryAt(opened.entries, offset, entry) === 0) return undefined;
  }
  return 'the chunk does not hold the entry';
}

interface OpenedProof {
  readonly proof: IndexProof;
  /** The chunks' entries, joined. */
  readonly entries: Uint8Array;
}

/** Everything that is checked of any proof: form, lengths, order, root. Returns the fault in words. */
function openProof(encoded: Uint8Array, root: Uint8Array): OpenedProof | string {
  let proof: IndexProof;
  try {
    proof = decode(indexProofSchema, encoded, INDEX_PROOF_BYTES_MAX);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  const chunkCount = Math.ceil(proof.entryCount / CHUNK_ENTRIES);
  if (proof.entryCount === 0) {
    if (proof.firstChunk !== 0 || proof.chunks.length > 0 || proof.nodes.length > 0)
      return 'an empty index has no parts';
  } else if (proof.chunks.length === 0 || proof.firstChunk + proof.chunks.length > chunkCount) {
    return 'chunks outside the index';
  }
  const entries = new Uint8Array(proof.chunks.reduce((length, chunk) => length + chunk.length, 0));
  let length = 0;
  for (const [i, chunk] of proof.chunks.entries()) {
    const isLast = proof.firstChunk + i === chunkCount - 1;
    const expected = isLast ? proof.entryCount - (chunkCount - 1) * CHUNK_ENTRIES : CHUNK_ENTRIES;
    if (chunk.length !== expected * ENTRY_BYTES) return 'a chunk of the wrong length';
    entries.set(chunk, length);
    length += chunk.length;
  }
  for (let offset = ENTRY_BYTES; offset < entries.length; offset += ENTRY_BYTES) {
    if (compareEntryAt(entries, offset, entries, offset - ENTRY_BYTES) <= 0) return 'entries unsorted or repeated';
  }
  const top = topOf(proof, chunkCount);
  if (top === undefined) return 'more or fewer nodes than the place of the chunks demands';
  return equalBytes(rootOfTop(proof.entryCount, top), root) ? { proof, entries } : 'not under this root';
}

/**
 * The head of the chunk tree; undefined unless exactly as many nodes are there as the size of the tree and the place
 * of the chunks demand. The recursion is as deep as the tree, at most 28 levels.
 */
function topOf(proof: IndexProof, chunkCount: number): Uint8Array | undefined {
  const first = proof.firstChunk;
  const last = first + proof.chunks.length - 1;
  let used = 0;
  const fold = (offset: number, size: number): Uint8Array | undefined => {
    if (offset > last || offset + size <= first) {
      used += 1;
      return proof.nodes[used - 1];
    }
    if (size === 1) return leafHash(proof.chunks[offset - first]!);
    const split = splitOf(size);
    const left = fold(offset, split);
    const right = fold(offset + split, size - split);
    return left === undefined || right === undefined ? undefined : nodeHash(left, right);
  };
  const top = chunkCount === 0 ? new Uint8Array(32) : fold(0, chunkCount);
  return used === proof.nodes.length ? top : undefined;
}

/**
 * Why the entries are not those from the neighbour below `low` to the neighbour above `high`, in as few chunks as
 * hold them; undefined when they are. At an end of the index there is no neighbour to show.
 */
function boundaryFault(proof: IndexProof, entries: Uint8Array, low: Uint8Array, high: Uint8Array): string | undefined {
  if (proof.entryCount === 0) return undefined;
  const step = CHUNK_ENTRIES * ENTRY_BYTES;
  const chunkCount = Math.ceil(proof.entryCount / CHUNK_ENTRIES);
  const lastStart = (proof.chunks.length - 1) * step;
  const startsIndex = proof.firstChunk === 0;
  const endsIndex = proof.firstChunk + proof.chunks.length === chunkCount;
  if (!startsIndex && compareEntryAt(entries, 0, low) >= 0) return 'no entry below the key';
  if (!endsIndex && compareEntryAt(entries, entries.length - ENTRY_BYTES, high) <= 0) return 'no entry above the key';
  if (proof.chunks.length > 1) {
    if (compareEntryAt(entries, step, low) < 0) return 'a chunk too many before the key';
    if (compareEntryAt(entries, lastStart - ENTRY_BYTES, high) > 0) return 'a chunk too many after the key';
  }
  return undefined;
}
