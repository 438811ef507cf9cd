import * as dagPb from '@ipld/dag-pb';
import { concatBytes, equalBytes } from '../codec/bytes.ts';
import { cidText, payloadDag } from '../crypto/payload-cid.ts';
import { PAYLOAD_CHUNK_BYTES } from '../crypto/payload-cipher.ts';
import type { PayloadStore } from '../storage/payload-store.ts';
import { StorageError } from '../storage/storage-error.ts';

/** Multicodec of a raw block, second byte of a CIDv1. */
const RAW = 0x55;
/** Blocks of the largest payload. */
const BLOCKS_MAX = 1024;

/**
 * Stores a payload as the blocks of its DAG after checking that they have this root; the root is written last, so that
 * a root that is here has all its blocks here.
 */
export async function putPayload(
  payloads: PayloadStore,
  cid: Uint8Array,
  bytes: Uint8Array,
): Promise<'stored' | 'cidMismatch' | 'full'> {
  if (bytes.length === 0) return 'cidMismatch';
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += PAYLOAD_CHUNK_BYTES)
    chunks.push(bytes.subarray(start, start + PAYLOAD_CHUNK_BYTES));
  const dag = await payloadDag(chunks);
  if (!equalBytes(dag.cid, cid)) return 'cidMismatch';
  try {
    for (const block of dag.blocks) await payloads.put(cidText(block.cid), block.bytes);
    return 'stored';
  } catch (error) {
    if (error instanceof StorageError && error.code === 'PayloadQuotaExceeded') return 'full';
    throw error;
  }
}

/** The payload under a root, block by block; undefined when a block of it is nowhere to be had or is no node of a DAG. */
export async function readPayload(
  cid: Uint8Array,
  readBlock: (cid: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  const open = [cid];
  for (let read = 0; open.length > 0; read += 1) {
    if (read >= BLOCKS_MAX) return undefined;
    const next = open.pop()!;
    const block = await readBlock(next);
    if (block === undefined) return undefined;
    if (next[1] === RAW) parts.push(block);
    else {
      const links = linksOf(block);
      if (links === undefined) return undefined;
      open.push(...links.reverse());
    }
  }
  return concatBytes(...parts);
}

/** The CIDs that a dag-pb block links to; undefined when it is none: whoever named its hash may have chosen any bytes. */
function linksOf(block: Uint8Array): Uint8Array[] | undefined {
  try {
    return dagPb.decode(block).Links.map(({ Hash }) => Hash.bytes);
  } catch {
    return undefined;
  }
}
