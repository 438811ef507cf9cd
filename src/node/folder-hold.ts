import { type FolderLock, lockFolder } from '../storage/folder-lock.ts';
import { StorageError } from '../storage/storage-error.ts';
import { OperatorError } from './operator-error.ts';

/**
 * Holds a folder that is no data folder, such as a folder of keys, for this process alone, until it is released or the
 * process ends. `purpose` says what for, in messages. Throws an OperatorError when another process holds it.
 */
export function holdFolder(folder: string, purpose: string): FolderLock {
  try {
    return lockFolder(folder);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'FolderLocked') throw error;
    throw new OperatorError(`${purpose} needs ${folder} for itself, and another process uses it: wait until it ends.`);
  }
}
