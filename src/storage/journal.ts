import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { close, fdatasync, ftruncate, open, write, writeSync } from 'node:fs';
import { link, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { FILE_MODE, syncFolder, systemErrorCode, writeSynced } from './durable-file.ts';
import {
  decodeJournal,
  encodeGroup,
  encodeJournalFile,
  GROUP_HEADER_BYTES,
  JOURNAL_SALT_BYTES,
  RECORD_HEADER_BYTES,
} from './journal-format.ts';
import { causeText, StorageError } from './storage-error.ts';

/** Most bytes, with record headers, of one append; what is appended together is synced together or not at all. */
export const APPEND_BYTES_MAX = 64 * 2 ** 20;
/** Most appends that wait at once. */
export const APPENDS_WAITING_MAX = 4096;
/** Largest journal file; whoever appends truncates long before. */
const JOURNAL_BYTES_MAX = 1024 * 2 ** 20;

/** Larger groups are written by the thread pool: copying them would hold up the main thread. */
const INLINE_WRITE_BYTES_MAX = 64 * 1024;

const REFUSAL_REMEDY =
  'This node may have forgotten what it signed and must not validate as before: recover it as described under ' +
  '"lost journal" in docs/OPERATIONS.md. Never copy a journal back from a backup.';

/**
 * The consensus journal: what this node signed and must not forget. One process, one writer (the folder lock).
 * An append is a small write on the main thread and an fdatasync in the thread pool: as quick as syncing on the main
 * thread (0.1 ms each on an NVMe disk), and a slow disk does not stop the event loop.
 */
export interface Journal {
  /** Payloads found at opening, oldest first; emptied by the first truncation. */
  readonly records: readonly Uint8Array[];
  /** Bytes of a torn last append that were cut off at opening. */
  readonly cutBytes: number;
  /** Length of the file: what tells its owner when to truncate. */
  readonly lengthBytes: number;
  /**
   * Adds records, all or none of which survive a crash, and resolves once they are on disk. Appends made while a
   * sync runs share the next one. Errors: JournalFull (nothing written); WriteFailed: the process must stop, and
   * every later call fails alike.
   */
  append(records: readonly Uint8Array[]): Promise<void>;
  /**
   * Replaces everything appended before this call by `keep` (at least one record), atomically: after a crash the
   * file is the old or the new one. Later appends follow `keep`. Error: WriteFailed.
   */
  truncate(keep: readonly Uint8Array[]): Promise<void>;
  /** Waits for what is under way and closes the file. */
  close(): Promise<void>;
}

/**
 * Creates the journal with its birth record, in the act that creates the node's key, after the key is on disk: a
 * key without a journal is taken for one that forgot. Error: JournalExists, WriteFailed.
 */
export async function createJournal(file: string, birth: Uint8Array): Promise<Journal> {
  const temporary = temporaryName(file);
  const identity = { salt: randomBytes(JOURNAL_SALT_BYTES), firstSequence: 1 };
  try {
    // One left by a crash may be a second name of the journal itself: it must be unlinked, not written to.
    await rm(temporary, { force: true });
    await writeSynced(temporary, encodeJournalFile(identity, [birth]));
    // A link, for unlike a rename it never replaces a journal that is there.
    await link(temporary, file);
    await rm(temporary);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    if (systemErrorCode(error) !== 'EEXIST') throw writeError(file, error);
    const remedy = 'Keep it: it guards the key against signing twice. A new key needs a data folder of its own.';
    throw new StorageError('JournalExists', file, `There is a consensus journal ${file} already.`, remedy, error);
  }
  return openJournal(file);
}

/** Opens the journal and cuts a torn tail. Errors: JournalMissing, JournalDamaged, WriteFailed. */
export async function openJournal(file: string): Promise<Journal> {
  let bytes: Uint8Array;
  try {
    const read = await readFile(file);
    // A plain array, for a slice of a Buffer would hold on to the whole file.
    bytes = new Uint8Array(read.buffer, read.byteOffset, read.length);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw new StorageError(
        'JournalMissing',
        file,
        `The consensus journal ${file} is missing.`,
        REFUSAL_REMEDY,
        error,
      );
    const fault = `The consensus journal ${file} cannot be read: ${causeText(error)}.`;
    throw new StorageError('JournalDamaged', file, fault, REFUSAL_REMEDY, error);
  }
  const content = decodeJournal(bytes);
  if (content.kind === 'damaged') {
    const fault = `The consensus journal ${file} is damaged: ${content.item}.`;
    throw new StorageError('JournalDamaged', content.item, fault, REFUSAL_REMEDY);
  }
  try {
    await rm(temporaryName(file), { force: true });
    const fd = await openFile(file, 'r+');
    const cutBytes = bytes.length - content.length;
    if (cutBytes > 0) {
      await truncateFile(fd, content.length);
      await syncData(fd);
    }
    return new JournalFile(file, fd, content, cutBytes);
  } catch (error) {
    throw writeError(file, error);
  }
}

type Operation = {
  readonly kind: 'append' | 'truncate';
  readonly records: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
};

class JournalFile implements Journal {
  records: readonly Uint8Array[];
  readonly cutBytes: number;
  readonly #file: string;
  #fd: number;
  #salt: Uint8Array;
  #nextSequence: number;
  /** All before this is synced; the next group begins here. */
  #length: number;
  readonly #waiting: Operation[] = [];
  /** Bytes of the operations that wait or are being written. */
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #failure: StorageError | undefined;
  #closed = false;

  constructor(
    file: string,
    fd: number,
    content: Extract<ReturnType<typeof decodeJournal>, { kind: 'read' }>,
    cutBytes: number,
  ) {
    this.#file = file;
    this.#fd = fd;
    this.#salt = content.identity.salt;
    this.#nextSequence = content.nextSequence;
    this.#length = content.length;
    this.records = content.records;
    this.cutBytes = cutBytes;
  }

  get lengthBytes(): number {
    return this.#length;
  }

  append(records: readonly Uint8Array[]): Promise<void> {
    assert(records.length > 0, 'nothing to append');
    return this.#enqueue('append', records);
  }

  truncate(keep: readonly Uint8Array[]): Promise<void> {
    assert(keep.length > 0, 'a journal without records looks like a lost one');
    return this.#enqueue('truncate', keep);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running;
    await closeFile(this.#fd);
  }

  #enqueue(kind: Operation['kind'], records: readonly Uint8Array[]): Promise<void> {
    assert(!this.#closed, 'the journal is closed');
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const bytes = records.reduce((sum, record) => sum + RECORD_HEADER_BYTES + record.length, GROUP_HEADER_BYTES);
    if (bytes > APPEND_BYTES_MAX) return Promise.reject(fullError(this.#file, `${bytes} bytes in one append`));
    if (this.#waiting.length >= APPENDS_WAITING_MAX)
      return Promise.reject(fullError(this.#file, `${APPENDS_WAITING_MAX} appends are waiting`));
    if (kind === 'append' && this.#length + this.#queuedBytes + bytes > JOURNAL_BYTES_MAX)
      return Promise.reject(fullError(this.#file, `${this.#length} bytes in the file`));
    this.#queuedBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, records, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** The single writer: takes what waits, in order, until nothing does. Never rejects. */
  async #run(): Promise<void> {
    // Appends of the same turn become one group.
    await undefined;
    while (this.#waiting.length > 0) {
      const operations = this.#takeNext();
      try {
        if (operations[0]!.kind === 'truncate') await this.#replace(operations[0]!.records);
        else await this.#writeGroup(operations.flatMap((operation) => operation.records));
      } catch (error) {
        // After a failed sync the kernel may have dropped the pages and say nothing the next time: never try again.
        const failure = writeError(this.#file, error);
        this.#failure = failure;
        for (const operation of [...operations, ...this.#waiting.splice(0)]) operation.reject(failure);
        break;
      }
      for (const operation of operations) {
        this.#queuedBytes -= operation.bytes;
        operation.resolve();
      }
    }
    this.#running = undefined;
  }

  /** The next truncation alone, or as many of the next appends as fit one group. */
  #takeNext(): readonly Operation[] {
    if (this.#waiting[0]!.kind === 'truncate') return this.#waiting.splice(0, 1);
    let count = 0;
    let bytes = 0;
    for (const operation of this.#waiting) {
      bytes += operation.bytes;
      if (operation.kind !== 'append' || (count > 0 && bytes > APPEND_BYTES_MAX)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(records: readonly Uint8Array[]): Promise<void> {
    const group = encodeGroup(this.#salt, this.#length, this.#nextSequence, records);
    await writeAll(this.#fd, group, this.#length);
    await syncData(this.#fd);
    this.#length += group.length;
    this.#nextSequence += records.length;
  }

  async #replace(keep: readonly Uint8Array[]): Promise<void> {
    const identity = { salt: randomBytes(JOURNAL_SALT_BYTES), firstSequence: this.#nextSequence };
    const bytes = encodeJournalFile(identity, keep);
    const temporary = temporaryName(this.#file);
    await writeSynced(temporary, bytes);
    const fd = await openFile(temporary, 'r+');
    const old = this.#fd;
    this.#fd = fd;
    await closeFile(old);
    await rename(temporary, this.#file);
    await syncFolder(path.dirname(this.#file));
    this.#salt = identity.salt;
    this.#nextSequence += keep.length;
    this.#length = bytes.length;
    this.records = [];
  }
}

const openFile = promisify((file: string, flags: string, done: (error: Error | null, fd: number) => void) =>
  open(file, flags, FILE_MODE, done),
);
const closeFile = promisify(close);
const syncData = promisify(fdatasync);
const truncateFile = promisify(ftruncate);
const writeInPool = promisify(write);

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.length - done;
    if (rest <= INLINE_WRITE_BYTES_MAX) done += writeSync(fd, bytes, done, rest, position + done);
    else done += (await writeInPool(fd, bytes, done, rest, position + done)).bytesWritten;
  }
}

function temporaryName(file: string): string {
  return `${file}.new`;
}

function writeError(file: string, cause: unknown): StorageError {
  const fault = `Writing the consensus journal ${file} failed: ${causeText(cause)}.`;
  const remedy = 'The node signs nothing more and stops. Free space or replace the disk, then start it again.';
  return new StorageError('WriteFailed', file, fault, remedy, cause);
}

function fullError(file: string, what: string): StorageError {
  const remedy = 'Nothing was written. If it happens again at the same height, report it as a fault of this build.';
  return new StorageError('JournalFull', file, `The consensus journal ${file} is at a limit: ${what}.`, remedy);
}
