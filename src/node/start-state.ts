import { equalBytes } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { blockHash, decodeHeader } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, certificateFault, certificateSchema } from '../ledger/certificate.ts';
import { genesisHashAt, type LedgerStart, lastBlockBefore } from '../ledger/ledger-start.ts';
import { pathAfter, readStateChunk } from '../ledger/state-chunk.ts';
import { makeValidatorSet, VALIDATOR_LIST_BYTES_MAX, validatorListSchema } from '../ledger/validator-set.ts';
import type { Store } from '../storage/block-store.ts';
import { systemErrorCode } from '../storage/durable-file.ts';
import { decodeLastBlock, type LastBlock, readStartState } from '../storage/start-state-file.ts';
import { StorageError } from '../storage/storage-error.ts';

/**
 * Fills an empty store with what `file` says a restarted ledger starts with, all of it proven against the genesis
 * file; the blocks before are not there then. Cut off at any instruction, the store is empty or full. Error:
 * StartStateUnusable.
 */
export async function installStartState(store: Store, file: string, start: LedgerStart): Promise<void> {
  const { height, hash } = start.parent;
  const frames = readStartState(file);
  try {
    const staging = await store.beginInstall();
    const last = provenLastBlock(decodeLastBlock(await nextOf(frames)), start);
    await staging.putHeaders([{ ...last, height }]);
    await store.putValidatorList(last.validatorsHash, last.validators);
    for (let next: Uint8Array | undefined = new Uint8Array(32); next !== undefined; ) {
      const chunk = readStateChunk(start.restart!.stateRoot, await nextOf(frames));
      if (typeof chunk === 'string') throw new DecodeError(`a part of it is not of the state (${chunk})`);
      if (!equalBytes(chunk.from, next)) throw new DecodeError('a part of the state is missing');
      await staging.putState(chunk.entries);
      next = pathAfter(chunk);
    }
    const record = { tip: { height, hash }, transactions: 0, gapFrom: 1 };
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
    await frames.return();
  }
}

/** The block that the ledger goes on from, with its hash; throws where it is another, or not certified. */
function provenLastBlock(last: LastBlock, start: LedgerStart) {
  const hash = blockHash(last.header);
  const { validatorsHash, timestampMs } = decodeHeader(last.header);
  const set = makeValidatorSet(decode(validatorListSchema, last.validators, VALIDATOR_LIST_BYTES_MAX));
  if (!equalBytes(hash, lastBlockBefore(start)!) || !equalBytes(set.hash, validatorsHash))
    throw new DecodeError('it begins with another block than the one that the ledger goes on from');
  const certificate = decode(certificateSchema, last.certificate, CERTIFICATE_BYTES_MAX);
  const genesisHash = genesisHashAt(start, start.parent.height);
  const fault = certificateFault('COMMIT', certificate, set, genesisHash, verifySignature);
  if (fault !== undefined || !equalBytes(certificate.blockHash, hash))
    throw new DecodeError(`the commit of its block is not proven (${fault ?? 'another block'})`);
  return { ...last, hash, validatorsHash, timestampMs };
}

async function nextOf(frames: AsyncGenerator<Uint8Array, void>): Promise<Uint8Array> {
  const { value } = await frames.next();
  if (value === undefined) throw new DecodeError('it ends too early');
  return value;
}

function unusable(file: string, fault: string, cause: unknown): StorageError {
  const remedy = 'Copy the file "start-state" from the data folder of a member whose node runs.';
  return new StorageError('StartStateUnusable', file, fault, remedy, cause);
}
