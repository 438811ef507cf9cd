import { encode } from '../codec/cbor.ts';
import { bytes, nullable, struct, uint } from '../codec/schema.ts';
import { signedPreimage } from '../crypto/hash.ts';

/** Largest view number, a u32. */
export const VIEW_MAX = 0xffffffff;

/** What a PREPARE or COMMIT says. */
export interface Vote {
  readonly height: number;
  readonly view: number;
  readonly blockHash: Uint8Array;
}

/** What a VIEWCHANGE says under its signature: the sender leaves all views below `newView`. */
export interface ViewChangeClaim {
  readonly height: number;
  readonly newView: number;
  /** View of the prepared certificate held, and its block; both null when none is held. */
  readonly preparedView: number | null;
  readonly preparedHash: Uint8Array | null;
}

/** Wire form of what a vote says. */
export const voteSchema = struct<Vote>({ height: uint(), view: uint(VIEW_MAX), blockHash: bytes(32) });

/** Wire form of the fields of a claim, in order. */
export const viewChangeClaimFields = {
  height: uint(),
  newView: uint(VIEW_MAX),
  preparedView: nullable(uint(VIEW_MAX)),
  preparedHash: nullable(bytes(32)),
};
/** Wire form of a claim. */
export const viewChangeClaimSchema = struct<ViewChangeClaim>(viewChangeClaimFields);

/** Bytes that a validator signs for a vote. The kinds differ, so a prepare never stands as a commit. */
export function votePreimage(kind: 'PREPARE' | 'COMMIT', genesisHash: Uint8Array, vote: Vote): Uint8Array {
  return signedPreimage(kind, genesisHash, encode(voteSchema, vote));
}

/** Bytes that the primary signs for a proposal. */
export function prePreparePreimage(genesisHash: Uint8Array, vote: Vote): Uint8Array {
  return signedPreimage('PREPREPARE', genesisHash, encode(voteSchema, vote));
}

/** Bytes that a validator signs for a VIEWCHANGE. */
export function viewChangePreimage(genesisHash: Uint8Array, claim: ViewChangeClaim): Uint8Array {
  return signedPreimage('VIEWCHANGE', genesisHash, encode(viewChangeClaimSchema, claim));
}
