import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { uintBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytesUpTo, struct } from '../codec/schema.ts';
import { HEADER_BYTES_MAX } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX } from '../ledger/certificate.ts';
import { STATE_CHUNK_BYTES_MAX } from '../ledger/state-chunk.ts';
import { VALIDATOR_LIST_BYTES_MAX } from '../ledger/validator-set.ts';
import { FILE_MODE, syncFolder } from './durable-file.ts';
import { type WholeState, withStateChunks } from './whole-state.ts';

/** The block that a restarted ledger goes on from, as canonical bytes. */
export interface LastBlock {
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  /** The list of the validators that certified it. */
  readonly validators: Uint8Array;
}

const lastBlockSchema = struct<LastBlock>({
  header: bytesUpTo(HEADER_BYTES_MAX),
  certificate: bytesUpTo(CERTIFICATE_BYTES_MAX),
  validators: bytesUpTo(VALIDATOR_LIST_BYTES_MAX),
});
const LAST_BLOCK_BYTES_MAX = HEADER_BYTES_MAX + CERTIFICATE_BYTES_MAX + VALIDATOR_LIST_BYTES_MAX + 16;

/**
 * Writes what a restarted ledger starts with as `file`, for a member that has it not: frames of length u32be ‖ bytes,
 * first the last block, then the state in chunks in order of path. After a crash at any instruction it is there whole
 * or not at all.
 */
export async function writeStartState(file: string, last: LastBlock, state: WholeState): Promise<void> {
  const part = `${file}.new`;
  await withStateChunks(state, `${file}.sort`, new AbortController().signal, async (chunks) => {
    async function* frames() {
      yield* frameOf(encodeLastBlock(last));
      for await (const { encoded } of chunks) yield* frameOf(encoded);
    }
    await pipeline(frames, createWriteStream(part, { mode: FILE_MODE, flush: true }));
  });
  await rename(part, file);
  await syncFolder(path.dirname(file));
}

/**
 * What `writeStartState` wrote, frame by frame, as far as it is there; nothing of it is proven. Errors: ENOENT of the
 * system, a DecodeError for what is no such file.
 */
export async function* readStartState(file: string): AsyncGenerator<Uint8Array, void> {
  let rest = Buffer.alloc(0);
  for await (const piece of createReadStream(file, { highWaterMark: STATE_CHUNK_BYTES_MAX })) {
    rest = Buffer.concat([rest, piece as Buffer]);
    for (
      let length = frameLength(rest);
      length !== undefined && rest.length >= 4 + length;
      length = frameLength(rest)
    ) {
      yield Uint8Array.from(rest.subarray(4, 4 + length));
      rest = rest.subarray(4 + length);
    }
  }
}

/** Reads the first frame. Throws a DecodeError when it is not the canonical encoding of a last block. */
export function decodeLastBlock(frame: Uint8Array): LastBlock {
  return decode(lastBlockSchema, frame, LAST_BLOCK_BYTES_MAX);
}

/** The first frame: what `decodeLastBlock` reads. */
export function encodeLastBlock(last: LastBlock): Uint8Array {
  return encode(lastBlockSchema, last);
}

function* frameOf(bytes: Uint8Array): Generator<Uint8Array> {
  yield uintBytes(bytes.length, 4);
  yield bytes;
}

function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length > STATE_CHUNK_BYTES_MAX) throw new DecodeError(`a part of it has ${length} bytes`);
  return length;
}
