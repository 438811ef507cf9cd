import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { equalBytes, uintBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytesUpTo, struct } from '../codec/schema.ts';
import { blockHash, decodeHeader, HEADER_BYTES_MAX } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX } from '../ledger/certificate.ts';
import { type LedgerStart, lastBlockBefore } from '../ledger/ledger-start.ts';
import { pathAfter, readStateChunk, STATE_CHUNK_BYTES_MAX } from '../ledger/state-chunk.ts';
import { makeValidatorSet, VALIDATOR_LIST_BYTES_MAX, validatorListSchema } from '../ledger/validator-set.ts';
import type { Store } from './block-store.ts';
import { FILE_MODE, syncFolder, systemErrorCode } from './durable-file.ts';
import { StorageError } from './storage-error.ts';
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
      yield* frameOf(encode(lastBlockSchema, last));
      for await (const { encoded } of chunks) yield* frameOf(encoded);
    }
    await pipeline(frames, createWriteStream(part, { mode: FILE_MODE, flush: true }));
  });
  await rename(part, file);
  await syncFolder(path.dirname(file));
}

/**
 * Fills an empty store with what `file` says the ledger starts with, all of it proven against the genesis file; the
 * blocks before are not there then. Cut off at any instruction, the store is empty or full. Error: StartStateUnusable.
 */
export async function installStartState(store: Store, file: string, start: LedgerStart): Promise<void> {
  const { height, hash } = start.parent;
  const frames = framesOf(file);
  try {
    const staging = await store.beginInstall();
    const { header, certificate, validators } = decode(lastBlockSchema, await nextOf(frames), LAST_BLOCK_BYTES_MAX);
    const { validatorsHash, timestampMs } = decodeHeader(header);
    const lastHash = blockHash(header);
    const { hash: listHash } = makeValidatorSet(decode(validatorListSchema, validators, VALIDATOR_LIST_BYTES_MAX));
    if (!equalBytes(lastHash, lastBlockBefore(start)!) || !equalBytes(listHash, validatorsHash))
      throw new DecodeError('it begins with another block than the one that the ledger goes on from');
    await staging.putHeaders([{ height, hash: lastHash, header, certificate }]);
    await store.putValidatorList(listHash, validators);
    for (let next: Uint8Array | undefined = new Uint8Array(32); next !== undefined; ) {
      const chunk = readStateChunk(start.restart!.stateRoot, await nextOf(frames));
      if (typeof chunk === 'string') throw new DecodeError(`a part of it is not of the state (${chunk})`);
      if (!equalBytes(chunk.from, next)) throw new DecodeError('a part of the state is missing');
      await staging.putState(chunk.entries);
      next = pathAfter(chunk);
    }
    const record = { tip: { height, hash }, recentIdsRemovedBeforeMs: timestampMs, transactions: 0, gapFrom: 1 };
    await store.install(staging, record, () => undefined);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw unusable(
        file,
        `The ledger was restarted, and what it goes on from is not here: there is no ${file}.`,
        error,
      );
    if (error instanceof DecodeError || error instanceof RangeError)
      throw unusable(file, `What the ledger goes on from can not be read from ${file}: ${error.message}.`, error);
    throw error;
  } finally {
    await frames.return(undefined);
  }
}

function unusable(file: string, fault: string, cause: unknown): StorageError {
  const remedy = 'Copy the file "start-state" from the data folder of a member whose node runs.';
  return new StorageError('StartStateUnusable', file, fault, remedy, cause);
}

function* frameOf(bytes: Uint8Array): Generator<Uint8Array> {
  yield uintBytes(bytes.length, 4);
  yield bytes;
}

async function nextOf(frames: AsyncGenerator<Uint8Array, void>): Promise<Uint8Array> {
  const { value } = await frames.next();
  if (value === undefined) throw new DecodeError('it ends too early');
  return value;
}

/** The whole frames of a file, as far as there are any. */
async function* framesOf(file: string): AsyncGenerator<Uint8Array, void> {
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

function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length > STATE_CHUNK_BYTES_MAX) throw new DecodeError(`a part of it has ${length} bytes`);
  return length;
}
