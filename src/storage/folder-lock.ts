import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FILE_MODE } from './durable-file.ts';
import { causeText, StorageError } from './storage-error.ts';

/** A data folder held by this process alone. */
export interface FolderLock {
  /** Lets the folder go; the end of the process, however it comes, does so too. */
  release(): void;
}

const SQLITE_BUSY = 5;
/** Databases whose open transaction is a lock: a caller may forget what it was given, and no collector closes these. */
const held = new Set<DatabaseSync>();

/**
 * Locks the data folder for this process. The lock is the operating system's own (taken through SQLite, for Node has
 * no call for it): it ends with the process, `kill -9` included, so that none is ever stale, and a reused or
 * container-local process id cannot be mistaken for its holder. The id in `lock.pid` serves the message only. Local
 * file systems only. Errors: FolderLocked, with the holder's process id; FolderUnusable.
 */
export function lockFolder(folder: string): FolderLock {
  const pidFile = path.join(folder, 'lock.pid');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path.join(folder, 'lock'));
    // The transaction is never written to: it stays open for the lock that it holds.
    database.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`, { mode: FILE_MODE });
  } catch (error) {
    database?.close();
    throw (error as { errcode?: unknown }).errcode === SQLITE_BUSY
      ? heldError(folder, pidFile)
      : unusableError(folder, error);
  }
  const locked = database;
  held.add(locked);
  return {
    release() {
      if (!held.delete(locked)) return;
      // Before the lock: afterwards the file may be the next holder's.
      rmSync(pidFile, { force: true });
      locked.close();
    },
  };
}

function heldError(folder: string, pidFile: string): StorageError {
  let holder = 'another process';
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (Number.isSafeInteger(pid) && pid > 0) holder = `process ${pid}`;
  } catch {
    // The holder is just starting or stopping.
  }
  const fault = `The data folder ${folder} is in use by ${holder}.`;
  return new StorageError('FolderLocked', folder, fault, 'Stop it first, or start this node with another folder.');
}

function unusableError(folder: string, cause: unknown): StorageError {
  const fault = `The data folder ${folder} cannot be locked: ${causeText(cause)}.`;
  const remedy =
    'It must exist on a local disk and be writable by the user of the node; its file "lock" may be removed.';
  return new StorageError('FolderUnusable', folder, fault, remedy, cause);
}
