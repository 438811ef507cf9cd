import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { SignedTransaction } from '../../client/build-transaction.ts';
import { equalBytes, toHex } from '../../codec/bytes.ts';
import { writeNewFile } from '../../crypto/node/new-file.ts';
import { OperatorError } from '../../node/operator-error.ts';
import {
  decodeLog,
  encodeFrame,
  encodeLogHeader,
  FRAME_BYTES_MAX,
  type LoadEntry,
  SALT_BYTES,
} from './load-log-format.ts';

/** Largest log that is opened: that of about half a million resources. */
const LOG_BYTES_MAX = 2 ** 30;

/** What is known of a resource that a load has met before. */
export type ResourceState =
  | { readonly kind: 'pending'; readonly mark: Uint8Array; readonly transaction: SignedTransaction }
  | { readonly kind: 'committed' };

/**
 * What loads into one ledger have done: each resource's transaction, durable before it is sent, and what became of it.
 * So a load that dies at any instruction goes on where it was, and a resource is never added twice. One process.
 */
export class LoadLog {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #salt: Uint8Array;
  readonly #resources = new Map<string, ResourceState>();
  readonly #registered = new Set<string>();
  #length: number;
  #lastWrite: Promise<void> = Promise.resolve();

  /** Made by `openLoadLog` alone. */
  constructor(file: FileHandle, path: string, salt: Uint8Array, entries: readonly LoadEntry[], length: number) {
    this.#file = file;
    this.#path = path;
    this.#salt = salt;
    this.#length = length;
    for (const entry of entries) this.#apply(entry);
  }

  /** What is known of the resource with this mark; undefined when it is to be signed. */
  resource(mark: Uint8Array): ResourceState | undefined {
    return this.#resources.get(toHex(mark));
  }

  /** Resources whose transaction was signed and whose end is not known. */
  pending(): readonly Extract<ResourceState, { kind: 'pending' }>[] {
    return [...this.#resources.values()].filter((state) => state.kind === 'pending');
  }

  isRegistered(address: Uint8Array): boolean {
    return this.#registered.has(toHex(address));
  }

  /**
   * Adds entries, all or none of which survive a crash; resolves once they are on disk, and only then do they count.
   * Rejects with an OperatorError when the disk fails; every later call does too.
   */
  append(entries: readonly LoadEntry[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    const write = this.#lastWrite.then(() => this.#write(entries));
    this.#lastWrite = write;
    // Whoever appends next hears of the failure too; here it must not count as unhandled.
    write.catch(() => undefined);
    return write;
  }

  /** Waits for what is being written and closes the file. */
  async close(): Promise<void> {
    await this.#lastWrite.catch(() => undefined);
    await this.#file.close();
  }

  async #write(entries: readonly LoadEntry[]): Promise<void> {
    const frame = encodeFrame(this.#salt, entries);
    if (frame.length > FRAME_BYTES_MAX) throw new RangeError(`${frame.length} bytes in one frame of the load log`);
    try {
      let written = 0;
      while (written < frame.length) {
        const { bytesWritten } = await this.#file.write(frame, written, frame.length - written, this.#length + written);
        written += bytesWritten;
      }
      await this.#file.datasync();
    } catch (error) {
      throw new OperatorError(
        `Writing ${this.#path} failed (${(error as NodeJS.ErrnoException).code}): free space or check the disk, ` +
          'then load again; nothing is added twice.',
      );
    }
    this.#length += frame.length;
    for (const entry of entries) this.#apply(entry);
  }

  #apply(entry: LoadEntry): void {
    switch (entry.kind) {
      case 'Signed': {
        const { mark, txId, encoded, attachment, validUntilMs } = entry;
        const transaction = { txId, encoded, attachment, validUntilMs };
        this.#resources.set(toHex(mark), { kind: 'pending', mark, transaction });
        return;
      }
      case 'Committed':
        this.#resources.set(toHex(entry.mark), { kind: 'committed' });
        return;
      case 'Dropped':
        this.#resources.delete(toHex(entry.mark));
        return;
      case 'Registered':
        this.#registered.add(toHex(entry.address));
        return;
    }
  }
}

/**
 * Opens the log at `path`, making it where there is none, and cuts what a crash tore. Throws an OperatorError when the
 * file is damaged or belongs to another ledger; one that this ledger goes on from after a restart is the same.
 */
export async function openLoadLog(
  path: string,
  genesisHash: Uint8Array,
  earlier: readonly Uint8Array[] = [],
): Promise<LoadLog> {
  if (!existsSync(path)) writeNewFile(path, encodeLogHeader(new Uint8Array(randomBytes(SALT_BYTES)), genesisHash));
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    if (size > LOG_BYTES_MAX)
      throw new OperatorError(`${path} has ${size} bytes, more than ${LOG_BYTES_MAX}: load into a new key folder.`);
    const bytes = new Uint8Array(await file.readFile());
    const content = decodeLog(bytes);
    if (content === undefined)
      throw new OperatorError(
        `${path} is damaged: restore it from a backup. Without it a second load would add everything again.`,
      );
    if (![genesisHash, ...earlier].some((hash) => equalBytes(content.genesisHash, hash)))
      throw new OperatorError(
        `${path} is about the ledger ${toHex(content.genesisHash)}, not ${toHex(genesisHash)}: ` +
          'name the key folder of this ledger with --keys.',
      );
    if (content.length < bytes.length) {
      await file.truncate(content.length);
      await file.sync();
    }
    return new LoadLog(file, path, content.salt, content.entries, content.length);
  } catch (error) {
    await file.close();
    throw error;
  }
}
