import { equalBytes } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { ParentBlock } from './block-execution.ts';
import { decodeGenesis, type GenesisDocument, genesisHash } from './genesis.ts';
import { decodeRestart, isRestart, RESTARTS_MAX, type RestartFile, restartHash } from './restart.ts';
import type { Validator } from './validator-set.ts';

/** Where a ledger starts, whichever kind its genesis file is: what everything asks that asks about a genesis. */
export interface LedgerStart {
  /** Names the ledger: stands in its blocks and in everything signed from its first height on. */
  readonly genesisHash: Uint8Array;
  /** Name of the ledger, for people. */
  readonly ledger: string;
  /** What its first block builds on: the genesis hash at height 0, or at the height of the restart. */
  readonly parent: ParentBlock;
  /** The validators of its first height. */
  readonly validators: readonly Validator[];
  /** The genesis that it all began with. */
  readonly founding: GenesisDocument;
  /** The restart that this is; undefined for a ledger that goes on since its founding. */
  readonly restart: RestartFile | undefined;
  /** The ledger that it goes on from; undefined at the founding. */
  readonly before: LedgerStart | undefined;
}

/** Reads a genesis file of either kind. Throws a DecodeError on anything else; the meaning is not judged. */
export function readLedgerStart(encoded: Uint8Array): LedgerStart {
  return readStart(encoded, 0);
}

/**
 * The genesis hash under which the block of a height was made, its transactions signed, its records named and sealed;
 * up to the start of the ledger that of the one before, and so on.
 */
export function genesisHashAt(start: LedgerStart, height: number): Uint8Array {
  let at = start;
  while (at.before !== undefined && height <= at.parent.height) at = at.before;
  return at.genesisHash;
}

/** The ledger and all that it goes on from, the founding first. */
export function ledgerLine(start: LedgerStart): readonly LedgerStart[] {
  return start.before === undefined ? [start] : [...ledgerLine(start.before), start];
}

/** Hash of the block at the height that the ledger starts from; undefined at a founding, which has none. */
export function lastBlockBefore(start: LedgerStart): Uint8Array | undefined {
  const { before, restart } = start;
  if (before === undefined || restart === undefined) return undefined;
  return restart.origin.height > before.parent.height ? restart.origin.blockHash : lastBlockBefore(before);
}

function readStart(encoded: Uint8Array, depth: number): LedgerStart {
  if (!isRestart(encoded)) return foundingStart(encoded);
  if (depth >= RESTARTS_MAX) throw new DecodeError(`more than ${RESTARTS_MAX} restarts one after the other`);
  const restart = decodeRestart(encoded);
  const { origin, createdMs, ledger } = restart;
  const before = readStart(origin.genesis, depth + 1);
  if (origin.height === 0) throw new DecodeError('a restart of a ledger without blocks');
  if (origin.height < before.parent.height)
    throw new DecodeError(`a restart at height ${origin.height} of a ledger that starts at ${before.parent.height}`);
  if (origin.height === before.parent.height && !equalBytes(origin.blockHash, before.genesisHash))
    throw new DecodeError('a restart at the start of a ledger that names a block there');
  const hash = restartHash(encoded);
  return {
    genesisHash: hash,
    ledger,
    parent: { height: origin.height, hash, timestampMs: createdMs },
    validators: restart.validators.map(({ publicKey, organisation }) => ({ publicKey, organisation })),
    founding: before.founding,
    restart,
    before,
  };
}

function foundingStart(encoded: Uint8Array): LedgerStart {
  const founding = decodeGenesis(encoded);
  const hash = genesisHash(encoded);
  return {
    genesisHash: hash,
    ledger: founding.ledger,
    parent: { height: 0, hash, timestampMs: founding.createdMs },
    validators: founding.validators,
    founding,
    restart: undefined,
    before: undefined,
  };
}
