import { uintBytes } from '../../codec/bytes.ts';
import { taggedHash } from '../../crypto/hash.ts';
import { leafHash, merkleRoot } from '../../crypto/merkle.ts';
import { ENTRY_BYTES, FAMILY_CODES } from './entry.ts';
import { INDEX_VERSION } from './pages.ts';

/** Entries of a chunk, the unit that is hashed and that proofs carry; the last one of an index may be shorter. */
export const CHUNK_ENTRIES = 16;

/** Bit code − 1 for each family that an index of this version covers: absence says something for these alone. */
const FAMILIES = Object.values(FAMILY_CODES).reduce((bits, code) => bits | (1 << (code - 1)), 0);

/** The root over the sorted, unique entries of an index, 32 bytes. */
export function indexRoot(entries: Uint8Array): Uint8Array {
  return rootOfTop(entries.length / ENTRY_BYTES, merkleRoot(chunkHashes(entries)));
}

/**
 * The root of an index of `entryCount` entries whose chunk tree has the head `top`:
 * SHA-256("medledger/v1/INDEX" ‖ 0x00 ‖ version u8 ‖ families u16be ‖ n u32be ‖ top), and for no entries
 * SHA-256("medledger/v1/INDEX-EMPTY" ‖ 0x00 ‖ version u8 ‖ families u16be).
 */
export function rootOfTop(entryCount: number, top: Uint8Array): Uint8Array {
  const version = uintBytes(INDEX_VERSION, 1);
  const families = uintBytes(FAMILIES, 2);
  if (entryCount === 0) return taggedHash('INDEX-EMPTY', version, families);
  return taggedHash('INDEX', version, families, uintBytes(entryCount, 4), top);
}

/** RFC 6962 leaf hashes of the chunks of 16 entries, in order. */
export function chunkHashes(entries: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  const step = CHUNK_ENTRIES * ENTRY_BYTES;
  for (let offset = 0; offset < entries.length; offset += step)
    hashes.push(leafHash(entries.subarray(offset, offset + step)));
  return hashes;
}
