import { encode } from '../codec/cbor.ts';
import { bytes, struct, uint } from '../codec/schema.ts';
import { signedPreimage } from '../crypto/hash.ts';

/** Largest view number, a u32. */
export const VIEW_MAX = 0xffffffff;

/** What a PREPARE or COMMIT says. */
export interface Vote {
  readonly height: number;
  readonly view: number;
  readonly blockHash: Uint8Array;
}

/** Wire form of what a vote says. */
export const voteSchema = struct<Vote>({ height: uint(), view: uint(VIEW_MAX), blockHash: bytes(32) });

/** Bytes that a validator signs for a vote. The kinds differ, so a prepare never stands as a commit. */
export function votePreimage(kind: 'PREPARE' | 'COMMIT', genesisHash: Uint8Array, vote: Vote): Uint8Array {
  return signedPreimage(kind, genesisHash, encode(voteSchema, vote));
}
