import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file that must not exist yet, for its owner only (mode 0600), durably: a sibling temporary file is written
 * and fsynced, then linked to its name, then the folder is fsynced. So under the name stands nothing or all, whenever
 * the process or machine dies, and what stood there is never replaced. Throws the operating system's error, EEXIST
 * when the name is taken.
 */
export function writeNewFile(path: string, content: Uint8Array): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  const file = openSync(temporary, 'wx', 0o600);
  try {
    try {
      let written = 0;
      while (written < content.length) written += writeSync(file, content, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // A rename would replace a file of that name; a link fails.
    linkSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncFolder(folder);
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // folders can not be opened there, and NTFS journals names itself
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
