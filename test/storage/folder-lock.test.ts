import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockFolder } from '../../src/storage/folder-lock.ts';
import { Child, inTemporaryFolder, storageError } from './fixtures.ts';

test('a folder held by another process is refused, its process named', () =>
  inTemporaryFolder(async (folder) => {
    const child = new Child('lock', folder);
    const pid = await child.line();
    const error = await storageError('FolderLocked', () => lockFolder(folder));
    assert.match(error.message, `in use by process ${pid}.`);
    await child.kill();
  }));

test('the lock of a process killed with -9 is free at once', () =>
  inTemporaryFolder(async (folder) => {
    for (let round = 0; round < 2; round += 1) {
      const child = new Child('lock', folder);
      assert.is(await child.line(), String(child.process.pid));
      await child.kill();
    }
    const lock = lockFolder(folder);
    lock.release();
  }));

test('the process itself holds a folder once, and can let go', () =>
  inTemporaryFolder(async (folder) => {
    const lock = lockFolder(folder);
    assert.match((await storageError('FolderLocked', () => lockFolder(folder))).message, `process ${process.pid}`);
    // The refused attempt must not have loosened it, as closing a second descriptor of a POSIX lock would.
    await storageError('FolderLocked', () => lockFolder(folder));
    lock.release();
    lock.release();
    const again = lockFolder(folder);
    again.release();
    assert.equal(await readdir(folder), ['lock']);
  }));

test('a refused attempt leaves the lock to its holder, seen from outside', () =>
  inTemporaryFolder(async (folder) => {
    const lock = lockFolder(folder);
    await storageError('FolderLocked', () => lockFolder(folder));
    const child = new Child('tryLock', folder);
    assert.is(await child.line(), 'FolderLocked');
    await child.exited;
    lock.release();
  }));

test('a process id file of anything is no lock', () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(path.join(folder, 'lock.pid'), `${process.ppid}\n`);
    lockFolder(folder).release();
  }));

test('a folder that cannot be locked is an error of its own', () =>
  inTemporaryFolder(async (folder) => {
    await storageError('FolderUnusable', () => lockFolder(path.join(folder, 'none')));
    await writeFile(path.join(folder, 'lock'), 'x'.repeat(5000));
    await storageError('FolderUnusable', () => lockFolder(folder));
  }));

test.run();
