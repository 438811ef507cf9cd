import { decode, encode } from '../codec/cbor.ts';
import { bytesUpTo, type Schema, struct } from '../codec/schema.ts';
import { BLOCK_BODY_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, bodiesSchema, HEADER_BYTES_MAX } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX } from '../ledger/certificate.ts';

/** A committed block as it travels between nodes. */
export interface BlockFrame {
  /** Canonical header bytes. */
  readonly header: Uint8Array;
  /** Canonical commit-certificate bytes. */
  readonly certificate: Uint8Array;
  readonly transactions: readonly Uint8Array[];
}

/** Most bytes of a block frame, with room for the length prefixes of the bodies. */
export const BLOCK_FRAME_BYTES_MAX =
  BLOCK_BODY_BYTES_MAX + 5 * BLOCK_TRANSACTIONS_MAX + HEADER_BYTES_MAX + CERTIFICATE_BYTES_MAX + 64;

const blockFrameSchema: Schema<BlockFrame> = struct<BlockFrame>({
  header: bytesUpTo(HEADER_BYTES_MAX),
  certificate: bytesUpTo(CERTIFICATE_BYTES_MAX),
  transactions: bodiesSchema,
});

/** The bytes of a block for catch-up and gossip. */
export function encodeBlockFrame(frame: BlockFrame): Uint8Array {
  return encode(blockFrameSchema, frame);
}

/** Throws a DecodeError on anything else; what it says is unverified. */
export function decodeBlockFrame(encoded: Uint8Array): BlockFrame {
  return decode(blockFrameSchema, encoded, BLOCK_FRAME_BYTES_MAX);
}
