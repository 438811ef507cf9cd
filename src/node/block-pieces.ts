import { concatBytes, uintBytes } from '../codec/bytes.ts';
import { BLOCK_FRAME_BYTES_MAX } from './block-frame.ts';

/** Bytes of one piece; a reply frame holds it beside its heads. */
const PIECE_BYTES = 1024 * 1024 - 16;
const LENGTH_BYTES = 8;

/** The part of a block frame that answers a request: the frame's length u64be, and the bytes from `offset` on. */
export function pieceOf(frame: Uint8Array, offset: number, pieceBytes = PIECE_BYTES): readonly Uint8Array[] {
  if (offset >= frame.length) return [];
  return [uintBytes(frame.length, LENGTH_BYTES), frame.subarray(offset, offset + pieceBytes)];
}

/**
 * A block frame put together from pieces, unchecked; undefined when the peer has none, contradicts itself, or names
 * more bytes than a block can have. `ask` gets the items of one answer.
 */
export async function fetchInPieces(
  ask: (offset: number) => Promise<readonly Uint8Array[]>,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let total: number | undefined;
  for (let offset = 0; total === undefined || offset < total; ) {
    const [length, piece, ...rest] = await ask(offset);
    if (length?.length !== LENGTH_BYTES || piece === undefined || piece.length === 0 || rest.length > 0)
      return undefined;
    const claimed = Number(new DataView(length.buffer, length.byteOffset).getBigUint64(0));
    if (claimed > BLOCK_FRAME_BYTES_MAX || (total !== undefined && claimed !== total)) return undefined;
    total = claimed;
    pieces.push(piece);
    offset += piece.length;
    if (offset > total) return undefined;
  }
  return concatBytes(...pieces);
}
