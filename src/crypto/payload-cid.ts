import { importer } from 'ipfs-unixfs-importer';
import { CID } from 'multiformats/cid';
import { concatBytes, equalBytes } from '../codec/bytes.ts';
import { sha256 } from './hash.ts';
import { PAYLOAD_CHUNK_BYTES } from './payload-cipher.ts';

/** Length of a binary CID of this ledger: version, codec, hash code, hash length, SHA-256. */
export const CID_BYTES = 36;

/** One block of a payload's DAG. */
interface PayloadBlock {
  /** Binary CIDv1, 36 bytes. */
  readonly cid: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The DAG of a payload: what IPFS tools store, check and move. */
export interface PayloadDag {
  /** Binary CIDv1 of the root, which stands in the transaction. */
  readonly cid: Uint8Array;
  /** All blocks, each once; the root is the last. */
  readonly blocks: readonly PayloadBlock[];
}

const RAW = 0x55;
const DAG_PB = 0x70;

/**
 * The UnixFS DAG over ciphertext chunks (profile unixfs-v1-2025: CIDv1, SHA-256, raw leaves of 1 MiB, at most 1,024
 * links a node). A single chunk is its own DAG: a raw block. Throws a RangeError unless every chunk but the last has
 * PAYLOAD_CHUNK_BYTES and the last has 1 up to that.
 */
export async function payloadDag(chunks: readonly Uint8Array[]): Promise<PayloadDag> {
  checkChunks(chunks);
  const only = chunks[0];
  if (chunks.length === 1 && only !== undefined) {
    const cid = cidBytes(RAW, sha256(only));
    return { cid, blocks: [{ cid, bytes: only }] };
  }
  const blocks = new Map<string, PayloadBlock>();
  const blockstore = {
    async put(cid: CID, bytes: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<CID> {
      const whole = bytes instanceof Uint8Array ? bytes : await collect(bytes);
      blocks.set(cid.toString(), { cid: cid.bytes, bytes: whole });
      return cid;
    },
  };
  let root: CID | undefined;
  for await (const entry of importer([{ content: chunks }], blockstore, { profile: 'unixfs-v1-2025' }))
    root = entry.cid;
  if (root === undefined) throw new Error('the importer returned no root');
  const name = root.toString();
  const rootBlock = blocks.get(name);
  if (rootBlock === undefined) throw new Error('the importer did not store the root');
  blocks.delete(name);
  return { cid: rootBlock.cid, blocks: [...blocks.values(), rootBlock] };
}

/**
 * True when `bytes` are the block that `cid` names: a CIDv1 (raw or dag-pb) by SHA-256. Total. Blocks of other
 * kinds do not occur in payloads and give false.
 */
export function isBlockOf(cid: Uint8Array, bytes: Uint8Array): boolean {
  const codec = cid[1];
  if (codec !== RAW && codec !== DAG_PB) return false;
  return equalBytes(cid, cidBytes(codec, sha256(bytes)));
}

/** True for the binary CIDv1 of a payload block: raw or dag-pb, by SHA-256. Total. */
export function isPayloadBlockCid(cid: Uint8Array): boolean {
  const codec = cid[1];
  return cid.length === 36 && (codec === RAW || codec === DAG_PB) && equalBytes(cid, cidBytes(codec, cid.subarray(4)));
}

/** The base32 text `bafy…` or `bafk…` of a binary CID, as IPFS tools show it. Throws an Error if it is none. */
export function cidText(cid: Uint8Array): string {
  return CID.decode(cid).toString();
}

function cidBytes(codec: number, digest: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(1, codec, 0x12, 0x20), digest);
}

function checkChunks(chunks: readonly Uint8Array[]): void {
  const fits = chunks.every((chunk, index) =>
    index < chunks.length - 1 ? chunk.length === PAYLOAD_CHUNK_BYTES : inRange(chunk.length),
  );
  if (chunks.length === 0 || !fits) throw new RangeError('the chunks do not have the sizes of a payload');
}

function inRange(length: number): boolean {
  return length > 0 && length <= PAYLOAD_CHUNK_BYTES;
}

async function collect(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const collected: Uint8Array[] = [];
  for await (const part of parts) collected.push(part);
  return concatBytes(...collected);
}
