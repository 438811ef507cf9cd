import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { indexRootOf } from '../../src/index/inner/build.ts';
import { lookup } from '../../src/index/inner/lookup.ts';
import { type OuterIndex, openOuterIndex } from '../../src/index/outer/outer-index.ts';
import {
  type BlockRows,
  RECORD_POSITIONS_MAX,
  type RecordPosition,
  type RecordRow,
} from '../../src/index/outer/rows.ts';
import type { IndexKey } from '../../src/ledger/index-keys.ts';
import { randomFrom, sampleBytes, sampleRecord } from './sample-rows.ts';

interface Context {
  folder: string;
  file: string;
  index: OuterIndex;
}

const test = suite<Context>('outer versions');
const SHAPE = { patients: 10, codes: 10 };

test.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'outer-versions-'));
  context.file = join(context.folder, 'index.db');
  context.index = await openOuterIndex(context.file);
});

test.before.each(({ index }) => index.reset());

test.after(async ({ folder, index }) => {
  await index.close();
  rmSync(folder, { recursive: true });
});

/** Version `version` of record `number`, made by transaction `index` of block `height`. */
function versionOf(number: number, version: number, height: number, index: number): RecordRow {
  const random = randomFrom(number * 1000 + version);
  return {
    ...sampleRecord(random, number, height, SHAPE),
    version,
    index,
    txId: sampleBytes(7, height * 5000 + index),
  };
}

function blockOf(height: number, records: readonly RecordRow[], changes: Partial<BlockRows> = {}): BlockRows {
  return { height, hash: sampleBytes(6, height), records, closed: [], disposed: [], ...changes };
}

function idOf(number: number): Uint8Array {
  return sampleBytes(1, number).slice(0, 16);
}

/** Records are created, amended, closed and disposed of, in 40 blocks; a disposed one is not amended again. */
function history(): readonly BlockRows[] {
  const random = randomFrom(31);
  const versions: number[] = [];
  const disposed = new Set<number>();
  return Array.from({ length: 40 }, (_, i) => {
    const records: RecordRow[] = [];
    for (let index = 0; index < 20; index += 1) {
      const isNew = i < 2 || random() < 0.3;
      const number = isNew ? versions.length : Math.floor(random() * versions.length);
      if (disposed.has(number)) continue;
      versions[number] = (versions[number] ?? 0) + 1;
      records.push(versionOf(number, versions[number], i + 1, index));
    }
    const some = () => Math.floor(random() * versions.length);
    const [closed, gone] = [some(), some()];
    disposed.add(gone);
    return blockOf(i + 1, records, { closed: [idOf(closed)], disposed: [idOf(gone)] });
  });
}

/** What is to be found after `blocks`, by record id. */
function expectedPositions(blocks: readonly BlockRows[]): Map<string, RecordPosition[]> {
  const expected = new Map<string, RecordPosition[]>();
  for (const block of blocks) {
    for (const { recordId, version, height, index } of block.records) {
      const positions = expected.get(toHex(recordId)) ?? [];
      expected.set(toHex(recordId), [...positions, { version, height, index }]);
    }
    for (const id of block.disposed) expected.set(toHex(id), []);
  }
  return expected;
}

async function check(index: OuterIndex, blocks: readonly BlockRows[]): Promise<void> {
  const asked = [...expectedPositions(blocks)];
  const found = await Promise.all(asked.slice(0, 250).map(([id]) => index.recordPositions(Buffer.from(id, 'hex'))));
  for (const [place, positions] of found.entries()) assert.equal(positions, asked[place]![1]);
}

test('every version is found where it was made, also those before the newest, and none of a disposed record', async (context) => {
  const { index } = context;
  const blocks = history();
  const expected = [...expectedPositions(blocks).values()];
  assert.ok(expected.some((positions) => positions.length >= 5) && expected.some(({ length }) => length === 0));
  for (let next = 0; next < blocks.length; next += 7) {
    await index.apply(blocks.slice(next, next + 7));
    await check(index, blocks.slice(0, next + 7));
  }
});

test('a position leads to the transaction through the index of its block', async ({ index }) => {
  const blocks = history().slice(0, 10);
  await index.apply(blocks);
  const pages = blocks.map(({ records }) => {
    const keys = records.map((row): IndexKey => ({ family: 'record', key: row.recordId, txIndex: row.index }));
    return indexRootOf(keys).pages;
  });
  const [id, expected] = [...expectedPositions(blocks)].find(([, positions]) => positions.length >= 3)!;
  const recordId = new Uint8Array(Buffer.from(id, 'hex'));
  const positions = await index.recordPositions(recordId);
  assert.equal(positions, expected);
  for (const { height, index: place } of positions)
    assert.ok(lookup(pages[height - 1]!, 'record', recordId).includes(place));
});

test('blocks applied again count once, and a refused batch leaves no position', async (context) => {
  const blocks = history();
  await context.index.apply(blocks.slice(0, 10));
  await context.index.close();
  context.index = await openOuterIndex(context.file);
  const { index } = context;
  const moved = blocks.slice(0, 10).map((block) => ({
    ...block,
    records: block.records.map((row) => ({ ...row, version: row.version + 50, index: row.index + 1 })),
    disposed: block.records.map((row) => row.recordId),
  }));
  await index.apply([...moved, blocks[10]!]);
  await check(index, blocks.slice(0, 11));
  for (const refused of [
    [blocks[11]!, blocks[13]!],
    [blocks[11]!, { ...blocks[5]!, hash: sampleBytes(8, 1) }],
  ])
    assert.instance(await index.apply(refused).catch((error) => error), Error);
  await check(index, blocks.slice(0, 11));
  await index.apply(blocks.slice(8, 14));
  await check(index, blocks.slice(0, 14));
});

test('disposal deletes versions of earlier blocks and of its own, of this record alone, and leaves no bytes', async (context) => {
  const { index, folder } = context;
  const others = Array.from({ length: 400 }, (_, i) => versionOf(100 + i, 1, 1, 10 + i));
  await index.apply([
    blockOf(1, [versionOf(1, 1, 1, 0), versionOf(2, 1, 1, 1), ...others]),
    blockOf(2, [versionOf(1, 2, 2, 0)]),
  ]);
  assert.is((await index.recordPositions(idOf(1))).length, 2);
  const filesHold = (id: Uint8Array) => {
    const text = Buffer.from(id).toString('latin1');
    return readdirSync(folder).some((name) => readFileSync(join(folder, name), 'latin1').includes(text));
  };
  await index.apply([blockOf(3, [versionOf(1, 3, 3, 0)], { disposed: [idOf(1), idOf(7)] })]);
  assert.equal(await index.recordPositions(idOf(1)), []);
  assert.equal(await index.recordPositions(idOf(2)), [{ version: 1, height: 1, index: 1 }]);
  assert.not(filesHold(idOf(1)));
  assert.ok(filesHold(idOf(2)));
});

test('closing a record and opening it later keep each version once', async ({ index }) => {
  const first = versionOf(1, 1, 1, 4);
  const second = versionOf(1, 2, 2, 5);
  await index.apply([blockOf(1, [{ ...first, fields: null }]), blockOf(2, [second])]);
  await index.apply([blockOf(3, [], { closed: [first.recordId] }), blockOf(4, [second, first])]);
  assert.equal(await index.recordPositions(first.recordId), [
    { version: 1, height: 1, index: 4 },
    { version: 2, height: 2, index: 5 },
  ]);
  const { hits } = await index.query({ limit: 10 });
  assert.equal(hits, [second], 'a search still meets the newest version alone');
});

test('of a longer history than the bound the newest versions are named', async ({ index }) => {
  const count = RECORD_POSITIONS_MAX + 3;
  const row = { ...versionOf(1, 1, 1, 0), fields: null };
  const versions = Array.from({ length: count }, (_, i) => ({ ...row, version: i + 1, index: i }));
  // Newest first: an older version that comes later is found as well.
  await index.apply([blockOf(1, versions.toReversed())]);
  const positions = await index.recordPositions(row.recordId);
  assert.equal(
    positions.map(({ version }) => version),
    versions.slice(3).map(({ version }) => version),
  );
});

test('an unknown record has no positions, and what is no record id is refused', async ({ index }) => {
  assert.equal(await index.recordPositions(idOf(9)), []);
  for (const length of [0, 15, 17, 32]) {
    const error: unknown = await index.recordPositions(new Uint8Array(length)).catch((reason) => reason);
    assert.ok(error instanceof Error && 'code' in error && error.code === 'query');
  }
});

test.run();
