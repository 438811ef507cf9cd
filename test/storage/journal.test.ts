import { spawnSync } from 'node:child_process';
import { link, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/codec/bytes.ts';
import { APPEND_BYTES_MAX, APPENDS_WAITING_MAX, createJournal, openJournal } from '../../src/storage/journal.ts';
import {
  decodeJournal,
  encodeGroup,
  encodeJournalFile,
  JOURNAL_HEADER_BYTES,
} from '../../src/storage/journal-format.ts';
import { bytesOf, CHILD_SCRIPT, Child, inTemporaryFolder, storageError } from './fixtures.ts';

const BIRTH = bytesOf('birth', 20);
const IDENTITY = { salt: bytesOf('salt', 16), firstSequence: 7 };

function record(number: number): Uint8Array {
  return bytesOf(`record ${number}`, 1 + ((number * 977) % 5000));
}

/** A file of three groups, and where each ends. */
function threeGroups(): { bytes: Uint8Array; ends: readonly number[] } {
  let bytes = encodeJournalFile(IDENTITY, [bytesOf('first', 30)]);
  const ends = [bytes.length];
  bytes = concatBytes(bytes, encodeGroup(IDENTITY.salt, bytes.length, 8, [bytesOf('a', 40), bytesOf('b', 0)]));
  ends.push(bytes.length);
  bytes = concatBytes(bytes, encodeGroup(IDENTITY.salt, bytes.length, 10, [bytesOf('c', 25), bytesOf('d', 50)]));
  ends.push(bytes.length);
  return { bytes, ends };
}

const SYNCED = [bytesOf('first', 30), bytesOf('a', 40), bytesOf('b', 0)];

test('records come back in order after reopening', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    const created = await createJournal(file, BIRTH);
    assert.equal(created.records, [BIRTH]);
    const expected = [BIRTH];
    const appends: Promise<void>[] = [];
    for (let number = 0; number < 40; number += 1) {
      expected.push(record(number), record(number + 1000));
      appends.push(created.append([record(number), record(number + 1000)]));
    }
    await Promise.all(appends);
    await created.append([bytesOf('large', 300_000)]);
    expected.push(bytesOf('large', 300_000));
    assert.is(created.lengthBytes, (await stat(file)).size);
    await created.close();
    const opened = await openJournal(file);
    assert.equal(opened.records, expected);
    assert.is(opened.cutBytes, 0);
    await opened.append([Uint8Array.of(1)]);
    await opened.close();
    const again = await openJournal(file);
    assert.equal(again.records, [...expected, Uint8Array.of(1)]);
    await again.close();
  }));

test('appends that wait together share one group', () =>
  inTemporaryFolder(async (folder) => {
    const journal = await createJournal(path.join(folder, 'journal'), BIRTH);
    const before = journal.lengthBytes;
    await Promise.all(Array.from({ length: 10 }, () => journal.append([bytesOf('x', 10)])));
    assert.is(journal.lengthBytes - before, 28 + 10 * (16 + 10));
    await journal.close();
  }));

test('truncation leaves what it was told to keep, in order with the appends around it', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    const journal = await createJournal(file, BIRTH);
    await Promise.all([
      journal.append([record(1)]),
      journal.truncate([bytesOf('decided', 40), bytesOf('own vote', 9)]),
      journal.append([record(2)]),
    ]);
    assert.equal(journal.records, []);
    await journal.append([record(3)]);
    assert.is(journal.lengthBytes, (await stat(file)).size);
    await journal.close();
    assert.equal(await readdir(folder), ['journal']);
    const opened = await openJournal(file);
    assert.equal(opened.records, [bytesOf('decided', 40), bytesOf('own vote', 9), record(2), record(3)]);
    await opened.close();
  }));

test('a missing journal, and one where none should be, have errors of their own', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    assert.match((await storageError('JournalMissing', () => openJournal(file))).message, file);
    const journal = await createJournal(file, BIRTH);
    await journal.append([record(1)]);
    await storageError('JournalExists', () => createJournal(file, BIRTH));
    await journal.close();
    assert.equal((await openJournal(file)).records, [BIRTH, record(1)]);
  }));

test('a tail torn at any byte is cut, and the journal goes on', () =>
  inTemporaryFolder(async (folder) => {
    const { bytes, ends } = threeGroups();
    for (let length = ends[1]!; length < ends[2]!; length += 1) {
      const content = decodeJournal(bytes.subarray(0, length));
      assert.is(content.kind, 'read');
      if (content.kind === 'read') assert.equal(content.records, SYNCED);
    }
    const file = path.join(folder, 'journal');
    await writeFile(file, bytes.subarray(0, ends[2]! - 1));
    const journal = await openJournal(file);
    assert.is(journal.cutBytes, ends[2]! - 1 - ends[1]!);
    await journal.append([Uint8Array.of(5)]);
    await journal.close();
    const again = await openJournal(file);
    assert.equal(again.records, [...SYNCED, Uint8Array.of(5)]);
    assert.is(again.cutBytes, 0);
    await again.close();
  }));

test('a tail of zeros, whole or from any byte of the last group on, is cut', () => {
  const { bytes, ends } = threeGroups();
  for (let from = ends[1]!; from < ends[2]!; from += 1) {
    const zeroed = bytes.slice();
    zeroed.fill(0, from);
    const content = decodeJournal(zeroed);
    assert.ok(content.kind === 'read' && content.length === ends[1]!, `zeros from ${from}`);
  }
  const extended = new Uint8Array(bytes.length + 5000);
  extended.set(bytes);
  const content = decodeJournal(extended);
  assert.ok(content.kind === 'read' && content.length === bytes.length && content.records.length === 5);
});

test('any byte flipped in the last group cuts that group alone', () => {
  const { bytes, ends } = threeGroups();
  for (let at = ends[1]!; at < ends[2]!; at += 1) {
    const flipped = bytes.slice();
    flipped[at]! ^= 1;
    const content = decodeJournal(flipped);
    assert.is(content.kind, 'read', `byte ${at}`);
    if (content.kind === 'read') assert.equal(content.records, SYNCED);
  }
});

test('any byte flipped before the last group is damage that names the place', () =>
  inTemporaryFolder(async (folder) => {
    const { bytes, ends } = threeGroups();
    for (let at = 0; at < ends[1]!; at += 1) {
      const flipped = bytes.slice();
      flipped[at]! ^= 0x80;
      assert.is(decodeJournal(flipped).kind, 'damaged', `byte ${at}`);
    }
    const file = path.join(folder, 'journal');
    const flipped = bytes.slice();
    flipped[ends[0]! + 28 + 16 + 3]! ^= 1;
    await writeFile(file, flipped);
    const error = await storageError('JournalDamaged', () => openJournal(file));
    assert.match(error.message, `record 8 at byte ${ends[0]! + 28}`);
    assert.match(error.remedy, 'docs/OPERATIONS.md');
    assert.equal(new Uint8Array(await readFile(file)), flipped, 'a damaged journal is left as it is');
  }));

test('a wrong group is damage as soon as anything of a later one is there, torn or not', () => {
  const { bytes, ends } = threeGroups();
  for (let length = ends[1]! + 1; length <= ends[2]!; length += 1) {
    const flipped = bytes.slice(0, length);
    flipped[ends[1]! - 1]! ^= 1;
    assert.is(decodeJournal(flipped).kind, 'damaged', `length ${length}`);
  }
});

test('what was written when the file was made is never taken for a torn tail', () => {
  const bytes = encodeJournalFile(IDENTITY, [bytesOf('decided', 40)]);
  for (let length = 0; length < bytes.length; length += 1)
    assert.is(decodeJournal(bytes.subarray(0, length)).kind, 'damaged', `length ${length}`);
  for (let at = JOURNAL_HEADER_BYTES; at < bytes.length; at += 1) {
    const flipped = bytes.slice();
    flipped[at]! ^= 4;
    assert.is(decodeJournal(flipped).kind, 'damaged', `byte ${at}`);
  }
});

test('a group of another file, or of another place, does not count', () => {
  const bytes = encodeJournalFile(IDENTITY, [bytesOf('decided', 40)]);
  const strangers = [
    encodeGroup(bytesOf('other salt', 16), bytes.length, 8, [record(1)]),
    encodeGroup(IDENTITY.salt, bytes.length + 1, 8, [record(1)]),
    encodeGroup(IDENTITY.salt, bytes.length, 9, [record(1)]),
  ];
  for (const stranger of strangers) {
    const content = decodeJournal(concatBytes(bytes, stranger));
    assert.ok(content.kind === 'read' && content.records.length === 1 && content.length === bytes.length);
  }
});

test('an append above the limit is refused and harms nothing', () =>
  inTemporaryFolder(async (folder) => {
    const journal = await createJournal(path.join(folder, 'journal'), BIRTH);
    await storageError('JournalFull', () => journal.append([new Uint8Array(APPEND_BYTES_MAX)]));
    await journal.append([record(1)]);
    await journal.close();
  }));

test('more appends than may wait are refused, those before them stand', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    const journal = await createJournal(file, BIRTH);
    const appends = Array.from({ length: APPENDS_WAITING_MAX }, (_, i) => journal.append([Uint8Array.of(i % 256)]));
    await storageError('JournalFull', () => journal.append([record(1)]));
    await Promise.all(appends);
    await journal.append([record(2)]);
    await journal.close();
    const opened = await openJournal(file);
    assert.is(opened.records.length, 1 + APPENDS_WAITING_MAX + 1);
    assert.equal(opened.records.at(-1), record(2));
    await opened.close();
  }));

test('a temporary file left by a crash is never written to: it may be the journal itself', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    await (await createJournal(file, BIRTH)).close();
    await link(file, `${file}.new`);
    await storageError('JournalExists', () => createJournal(file, record(1)));
    await link(file, `${file}.new`);
    const journal = await openJournal(file);
    assert.equal(journal.records, [BIRTH]);
    await journal.truncate([record(2)]);
    await journal.close();
    assert.equal(await readdir(folder), ['journal']);
  }));

test('a write that fails stops the journal for good, and what was acknowledged stays', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    await (await createJournal(file, BIRTH)).close();
    // A limit on the size of files stands for the full disk.
    const { stdout } = spawnSync(
      'sh',
      ['-c', 'ulimit -f 16; exec "$@"', 'sh', process.execPath, CHILD_SCRIPT, 'appendUntilFull', folder],
      {
        encoding: 'utf8',
      },
    );
    const lines = stdout.trim().split('\n');
    assert.equal(lines.slice(-2), ['WriteFailed', 'same error']);
    const journal = await openJournal(file);
    assert.is(journal.records.length, 1 + lines.length - 2);
    await journal.close();
  }));

test('killed while appending, the journal holds every acknowledged record', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    const created = await createJournal(file, record(0));
    await created.close();
    for (let round = 0; round < 3; round += 1) {
      const child = new Child('append', folder);
      let last = 0;
      for (let count = 0; count <= 20 * round; count += 1) last = Number(await child.line());
      last = Number((await child.kill()).at(-1) ?? last);
      const journal = await openJournal(file);
      assert.ok(journal.records.length >= last + 1, `${journal.records.length} records, ${last} acknowledged`);
      journal.records.forEach((bytes, number) => {
        assert.equal(bytes, record(number));
      });
      await journal.close();
    }
  }));

test('killed while truncating, the journal is the old or the new one', () =>
  inTemporaryFolder(async (folder) => {
    const file = path.join(folder, 'journal');
    await (await createJournal(file, Buffer.from('0'))).close();
    for (let round = 0; round < 3; round += 1) {
      const child = new Child('truncate', folder);
      let last = 0;
      for (let count = 0; count <= 8 * round; count += 1) last = Number(await child.line());
      last = Number((await child.kill()).at(-1) ?? last);
      const journal = await openJournal(file);
      const kept = Number(Buffer.from(journal.records[0]!).toString());
      assert.ok(kept === last || kept === last + 1, `kept ${kept}, acknowledged ${last}`);
      await journal.close();
      assert.equal(await readdir(folder), ['journal']);
    }
  }));

test.run();
