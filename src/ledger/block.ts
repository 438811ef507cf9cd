import { decode, encode } from '../codec/cbor.ts';
import { bytes, bytesUpTo, list, struct, uint } from '../codec/schema.ts';
import { taggedHash } from '../crypto/hash.ts';

/** Newest protocol version that this build knows. A header names the one in force at its height (parameters.ts). */
export const HEADER_VERSION = 1;
/** Most bytes of an encoded header. */
export const HEADER_BYTES_MAX = 512;

/** What a block commits to. No view and no certificate: those differ between honest nodes. */
export interface Header {
  readonly version: number;
  readonly genesisHash: Uint8Array;
  /** Height of this block; the first is 1, after the genesis state at 0. */
  readonly height: number;
  /** Hash of the block at height − 1; for height 1 the genesis hash. */
  readonly previousHash: Uint8Array;
  /** Milliseconds since the Unix epoch, greater than the parent's. */
  readonly timestampMs: number;
  /** Index of the proposing validator in the set of this height. */
  readonly proposer: number;
  /** RFC 6962 root over the full encodings of the transactions. */
  readonly txRoot: Uint8Array;
  /** Root of the block's transaction index (index.md, inner). */
  readonly indexRoot: Uint8Array;
  /** Root of the authenticated state after this block. */
  readonly stateRoot: Uint8Array;
  readonly validatorsHash: Uint8Array;
  readonly nextValidatorsHash: Uint8Array;
  readonly txCount: number;
  /** Sum of the lengths of the transactions' encodings. */
  readonly bodyBytes: number;
  readonly executionCost: number;
}

/** Wire form of a header. */
const headerSchema = struct<Header>({
  version: uint(0xffff),
  genesisHash: bytes(32),
  height: uint(),
  previousHash: bytes(32),
  timestampMs: uint(),
  proposer: uint(0xff),
  txRoot: bytes(32),
  indexRoot: bytes(32),
  stateRoot: bytes(32),
  validatorsHash: bytes(32),
  nextValidatorsHash: bytes(32),
  txCount: uint(0xffffffff),
  bodyBytes: uint(0xffffffff),
  executionCost: uint(),
});

/** The canonical bytes of a header. */
export function encodeHeader(header: Header): Uint8Array {
  return encode(headerSchema, header);
}

/** Throws a DecodeError on anything that is not a canonical header. */
export function decodeHeader(encoded: Uint8Array): Header {
  return decode(headerSchema, encoded, HEADER_BYTES_MAX);
}

/** SHA-256("medledger/v1/BLOCK" ‖ 0x00 ‖ header), 32 bytes. */
export function blockHash(encodedHeader: Uint8Array): Uint8Array {
  return taggedHash('BLOCK', encodedHeader);
}

/** Most transactions and body bytes that any block may hold, whatever the parameters in force. */
export const BLOCK_TRANSACTIONS_MAX = 4096;
/** Most bytes of the transactions of any block together, whatever the parameters in force. */
export const BLOCK_BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Transaction bodies as stored and sent. */
export const bodiesSchema = list(bytesUpTo(BLOCK_BODY_BYTES_MAX), BLOCK_TRANSACTIONS_MAX);
