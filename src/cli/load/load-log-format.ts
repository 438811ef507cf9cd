import { crc32 } from 'node:zlib';
import { concatBytes, equalBytes, uintBytes, utf8 } from '../../codec/bytes.ts';
import { decode, encode } from '../../codec/cbor.ts';
import { DecodeError } from '../../codec/decode-error.ts';
import { bytes, bytesUpTo, list, struct, uint, union } from '../../codec/schema.ts';
import { ATTACHMENT_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../../ledger/transaction.ts';

/** One thing that a load has to remember. `mark` recognises a resource (see `KeyFolder.mark`). */
export type LoadEntry =
  /** The resource's transaction, remembered before it is sent for the first time. */
  | {
      readonly kind: 'Signed';
      readonly mark: Uint8Array;
      readonly txId: Uint8Array;
      readonly validUntilMs: number;
      readonly encoded: Uint8Array;
      readonly attachment: Uint8Array;
    }
  | { readonly kind: 'Committed'; readonly mark: Uint8Array; readonly height: number; readonly index: number }
  /** The transaction can never be applied (expired uncommitted, or refused for good): another may be signed. */
  | { readonly kind: 'Dropped'; readonly mark: Uint8Array }
  /** The account is on the ledger. */
  | { readonly kind: 'Registered'; readonly address: Uint8Array };

/** Most entries in one frame. */
const FRAME_ENTRIES_MAX = 1000;
/** Most bytes of their encoding. */
export const FRAME_BYTES_MAX = 64 * 2 ** 20;
/** Length of the random salt that tells the frames of one log from those of another. */
export const SALT_BYTES = 8;

const MAGIC = utf8('medledger load 1');
const HEADER_BYTES = MAGIC.length + SALT_BYTES + 32 + 4;
const FRAME_HEAD_BYTES = SALT_BYTES + 8;

const frameSchema = list(
  union<LoadEntry>({
    Signed: [
      1,
      struct({
        mark: bytes(32),
        txId: bytes(32),
        validUntilMs: uint(),
        encoded: bytesUpTo(TRANSACTION_BYTES_MAX),
        attachment: bytesUpTo(ATTACHMENT_BYTES_MAX),
      }),
    ],
    Committed: [2, struct({ mark: bytes(32), height: uint(), index: uint() })],
    Dropped: [3, struct({ mark: bytes(32) })],
    Registered: [4, struct({ address: bytes(32) })],
  }),
  FRAME_ENTRIES_MAX,
);

/** `"medledger load 1" ‖ salt[8] ‖ genesisHash[32] ‖ CRC-32 u32be`: what a log file begins with. */
export function encodeLogHeader(salt: Uint8Array, genesisHash: Uint8Array): Uint8Array {
  const header = concatBytes(MAGIC, salt, genesisHash);
  return concatBytes(header, uintBytes(crc32(header), 4));
}

/** `salt[8] ‖ length u32be ‖ CRC-32 u32be ‖ CBOR list of entries`: what is synced together or lost together. */
export function encodeFrame(salt: Uint8Array, entries: readonly LoadEntry[]): Uint8Array {
  const body = encode(frameSchema, entries);
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint32(0, body.length);
  view.setUint32(4, crc32(body));
  return concatBytes(salt, head, body);
}

/** A log file taken apart. */
export interface LoadLogContent {
  readonly salt: Uint8Array;
  readonly genesisHash: Uint8Array;
  readonly entries: readonly LoadEntry[];
  /** Bytes up to the end of the last whole frame; what follows was torn by a crash. */
  readonly length: number;
}

/**
 * Reads a log file. A frame is written once the one before is synced, so a crash can tear only the last: where a whole
 * frame follows a broken one, the file is damaged. Returns undefined then, and for a file that is no log.
 */
export function decodeLog(file: Uint8Array): LoadLogContent | undefined {
  const salt = file.slice(MAGIC.length, MAGIC.length + SALT_BYTES);
  const genesisHash = file.slice(MAGIC.length + SALT_BYTES, HEADER_BYTES - 4);
  if (!equalBytes(file.subarray(0, HEADER_BYTES), encodeLogHeader(salt, genesisHash))) return undefined;
  const entries: LoadEntry[] = [];
  let length = HEADER_BYTES;
  for (;;) {
    const frame = frameAt(file, length, salt);
    if (frame === undefined) break;
    entries.push(...frame.entries);
    length = frame.end;
  }
  return hasFrameAfter(file, length, salt) ? undefined : { salt, genesisHash, entries, length };
}

function frameAt(
  file: Uint8Array,
  start: number,
  salt: Uint8Array,
): { readonly entries: readonly LoadEntry[]; readonly end: number } | undefined {
  const bodyStart = start + FRAME_HEAD_BYTES;
  if (bodyStart > file.length || !equalBytes(file.subarray(start, start + SALT_BYTES), salt)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset + start + SALT_BYTES, 8);
  const end = bodyStart + view.getUint32(0);
  if (end > file.length) return undefined;
  const body = file.subarray(bodyStart, end);
  if (crc32(body) !== view.getUint32(4)) return undefined;
  try {
    return { entries: decode(frameSchema, body, FRAME_BYTES_MAX), end };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function hasFrameAfter(file: Uint8Array, from: number, salt: Uint8Array): boolean {
  const haystack = Buffer.from(file.buffer, file.byteOffset, file.length);
  for (let at = haystack.indexOf(salt, from); at >= 0; at = haystack.indexOf(salt, at + 1))
    if (frameAt(file, at, salt) !== undefined) return true;
  return false;
}
