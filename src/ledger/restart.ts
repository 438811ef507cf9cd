import { decode, encode, withoutLastElement } from '../codec/cbor.ts';
import { bytes, bytesUpTo, list, struct, text, uint } from '../codec/schema.ts';
import { signedPreimage, taggedHash } from '../crypto/hash.ts';
import { validatorAddressesSchema } from './action.ts';
import { GENESIS_BYTES_MAX } from './genesis.ts';
import { ORGANISATIONS_MAX } from './state.ts';
import type { TransactionSignature } from './transaction.ts';
import { VALIDATORS_MAX } from './validator-set.ts';

/**
 * First element of a restart file. It is never that of a founding genesis (GENESIS_VERSION): by it the two are told
 * apart.
 */
export const RESTART_VERSION = 2;
/** Most restarts that follow one another: a restart file holds the file of the ledger before it, and so on. */
export const RESTARTS_MAX = 8;
/** Most signatures of one file: every key of as many organisations as a ledger has, and more. */
const RESTART_SIGNATURES_MAX = 1_024;
/** Most bytes of what a restart adds to the file of the ledger before it. */
const RESTART_BYTES_MAX = 1024 * 1024;
/** Most bytes of a ledger's genesis file of either kind. */
const GENESIS_FILE_BYTES_MAX = GENESIS_BYTES_MAX + RESTARTS_MAX * RESTART_BYTES_MAX;

/** The certified end of the ledger that is restarted. */
interface RestartOrigin {
  /** The whole genesis file of that ledger: a founding genesis, or the file of an earlier restart. */
  readonly genesis: Uint8Array;
  /** H: height of its highest certified block. */
  readonly height: number;
  /** Hash of that block; where the ledger has none of its own, its genesis hash. */
  readonly blockHash: Uint8Array;
  /** Root of the state after it. */
  readonly stateRoot: Uint8Array;
}

/** A seat in the new ledger. */
export interface RestartSeat {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Address of its organisation. */
  readonly organisation: Uint8Array;
  /** Multiaddrs of a key that had no seat so far; none of one that had. */
  readonly addresses: readonly string[];
}

/** All that a restarted ledger starts from; what the members sign. Its hash is the genesis hash from H + 1 on. */
export interface RestartDocument {
  readonly version: number;
  /** Name of the ledger, as before. */
  readonly ledger: string;
  /** Timestamp of the start, later than that of block H; that of block H + 1 is later still. */
  readonly createdMs: number;
  readonly origin: RestartOrigin;
  /** In ascending order of key. */
  readonly validators: readonly RestartSeat[];
  /** Addresses of organisations that are lost for good, ascending: their accounts act no more. */
  readonly suspended: readonly Uint8Array[];
  /** Root of the state that the new ledger starts with. */
  readonly stateRoot: Uint8Array;
}

/** A restart with signatures: the genesis file of the new ledger. */
export interface RestartFile extends RestartDocument {
  /** Sorted by (account, keyIndex), unique. */
  readonly signatures: readonly TransactionSignature[];
}

const documentFields = {
  version: uint(0xffff),
  ledger: text(64),
  createdMs: uint(),
  origin: struct<RestartOrigin>({
    genesis: bytesUpTo(GENESIS_FILE_BYTES_MAX),
    height: uint(),
    blockHash: bytes(32),
    stateRoot: bytes(32),
  }),
  validators: list(
    struct<RestartSeat>({ publicKey: bytes(32), organisation: bytes(32), addresses: validatorAddressesSchema }),
    VALIDATORS_MAX,
  ),
  suspended: list(bytes(32), ORGANISATIONS_MAX),
  stateRoot: bytes(32),
};

const documentSchema = struct<RestartDocument>(documentFields);

const fileSchema = struct<RestartFile>({
  ...documentFields,
  signatures: list(
    struct<TransactionSignature>({ account: bytes(32), keyIndex: uint(0xff), bytes: bytes(64) }),
    RESTART_SIGNATURES_MAX,
  ),
});

/** The canonical bytes of a restart with its signatures: what is handed to every member. */
export function encodeRestart(file: RestartFile): Uint8Array {
  return encode(fileSchema, file);
}

/** Throws a DecodeError on anything that is not a canonical restart file; its meaning is not judged. */
export function decodeRestart(encoded: Uint8Array): RestartFile {
  return decode(fileSchema, encoded, GENESIS_FILE_BYTES_MAX);
}

/** True for bytes that claim to be a restart: an array whose first element is RESTART_VERSION. */
export function isRestart(encoded: Uint8Array): boolean {
  return encoded[0] === 0x88 && encoded[1] === RESTART_VERSION;
}

/**
 * SHA-256("medledger/v1/GENESIS" ‖ 0x00 ‖ canonical bytes without the signatures), 32 bytes: the ledger has the same
 * name whoever signed. No founding genesis has these bytes, for it has another first element.
 */
export function restartHash(encoded: Uint8Array): Uint8Array {
  return taggedHash('GENESIS', withoutLastElement(encoded));
}

/** What every signer signs, under the kind RESTART and the genesis hash of the ledger that ends. */
export function restartPreimage(oldGenesisHash: Uint8Array, document: RestartDocument): Uint8Array {
  return signedPreimage('RESTART', oldGenesisHash, encode(documentSchema, document));
}
