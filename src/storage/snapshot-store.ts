import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, syncFolder } from './durable-file.ts';
import { openSnapshotFile, type SnapshotFile, writeSnapshotFile } from './snapshot-file.ts';
import { type WholeState, withStateChunks } from './whole-state.ts';

/** Snapshots kept: while a joiner reads the older one, the newer may be made. */
const SNAPSHOTS_KEPT = 2;
/** The complete state after one block. */
export interface SnapshotSource extends WholeState {
  readonly height: number;
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
    await withStateChunks({ map, entries }, `${file}.sort`, signal, (chunks) =>
      writeSnapshotFile(file, this.#genesisHash, height, chunks),
    );
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
