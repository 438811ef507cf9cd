import { chmodSync } from 'node:fs';
import path from 'node:path';
import { type FolderLock, lockFolder } from '../storage/folder-lock.ts';
import { StorageError } from '../storage/storage-error.ts';
import { OperatorError } from './operator-error.ts';

/**
 * Holds a folder that is no data folder, such as a folder of keys, for this process alone, until it is released or the
 * process ends. `purpose` says what for, in messages. Throws an OperatorError when another process holds it.
 */
export function holdFolder(folder: string, purpose: string): FolderLock {
  try {
    const lock = lockFolder(folder);
    // Made by SQLite, by the umask; in a folder of keys nothing is for others.
    for (const name of ['lock', 'lock.pid']) chmodSync(path.join(folder, name), 0o600);
    return lock;
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'FolderLocked') throw error;
    throw new OperatorError(`${purpose} needs ${folder} for itself, and another process uses it: wait until it ends.`);
  }
}
