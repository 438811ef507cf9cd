import { bytes, bytesUpTo, list, struct, uint } from '../../codec/schema.ts';
import { BLOCK_TRANSACTIONS_MAX } from '../../ledger/block.ts';
import { ENTRY_BYTES } from './entry.ts';
import { CHUNK_ENTRIES } from './root.ts';

/**
 * Consecutive chunks of an index with the hashes that lead from them to its root. The same form proves one entry
 * (the chunk that holds it), all entries of a key (the chunks from the entry before the first to the entry after the
 * last) and that a key has none (the chunk or two that hold the neighbours of its place).
 */
export interface IndexProof {
  /** n: entries of the whole index. */
  readonly entryCount: number;
  /** Place of the first chunk among the index's chunks; 0 when the index is empty. */
  readonly firstChunk: number;
  /** 16 entries of 21 bytes each; the index's last chunk may be shorter. */
  readonly chunks: readonly Uint8Array[];
  /** Roots of the largest subtrees that hold none of the chunks, from left to right. */
  readonly nodes: readonly Uint8Array[];
}

/** A key has at most one entry a transaction; two more chunks may hold its neighbours. */
const PROOF_CHUNKS_MAX = BLOCK_TRANSACTIONS_MAX / CHUNK_ENTRIES + 2;
/** Two for each level of a tree of 2³² leaves. */
const PROOF_NODES_MAX = 64;
const CHUNK_BYTES = CHUNK_ENTRIES * ENTRY_BYTES;
/** Largest encoding of a proof, in bytes. */
export const INDEX_PROOF_BYTES_MAX = 64 + PROOF_CHUNKS_MAX * (CHUNK_BYTES + 3) + PROOF_NODES_MAX * 34;

/** A proof as it travels. */
export const indexProofSchema = struct<IndexProof>({
  entryCount: uint(0xffffffff),
  firstChunk: uint(0xffffffff),
  chunks: list(bytesUpTo(CHUNK_BYTES), PROOF_CHUNKS_MAX),
  nodes: list(bytes(32), PROOF_NODES_MAX),
});
