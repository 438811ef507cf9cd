import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { compareBytes, concatBytes, equalBytes, uintBytes } from '../codec/bytes.ts';
import type { EncodedChunk } from '../ledger/state-chunk.ts';
import { FILE_MODE, syncFolder } from './durable-file.ts';
import { readU64 } from './schema.ts';

/** Version of the file layout (schema.ts), checked at opening. */
const SNAPSHOT_FORMAT = 1;
const HEAD_BYTES = 44;
const ROW_BYTES = 50;
const TAIL_BYTES = 8;

/** Where a chunk lies in a snapshot's file. */
interface ChunkRow {
  readonly from: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
}

/** A whole snapshot on disk, its table in memory. */
export class SnapshotFile {
  readonly height: number;
  readonly #handle: FileHandle;
  /** In ascending order of `from`; together they cover all paths. */
  readonly #rows: readonly ChunkRow[];

  /** Made by `openSnapshotFile` alone. */
  constructor(height: number, handle: FileHandle, rows: readonly ChunkRow[]) {
    this.height = height;
    this.#handle = handle;
    this.#rows = rows;
  }

  get chunks(): number {
    return this.#rows.length;
  }

  /** The chunk whose range holds `path`; undefined when its bytes are damaged. */
  async chunkAt(chunkPath: Uint8Array): Promise<Uint8Array | undefined> {
    const after = this.#rows.findIndex(({ from }) => compareBytes(from, chunkPath) > 0);
    const row = this.#rows.at(after < 0 ? -1 : after - 1);
    if (row === undefined) return undefined;
    const bytes = new Uint8Array(row.length);
    const { bytesRead } = await this.#handle.read(bytes, 0, row.length, row.offset);
    return bytesRead === row.length && crc32(bytes) === row.checksum ? bytes : undefined;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Opens a finished snapshot; undefined when it is damaged or not one of this ledger and format. */
export async function openSnapshotFile(
  file: string,
  genesisHash: Uint8Array,
  height: number,
): Promise<SnapshotFile | undefined> {
  const handle = await open(file, 'r');
  const rows = await readTable(handle, headOf(genesisHash, height));
  if (rows !== undefined) return new SnapshotFile(height, handle, rows);
  await handle.close();
  return undefined;
}

/**
 * Writes chunks, in order of their ranges, as the snapshot `file`: after a crash at any instruction it is there whole
 * or not at all; what a failure leaves is a `.part`.
 */
export async function writeSnapshotFile(
  file: string,
  genesisHash: Uint8Array,
  height: number,
  chunks: AsyncIterable<EncodedChunk>,
): Promise<void> {
  const part = `${file}.part`;
  const head = headOf(genesisHash, height);
  const handle = await open(part, 'w', FILE_MODE);
  try {
    await handle.write(head);
    const rows: Uint8Array[] = [];
    let offset = head.length;
    for await (const { from, depth, encoded } of chunks) {
      await handle.write(encoded);
      rows.push(
        concatBytes(
          from,
          uintBytes(depth, 2),
          uintBytes(offset, 8),
          uintBytes(encoded.length, 4),
          uintBytes(crc32(encoded), 4),
        ),
      );
      offset += encoded.length;
    }
    const table = concatBytes(...rows, uintBytes(rows.length, 4));
    await handle.write(concatBytes(table, uintBytes(crc32(table, crc32(head)), 4)));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  await syncFolder(path.dirname(file));
}

function headOf(genesisHash: Uint8Array, height: number): Uint8Array {
  return concatBytes(uintBytes(SNAPSHOT_FORMAT, 4), genesisHash, uintBytes(height, 8));
}

async function readTable(handle: FileHandle, expectedHead: Uint8Array): Promise<readonly ChunkRow[] | undefined> {
  const { size } = await handle.stat();
  if (size < HEAD_BYTES + TAIL_BYTES) return undefined;
  const head = await readAt(handle, 0, HEAD_BYTES);
  if (!equalBytes(head, expectedHead)) return undefined;
  const tail = viewOf(await readAt(handle, size - TAIL_BYTES, TAIL_BYTES));
  const count = tail.getUint32(0);
  const tableBytes = count * ROW_BYTES + 4;
  const start = size - tableBytes - 4;
  if (count === 0 || start < HEAD_BYTES) return undefined;
  const table = await readAt(handle, start, tableBytes);
  if (crc32(table, crc32(head)) !== tail.getUint32(4)) return undefined;
  const view = viewOf(table);
  return Array.from({ length: count }, (_, place) => {
    const at = place * ROW_BYTES;
    return {
      from: table.slice(at, at + 32),
      offset: readU64(table, at + 34),
      length: view.getUint32(at + 42),
      checksum: view.getUint32(at + 46),
    };
  });
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await handle.read(bytes, 0, length, position);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
