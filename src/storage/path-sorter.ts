import { type FileHandle, open, rm } from 'node:fs/promises';
import { compareBytes, concatBytes, uintBytes } from '../codec/bytes.ts';
import type { ChunkEntry } from '../ledger/state-chunk.ts';
import { mapPath } from '../ledger/state-map.ts';
import type { StateEntry } from './block-commit.ts';
import { FILE_MODE } from './durable-file.ts';

/** Bytes of one bucket held before they go to the file. */
const BUCKET_BUFFER_BYTES = 32 * 1024;
const ENTRY_HEAD_BYTES = 6;

interface Bucket {
  held: Uint8Array[];
  heldBytes: number;
  /** Where the rest lies in the file. */
  readonly extents: { readonly offset: number; readonly length: number }[];
}

/**
 * Brings state entries, which come by key, into the order of their paths: by the first bits of the path into buckets,
 * each read and sorted by itself later. What a bucket does not hold in memory lies in one temporary file.
 */
export class PathSorter {
  readonly #file: string;
  readonly #bits: number;
  readonly #buckets: readonly Bucket[];
  #handle: FileHandle | undefined;
  #end = 0;

  /** `bits` from 0 to 16: as many buckets as they can name. With 0 all is held in memory. */
  constructor(file: string, bits: number) {
    this.#file = file;
    this.#bits = bits;
    this.#buckets = Array.from({ length: 2 ** bits }, () => ({ held: [], heldBytes: 0, extents: [] }));
  }

  async add({ key, value }: StateEntry): Promise<void> {
    const bucket = this.#buckets[this.#bucketOf(mapPath(key))]!;
    const record = concatBytes(uintBytes(key.length, 2), uintBytes(value.length, 4), key, value);
    bucket.held.push(record);
    bucket.heldBytes += record.length;
    if (this.#bits > 0 && bucket.heldBytes >= BUCKET_BUFFER_BYTES) await this.#spill(bucket);
  }

  /** The entries whose paths have the first `depth` bits of `from`, by path. `depth` is at most the bits of a bucket. */
  async entriesOf(from: Uint8Array, depth: number): Promise<ChunkEntry[]> {
    const first = this.#bucketOf(from);
    const entries: ChunkEntry[] = [];
    for (let place = first; place < first + 2 ** (this.#bits - depth); place += 1) {
      const { extents, held } = this.#buckets[place]!;
      for (const { offset, length } of extents) {
        const bytes = new Uint8Array(length);
        await this.#handle!.read(bytes, 0, length, offset);
        readRecords(bytes, entries);
      }
      for (const record of held) readRecords(record, entries);
    }
    return entries.sort((a, b) => compareBytes(a.path, b.path));
  }

  /** Removes the temporary file. */
  async close(): Promise<void> {
    await this.#handle?.close();
    await rm(this.#file, { force: true });
  }

  #bucketOf(path: Uint8Array): number {
    return ((path[0]! << 8) | path[1]!) >> (16 - this.#bits);
  }

  async #spill(bucket: Bucket): Promise<void> {
    this.#handle ??= await open(this.#file, 'w+', FILE_MODE);
    const bytes = concatBytes(...bucket.held);
    bucket.held = [];
    bucket.heldBytes = 0;
    bucket.extents.push({ offset: this.#end, length: bytes.length });
    const offset = this.#end;
    this.#end += bytes.length;
    await this.#handle.write(bytes, 0, bytes.length, offset);
  }
}

function readRecords(bytes: Uint8Array, entries: ChunkEntry[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const keyEnd = at + ENTRY_HEAD_BYTES + view.getUint16(at);
    const end = keyEnd + view.getUint32(at + 2);
    const key = bytes.slice(at + ENTRY_HEAD_BYTES, keyEnd);
    entries.push({ path: mapPath(key), key, value: bytes.slice(keyEnd, end) });
    at = end;
  }
}
