import { compareBytes, equalBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytes, bytesUpTo, list, nullable, struct } from '../codec/schema.ts';
import { sha256 } from '../crypto/hash.ts';
import { mapPath, rootOverSubtree, type StateMap, subtreeAt } from './state-map.ts';

/** Most bytes of an encoded chunk. */
export const STATE_CHUNK_BYTES_MAX = 1024 * 1024;
/** Longest key and value that a state entry may have in a chunk. */
const CHUNK_KEY_BYTES_MAX = 256;
const CHUNK_VALUE_BYTES_MAX = 64 * 1024;
/** Most entries of one chunk: each takes 5 bytes at least. */
const CHUNK_ENTRIES_MAX = STATE_CHUNK_BYTES_MAX / 4;
const PATH_BITS = 256;
/** Heads of the chunk, of its lists, and of the path. */
const CHUNK_HEAD_BYTES = 64;
const SIBLING_BYTES = 34;
/** Heads of an entry, its key and its value. */
const ENTRY_HEAD_BYTES = 9;

/** A state entry with its path in the map. */
export interface ChunkEntry {
  readonly path: Uint8Array;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * A part of the state: all entries whose paths begin with the first `siblings.length` bits of `path`, and what shows
 * against a state root that these are all. Chunks of one state whose ranges adjoin and cover every path are the state.
 */
interface StateChunk {
  /** First path of the range: zero after the bits that count. */
  readonly path: Uint8Array;
  readonly siblings: readonly (Uint8Array | null)[];
  /** In ascending order of path. */
  readonly entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
}

const stateChunkSchema = struct<StateChunk>({
  path: bytes(32),
  siblings: list(nullable(bytes(32)), PATH_BITS),
  entries: list(
    struct<{ key: Uint8Array; value: Uint8Array }>({
      key: bytesUpTo(CHUNK_KEY_BYTES_MAX),
      value: bytesUpTo(CHUNK_VALUE_BYTES_MAX),
    }),
    CHUNK_ENTRIES_MAX,
  ),
});

/** A range of paths: those that share the first `depth` bits of `from`, whose other bits are zero. */
export interface PathRange {
  readonly from: Uint8Array;
  readonly depth: number;
}

/** An encoded chunk and the range that it covers. */
export interface EncodedChunk extends PathRange {
  readonly encoded: Uint8Array;
}

/** What a chunk proves: the entries of its range, all of them. */
export interface ProvenChunk extends PathRange {
  readonly entries: readonly ChunkEntry[];
}

/** Why a chunk is refused; the list is closed. */
export type ChunkFault = 'malformed' | 'range' | 'order' | 'root';

/**
 * The entries of a range of `map`, in ascending order of path, as chunks that adjoin and cover it: a range too large
 * for one chunk is halved. `bytesMax` bounds each chunk unless a single entry is larger.
 */
export function* makeStateChunks(
  map: StateMap,
  range: PathRange,
  entries: readonly ChunkEntry[],
  bytesMax: number = STATE_CHUNK_BYTES_MAX,
): Generator<EncodedChunk> {
  const { depth, siblings, isSmall } = subtreeAt(map, range.from, range.depth);
  const bytesAtMost = entries.reduce(
    (sum, { key, value }) => sum + key.length + value.length + ENTRY_HEAD_BYTES,
    CHUNK_HEAD_BYTES + SIBLING_BYTES * depth,
  );
  if (isSmall || bytesAtMost <= bytesMax) {
    const path = firstPath(range.from, depth);
    yield { from: path, depth, encoded: encode(stateChunkSchema, { path, siblings, entries }) };
    return;
  }
  const right = withBit(range.from, depth);
  const middle = entries.findIndex((entry) => compareBytes(entry.path, right) >= 0);
  const split = middle < 0 ? entries.length : middle;
  yield* makeStateChunks(map, { from: range.from, depth: depth + 1 }, entries.slice(0, split), bytesMax);
  yield* makeStateChunks(map, { from: right, depth: depth + 1 }, entries.slice(split), bytesMax);
}

/** Ranges that adjoin and cover all paths, each of `bits` bits or where a single entry or nothing stands higher up. */
export function* divideMap(
  map: StateMap,
  bits: number,
  { from, depth }: PathRange = { from: new Uint8Array(32), depth: 0 },
): Generator<PathRange> {
  if (depth === bits || subtreeAt(map, from, depth).isSmall) {
    yield { from, depth };
    return;
  }
  yield* divideMap(map, bits, { from, depth: depth + 1 });
  yield* divideMap(map, bits, { from: withBit(from, depth), depth: depth + 1 });
}

/** What `encoded` proves of the state with this root, or why it proves nothing. Total, whatever the bytes. */
export function readStateChunk(root: Uint8Array, encoded: Uint8Array): ProvenChunk | ChunkFault {
  const chunk = decodeChunk(encoded);
  if (chunk === undefined) return 'malformed';
  const { path: from, siblings } = chunk;
  const depth = siblings.length;
  if (!equalBytes(firstPath(from, depth), from)) return 'range';
  const entries = chunk.entries.map(({ key, value }) => ({ path: mapPath(key), key, value }));
  for (const [place, { path }] of entries.entries()) {
    if (!equalBytes(firstPath(path, depth), from)) return 'range';
    if (place > 0 && compareBytes(entries[place - 1]!.path, path) >= 0) return 'order';
  }
  const leaves = entries.map(({ path, value }) => ({ path, valueHash: sha256(value) }));
  return equalBytes(rootOverSubtree(leaves, from, siblings), root) ? { from, depth, entries } : 'root';
}

/** The first path after a range; undefined when the range ends with the last path of all. */
export function pathAfter({ from, depth }: PathRange): Uint8Array | undefined {
  const next = from.slice();
  for (let bit = depth - 1; bit >= 0; bit -= 1) {
    const mask = 128 >> (bit & 7);
    const isSet = (next[bit >> 3]! & mask) !== 0;
    next[bit >> 3]! ^= mask;
    if (!isSet) return next;
  }
  return undefined;
}

/** The range of all paths with the same first `depth` bits as `path` begins here. */
export function firstPath(path: Uint8Array, depth: number): Uint8Array {
  const first = path.slice();
  const byte = depth >> 3;
  if (byte < first.length) {
    first[byte]! &= 0xff00 >> (depth & 7);
    first.fill(0, byte + 1);
  }
  return first;
}

/** The path with the bit at `depth` set. */
function withBit(path: Uint8Array, depth: number): Uint8Array {
  const changed = path.slice();
  changed[depth >> 3]! |= 128 >> (depth & 7);
  return changed;
}

function decodeChunk(encoded: Uint8Array): StateChunk | undefined {
  try {
    return decode(stateChunkSchema, encoded, STATE_CHUNK_BYTES_MAX);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
