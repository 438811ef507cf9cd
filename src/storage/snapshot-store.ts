import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { divideMap, type EncodedChunk, makeStateChunks } from '../ledger/state-chunk.ts';
import type { StateMap } from '../ledger/state-map.ts';
import type { StateEntry } from './block-commit.ts';
import { makeFolder, syncFolder } from './durable-file.ts';
import { PathSorter } from './path-sorter.ts';
import { openSnapshotFile, type SnapshotFile, writeSnapshotFile } from './snapshot-file.ts';

/** Snapshots kept: while a joiner reads the older one, the newer may be made. */
const SNAPSHOTS_KEPT = 2;
/** Bytes of a chunk at most: half of what one may have, so that making one takes few milliseconds. */
const CHUNK_BYTES = 512 * 1024;
/** What is sorted at a time, roughly, and what an entry takes, roughly. */
const BUCKET_BYTES = 4 * 2 ** 20;
const ENTRY_BYTES_AROUND = 256;
const BUCKET_BITS_MAX = 12;

/** The complete state after one block. */
export interface SnapshotSource {
  readonly height: number;
  readonly map: StateMap;
  /** The values of `map`, of no later block. */
  readonly entries: () => AsyncIterable<StateEntry>;
}

/**
 * The newest snapshots of the state, each a file of chunks that a peer can prove one by one. After a crash at any
 * instruction the folder holds whole snapshots alone: those before, or with the new one.
 */
export class SnapshotStore {
  readonly #folder: string;
  readonly #genesisHash: Uint8Array;
  /** Newest first. */
  #files: SnapshotFile[] = [];

  private constructor(folder: string, genesisHash: Uint8Array) {
    this.#folder = folder;
    this.#genesisHash = genesisHash;
  }

  /**
   * Opens the folder, creating it where there is none. What is unfinished, damaged or of another ledger is removed: a
   * snapshot is made again soon, from a state that is checked.
   */
  static async open(folder: string, genesisHash: Uint8Array): Promise<SnapshotStore> {
    await makeFolder(folder);
    const store = new SnapshotStore(folder, genesisHash);
    for (const name of await readdir(folder)) {
      const height = /^[1-9][0-9]{0,15}$/.test(name) ? Number(name) : undefined;
      const file = height && (await openSnapshotFile(path.join(folder, name), genesisHash, height));
      if (file) store.#files.push(file);
      else await rm(path.join(folder, name), { force: true, recursive: true });
    }
    store.#files.sort((a, b) => b.height - a.height);
    await store.#prune();
    return store;
  }

  /** Heights of the snapshots that are here, newest first. */
  get heights(): readonly number[] {
    return this.#files.map(({ height }) => height);
  }

  /**
   * Writes a snapshot and removes the oldest when there are too many. Yields to the event loop all along. Rejects when
   * the disk refuses, or with the reason of `signal`; then the snapshots before are as they were.
   */
  async write({ height, map, entries }: SnapshotSource, signal: AbortSignal): Promise<void> {
    if (this.heights.includes(height)) return;
    const file = path.join(this.#folder, String(height));
    const bits = Math.ceil(Math.log2(Math.max(1, (map.size * ENTRY_BYTES_AROUND) / BUCKET_BYTES)));
    const sorter = new PathSorter(`${file}.sort`, Math.min(bits, BUCKET_BITS_MAX));
    try {
      for await (const entry of entries()) {
        signal.throwIfAborted();
        await sorter.add(entry);
      }
      const chunks = chunksOf(map, sorter, Math.min(bits, BUCKET_BITS_MAX), signal);
      await writeSnapshotFile(file, this.#genesisHash, height, chunks);
    } finally {
      await sorter.close();
    }
    const written = await openSnapshotFile(file, this.#genesisHash, height);
    if (written === undefined) throw new Error(`the snapshot ${file} can not be read back`);
    this.#files = [written, ...this.#files].sort((a, b) => b.height - a.height);
    await this.#prune();
  }

  /** The chunk of the snapshot at `height` whose range holds `path`; undefined when it is not here or damaged. */
  async chunk(height: number, chunkPath: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#files.find((file) => file.height === height)?.chunkAt(chunkPath);
  }

  async close(): Promise<void> {
    for (const file of this.#files.splice(0)) await file.close();
  }

  async #prune(): Promise<void> {
    for (const old of this.#files.splice(SNAPSHOTS_KEPT)) {
      await old.close();
      await rm(path.join(this.#folder, String(old.height)), { force: true });
    }
    await syncFolder(this.#folder);
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
