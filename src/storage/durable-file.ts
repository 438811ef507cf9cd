import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Mode of every file and folder of a node: its owner alone. */
export const FILE_MODE = 0o600;
/** Modes of what only the owner may enter. */
export const FOLDER_MODE = 0o700;

/**
 * Puts `bytes` at `file` so that after a crash at any instruction either the old file (or none) or the whole new one
 * is there: written to `temporary` on the same file system, synced, renamed, the folder synced. A leftover temporary
 * file is overwritten.
 */
export async function replaceFile(file: string, temporary: string, bytes: Uint8Array): Promise<void> {
  await writeSynced(temporary, bytes);
  await rename(temporary, file);
  await syncFolder(path.dirname(file));
}

/** Creates or empties `file`, writes `bytes` and syncs them; its name is durable only after `syncFolder`. */
export async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w', FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes what was created, renamed or unlinked in `folder` durable. Windows does so by itself and cannot be asked. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

/** Creates `folder` for its owner alone and makes its name durable; a folder that is there stays as it is. */
export async function makeFolder(folder: string): Promise<void> {
  const created = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (created === undefined) return;
  // Every name from the first folder created down to this one is new.
  for (let parent = path.dirname(folder); ; parent = path.dirname(parent)) {
    await syncFolder(parent);
    if (parent === path.dirname(created)) return;
  }
}

/** The code of a failed system call (`ENOENT`, `EEXIST`, …), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
