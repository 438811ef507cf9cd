import { encode } from '../codec/cbor.ts';
import { bytes, nullable, struct, uint } from '../codec/schema.ts';
import { signedPreimage } from '../crypto/hash.ts';

/** So many heights after the one that it names a statement of readiness still counts. */
export const READY_HEIGHTS_MAX = 100_000;

/**
 * What a key that is to become a validator's says: its node follows this ledger and takes this seat. It proves that
 * whoever runs the node has the key, and binds it to one organisation, one seat and one stretch of the chain.
 */
export interface Readiness {
  readonly publicKey: Uint8Array;
  readonly organisation: Uint8Array;
  /** The key that it takes over from; null for a seat of its own. */
  readonly replaces: Uint8Array | null;
  /** Height of the tip that its node had reached. */
  readonly height: number;
}

const readinessSchema = struct<Readiness>({
  publicKey: bytes(32),
  organisation: bytes(32),
  replaces: nullable(bytes(32)),
  height: uint(),
});

/** Bytes that the key signs, under a kind of their own. */
export function readyPreimage(genesisHash: Uint8Array, readiness: Readiness): Uint8Array {
  return signedPreimage('READY', genesisHash, encode(readinessSchema, readiness));
}
