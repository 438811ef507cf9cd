import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkDataFolder, createDataFolder, dataFolder } from '../../src/storage/data-folder.ts';
import { inTemporaryFolder, storageError } from './fixtures.ts';

test('a new data folder belongs to its owner alone', () =>
  inTemporaryFolder(async (root) => {
    const folder = await createDataFolder(path.join(root, 'deep', 'node'));
    assert.equal(folder, dataFolder(path.join(root, 'deep', 'node')));
    for (const place of [folder.root, folder.keys, folder.ledger, folder.payloads])
      assert.is((await stat(place)).mode & 0o777, 0o700, place);
    assert.equal(await checkDataFolder(folder.root), folder);
  }));

test('a folder with something in it is not taken', () =>
  inTemporaryFolder(async (root) => {
    await writeFile(path.join(root, 'something'), '');
    assert.match((await storageError('FolderNotEmpty', () => createDataFolder(root))).message, 'something');
  }));

test('an empty folder open to others is closed when it becomes a data folder', () =>
  inTemporaryFolder(async (root) => {
    const open = path.join(root, 'node');
    await mkdir(open);
    await chmod(open, 0o755);
    await createDataFolder(open);
    assert.is((await stat(open)).mode & 0o777, 0o700);
  }));

test('a missing folder and one open to others are refused with what to do', () =>
  inTemporaryFolder(async (root) => {
    await storageError('FolderUnusable', () => checkDataFolder(path.join(root, 'none')));
    const folder = await createDataFolder(path.join(root, 'node'));
    await chmod(folder.keys, 0o750);
    const error = await storageError('FolderUnusable', () => checkDataFolder(folder.root));
    assert.match(error.remedy, `chmod 700 ${folder.keys}`);
    await storageError('FolderUnusable', () => checkDataFolder(path.join(root, 'node', 'none')));
  }));

test.run();
