import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { CID } from 'multiformats/cid';
import { equalBytes } from '../codec/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { makeFolder, replaceFile, syncFolder, systemErrorCode } from './durable-file.ts';
import { causeText, StorageError } from './storage-error.ts';

/** Largest block: that of bitswap; chunks are 1 MiB (ledger.md §8). */
export const PAYLOAD_BLOCK_BYTES_MAX = 2 * 2 ** 20;
/** Most damaged files kept for inspection. */
export const QUARANTINED_FILES_MAX = 64;

const SHA2_256 = 0x12;
const RAW = 0x55;
const DAG_PB = 0x70;

/** Limits of a payload store. */
export interface PayloadStoreOptions {
  /** Bytes that all payload blocks together may take; new ones beyond it are refused. */
  readonly quotaBytes: number;
}

/**
 * Opens the payload blocks in `folder`: one file a block, `x/y/CID`, x and y being characters of the CID; counts what
 * they take and removes what a crash left half written.
 */
export async function openPayloadStore(folder: string, options: PayloadStoreOptions): Promise<PayloadStore> {
  await makeFolder(folder);
  await rm(path.join(folder, INCOMING), { recursive: true, force: true });
  await makeFolder(path.join(folder, INCOMING));
  await makeFolder(path.join(folder, QUARANTINE));
  return new PayloadStore(folder, options.quotaBytes, await countBytes(folder));
}

const INCOMING = 'incoming';
const QUARANTINE = 'quarantine';

/**
 * Encrypted payload blocks by CID: version 1, raw or dag-pb, SHA-256, as text in base32. Bytes are checked against
 * the CID on the way in and on the way out. The quota refuses new blocks and never drops one.
 */
export class PayloadStore {
  readonly #folder: string;
  readonly #quotaBytes: number;
  /** Bytes of blocks on disk and of those being written. */
  #usedBytes: number;
  /** The last of the changes under way to each block; changes to one block take turns. */
  readonly #turns = new Map<string, Promise<unknown>>();

  /** Made by `openPayloadStore` alone. */
  constructor(folder: string, quotaBytes: number, usedBytes: number) {
    this.#folder = folder;
    this.#quotaBytes = quotaBytes;
    this.#usedBytes = usedBytes;
  }

  /** Bytes that the blocks take; quarantined ones do not count. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Stores a block and resolves once it is on disk; one that is there already costs nothing. Errors:
   * PayloadUnsupported, HashMismatch, PayloadQuotaExceeded, WriteFailed.
   */
  async put(cid: string, bytes: Uint8Array): Promise<void> {
    const digest = digestOf(cid);
    if (bytes.length > PAYLOAD_BLOCK_BYTES_MAX) {
      const fault = `Payload block ${cid} has ${bytes.length} bytes, more than ${PAYLOAD_BLOCK_BYTES_MAX}.`;
      throw new StorageError('PayloadUnsupported', cid, fault, 'Send payloads as blocks of 1 MiB.');
    }
    if (!equalBytes(sha256(bytes), digest)) {
      const fault = `The bytes offered as payload block ${cid} have another hash.`;
      throw new StorageError('HashMismatch', cid, fault, 'Nothing was stored; send the block again.');
    }
    return this.#inTurn(cid, () => this.#write(cid, bytes));
  }

  /**
   * The bytes of a block, checked, or undefined when it is not here. A damaged one is moved to quarantine, so that it
   * is never served and can be fetched again. Errors: PayloadUnsupported, ItemDamaged.
   */
  async get(cid: string): Promise<Uint8Array | undefined> {
    const digest = digestOf(cid);
    const bytes = await readBlock(cid, this.#fileOf(cid));
    if (bytes === undefined || equalBytes(sha256(bytes), digest)) return bytes;
    return this.#inTurn(cid, () => this.#quarantine(cid, digest));
  }

  /** Deletes a block, as a disposal asks (ledger.md §10); resolves once its name is gone from the disk. */
  async remove(cid: string): Promise<void> {
    digestOf(cid);
    await this.#inTurn(cid, async () => {
      const file = this.#fileOf(cid);
      const bytes = await sizeOf(file);
      if (bytes === undefined) return;
      await rm(file, { force: true });
      this.#usedBytes -= bytes;
      await syncFolder(path.dirname(file));
    });
  }

  /** Waits for the changes under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#turns.values());
  }

  async #inTurn<T>(cid: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(cid) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(cid, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(cid) === turn) this.#turns.delete(cid);
    }
  }

  async #write(cid: string, bytes: Uint8Array): Promise<void> {
    const file = this.#fileOf(cid);
    if ((await sizeOf(file)) !== undefined) return;
    if (this.#usedBytes + bytes.length > this.#quotaBytes) {
      const fault = `Payload block ${cid} of ${bytes.length} bytes does not fit: ${this.#usedBytes} of ${this.#quotaBytes} bytes are used.`;
      const remedy = 'Raise storage.payloadQuotaBytes in the configuration, after making sure that the disk has room.';
      throw new StorageError('PayloadQuotaExceeded', cid, fault, remedy);
    }
    this.#usedBytes += bytes.length;
    try {
      await makeFolder(path.dirname(file));
      await replaceFile(file, path.join(this.#folder, INCOMING, cid), bytes);
    } catch (error) {
      this.#usedBytes -= bytes.length;
      const fault = `Writing payload block ${cid} failed: ${causeText(error)}.`;
      throw new StorageError('WriteFailed', cid, fault, 'Free space or replace the disk, then send it again.', error);
    }
  }

  /**
   * Moves a damaged file aside, or deletes it when enough are kept already, and throws; returns the bytes if it has
   * been replaced since it was read.
   */
  async #quarantine(cid: string, digest: Uint8Array): Promise<Uint8Array | undefined> {
    const file = this.#fileOf(cid);
    const bytes = await readBlock(cid, file);
    if (bytes === undefined || equalBytes(sha256(bytes), digest)) return bytes;
    const quarantine = path.join(this.#folder, QUARANTINE);
    const kept = await readdir(quarantine);
    if (kept.length < QUARANTINED_FILES_MAX || kept.includes(cid)) await rename(file, path.join(quarantine, cid));
    else await rm(file, { force: true });
    this.#usedBytes -= bytes.length;
    await syncFolder(path.dirname(file));
    throw damagedError(cid, 'does not have its hash');
  }

  /** Characters near the end, where CIDs differ: 1,024 folders. */
  #fileOf(cid: string): string {
    return path.join(this.#folder, cid.at(-3)!, cid.at(-2)!, cid);
  }
}

/** The SHA-256 in a CID. A text that is no CID of ours never becomes part of a path. */
function digestOf(text: string): Uint8Array {
  let cid: CID | undefined;
  try {
    cid = text.length <= 64 ? CID.parse(text) : undefined;
  } catch {
    cid = undefined;
  }
  const supported =
    cid?.version === 1 &&
    (cid.code === RAW || cid.code === DAG_PB) &&
    cid.multihash.code === SHA2_256 &&
    cid.multihash.digest.length === 32 &&
    cid.toString() === text;
  if (cid !== undefined && supported) return cid.multihash.digest;
  const fault = `${JSON.stringify(text.slice(0, 64))} names no payload block of this store.`;
  const remedy = 'Use CIDv1 in base32 with SHA-256, of a raw or dag-pb block.';
  throw new StorageError('PayloadUnsupported', text.slice(0, 64), fault, remedy);
}

/** Undefined when there is no such file. */
async function readBlock(cid: string, file: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(file);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw damagedError(cid, `cannot be read: ${causeText(error)}`, error);
  }
}

async function countBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const outer of await readdir(folder)) {
    if (outer.length !== 1) continue;
    for (const inner of await readdir(path.join(folder, outer))) {
      const names = await readdir(path.join(folder, outer, inner));
      const sizes = await Promise.all(names.map((name) => sizeOf(path.join(folder, outer, inner, name))));
      for (const size of sizes) bytes += size ?? 0;
    }
  }
  return bytes;
}

/** Undefined when there is no such file. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function damagedError(cid: string, why: string, cause?: unknown): StorageError {
  const remedy = 'Check the disk; fetch the block again from another validator.';
  return new StorageError('ItemDamaged', cid, `Payload block ${cid} ${why}.`, remedy, cause);
}
