import { setImmediate as nextTurn } from 'node:timers/promises';
import { divideMap, type EncodedChunk, makeStateChunks } from '../ledger/state-chunk.ts';
import type { StateMap } from '../ledger/state-map.ts';
import type { StateEntry } from './block-commit.ts';
import { PathSorter } from './path-sorter.ts';

/** Bytes of a chunk at most: half of what one may have, so that making one takes few milliseconds. */
const CHUNK_BYTES = 512 * 1024;
/** What is sorted at a time, roughly, and what an entry takes, roughly. */
const BUCKET_BYTES = 4 * 2 ** 20;
const ENTRY_BYTES_AROUND = 256;
const BUCKET_BITS_MAX = 12;

/** A state and the map over it. */
export interface WholeState {
  readonly map: StateMap;
  /** The values of `map`, of no later block. */
  readonly entries: () => AsyncIterable<StateEntry>;
}

/**
 * Lets `use` read a whole state as chunks that adjoin and cover all paths, in order. What is not held in memory lies in
 * the file `scratch`, which is gone afterwards. Yields to the event loop all along; rejects with the reason of `signal`.
 */
export async function withStateChunks(
  { map, entries }: WholeState,
  scratch: string,
  signal: AbortSignal,
  use: (chunks: AsyncIterable<EncodedChunk>) => Promise<void>,
): Promise<void> {
  const buckets = Math.ceil(Math.log2(Math.max(1, (map.size * ENTRY_BYTES_AROUND) / BUCKET_BYTES)));
  const bits = Math.min(buckets, BUCKET_BITS_MAX);
  const sorter = new PathSorter(scratch, bits);
  try {
    for await (const entry of entries()) {
      signal.throwIfAborted();
      await sorter.add(entry);
    }
    await use(chunksOf(map, sorter, bits, signal));
  } finally {
    await sorter.close();
  }
}

async function* chunksOf(
  map: StateMap,
  sorter: PathSorter,
  bits: number,
  signal: AbortSignal,
): AsyncGenerator<EncodedChunk> {
  for (const range of divideMap(map, bits)) {
    const entries = await sorter.entriesOf(range.from, range.depth);
    for (const chunk of makeStateChunks(map, range, entries, CHUNK_BYTES)) {
      yield chunk;
      await nextTurn();
      signal.throwIfAborted();
    }
  }
}
