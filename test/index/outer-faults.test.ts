import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openOuterIndex } from '../../src/index/outer/outer-index.ts';
import { OuterIndexError } from '../../src/index/outer/outer-index-error.ts';
import { Projection } from '../../src/index/outer/projection.ts';
import { APPLY_BLOCKS_MAX, type BlockRows } from '../../src/index/outer/rows.ts';
import { REQUESTS_MAX } from '../../src/index/outer/worker-protocol.ts';
import { sampleBlocks, sampleBytes } from './sample-rows.ts';

const test = suite<{ folder: string; file: string }>('outer faults');
const SHAPE = { patients: 10, codes: 10 };
const BLOCKS = sampleBlocks(5, 30, 10, SHAPE);

/*
 * What a file holds or suffers is looked at through the Projection, without a thread; what a caller meets, through the
 * OuterIndex.
 */
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'outer-faults-'));
  context.file = join(context.folder, 'index.db');
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

async function failure(answer: Promise<unknown>): Promise<OuterIndexError> {
  const error: unknown = await answer.then(
    () => undefined,
    (reason) => reason,
  );
  if (!(error instanceof OuterIndexError)) throw new Error(`expected an OuterIndexError, got ${error}`);
  return error;
}

test('what was applied is there after reopening, and applying it again changes nothing', async ({ file }) => {
  let index = await openOuterIndex(file);
  assert.is(await index.appliedHeight(), 0);
  await index.apply(BLOCKS.slice(0, 10));
  await index.close();
  index = await openOuterIndex(file);
  assert.is(await index.appliedHeight(), 10);
  const before = await index.query({ limit: 1000 });
  const changed = BLOCKS.slice(0, 10).map((block) => ({
    ...block,
    records: [],
    disposed: [block.records[0]!.recordId],
  }));
  await index.apply(changed);
  assert.equal(await index.query({ limit: 1000 }), before);
  await index.apply(BLOCKS.slice(5, 15));
  assert.is(await index.appliedHeight(), 15);
  assert.is((await index.query({ limit: 1000 })).hits.length, 150);
  await index.close();
});

test('a gap and another block at an applied height are refused, with the whole batch', async ({ file }) => {
  const index = await openOuterIndex(file);
  assert.is((await failure(index.apply([BLOCKS[1]!]))).code, 'gap');
  await index.apply(BLOCKS.slice(0, 5));
  assert.is((await failure(index.apply([BLOCKS[5]!, BLOCKS[7]!]))).code, 'gap');
  assert.is((await failure(index.apply([{ ...BLOCKS[0]!, height: 0 }]))).code, 'diverged');
  const other: BlockRows = { ...BLOCKS[2]!, hash: sampleBytes(8, 1) };
  const diverged = await failure(index.apply([other, ...BLOCKS.slice(3, 9)]));
  assert.is(diverged.code, 'diverged');
  assert.match(diverged.message, 'medledger reindex');
  assert.is(await index.appliedHeight(), 5);
  assert.is((await index.query({ limit: 1000 })).hits.length, 50);
  await index.reset();
  assert.is(await index.appliedHeight(), 0);
  await index.apply([{ ...BLOCKS[0]!, hash: other.hash }]);
  assert.is(await index.appliedHeight(), 1);
  await index.close();
});

test('bounds hold: blocks in a call, requests that wait', async ({ file }) => {
  const index = await openOuterIndex(file);
  const many = Array.from({ length: APPLY_BLOCKS_MAX + 1 }, () => BLOCKS[0]!);
  const refused: unknown = await index.apply(many).catch((error) => error);
  assert.instance(refused, RangeError);
  const asked = Array.from({ length: REQUESTS_MAX + 10 }, () => index.appliedHeight());
  const outcomes = await Promise.allSettled(asked);
  assert.is(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, REQUESTS_MAX);
  const busy = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
  assert.equal(new Set(busy), new Set(['busy']));
  assert.is(await index.appliedHeight(), 0, 'and it goes on');
  await index.close();
});

test('what was asked before closing is answered, what is asked after is refused', async ({ file }) => {
  const index = await openOuterIndex(file);
  const applied = index.apply(BLOCKS);
  const closed = index.close();
  await applied;
  await closed;
  await index.close();
  assert.is((await failure(index.query({ limit: 1 }))).code, 'stopped');
  const again = new Projection(file, false);
  assert.is(again.appliedHeight(), 30);
  again.close();
});

test('a file that is no index, or of another layout, says to reindex; a fresh start mends it', async ({ file }) => {
  writeFileSync(file, 'this is not a database, but long enough to be looked at as one: '.repeat(20));
  const corrupt = await failure(openOuterIndex(file));
  assert.is(corrupt.code, 'corrupt');
  assert.match(corrupt.message, 'medledger reindex');
  new Projection(file, true).close();

  const other = new DatabaseSync(file);
  other.exec('PRAGMA user_version = 999');
  other.close();
  const schema = await failure(openOuterIndex(file));
  assert.is(schema.code, 'schema');
  assert.match(schema.message, 'medledger reindex');

  const index = await openOuterIndex(file, { fresh: true });
  assert.is(await index.appliedHeight(), 0);
  await index.apply(BLOCKS);
  assert.is((await index.query({ limit: 1000 })).hits.length, 300);
  await index.close();
});

test('pages damaged on disk are a fault that says to reindex, while open or at opening', async ({ file }) => {
  const first = new Projection(file, false);
  first.apply(sampleBlocks(6, 40, 30, SHAPE));
  first.close();
  const bytes = readFileSync(file);
  // All pages but the first, which names the tables.
  bytes.fill(0x5a, 4096);
  writeFileSync(file, bytes);
  const failed = await failure(
    openOuterIndex(file).then(async (index) => {
      try {
        await index.query({ kind: 'Kind0', limit: 1000 });
      } finally {
        await index.close();
      }
    }),
  );
  assert.is(failed.code, 'corrupt');
  assert.match(failed.message, 'medledger reindex');
  new Projection(file, true).close();
});

test('a second opener is told that the file is in use, and can not wipe it', async ({ file }) => {
  const index = new Projection(file, false);
  index.apply(BLOCKS);
  assert.is((await failure(openOuterIndex(file))).code, 'locked');
  assert.is((await failure(openOuterIndex(file, { fresh: true }))).code, 'locked');
  assert.is(index.query({ limit: 1000 }).hits.length, 300);
  index.close();
});

test('a folder that is not there is a fault of storage', async ({ folder }) => {
  assert.is((await failure(openOuterIndex(join(folder, 'absent', 'index.db')))).code, 'storage');
});

test('a dead thread rejects what waits and what comes, and says so', async ({ file }) => {
  let thread: Worker | undefined;
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (this: Worker, message: unknown) {
    thread = this;
    post.call(this, message);
  };
  const index = await openOuterIndex(file);
  await index.apply(BLOCKS);
  Worker.prototype.postMessage = post;
  // Not of the protocol: the thread throws outside of any request.
  thread!.postMessage(null);
  const waiting = await failure(index.query({ limit: 1 }));
  assert.is(waiting.code, 'stopped');
  assert.match(waiting.message, /thread failed .*restart the node/);
  assert.is((await failure(index.appliedHeight())).code, 'stopped');
  await index.close();
  const again = new Projection(file, false);
  assert.is(again.appliedHeight(), 30);
  again.close();
});

test('a row that can not be stored is refused with its whole batch', async ({ file }) => {
  const index = await openOuterIndex(file);
  const broken = { ...BLOCKS[1]!, records: [{ ...BLOCKS[1]!.records[0]!, class: 'x' as unknown as number }] };
  assert.is((await failure(index.apply([BLOCKS[0]!, broken]))).code, 'storage');
  assert.is(await index.appliedHeight(), 0);
  assert.equal((await index.query({ limit: 10 })).hits, []);
  await index.close();
});

test('the file can be read by its owner alone', ({ file, folder }) => {
  const index = new Projection(file, false);
  index.apply(BLOCKS);
  for (const name of readdirSync(folder)) assert.is(statSync(join(folder, name)).mode & 0o077, 0, name);
  index.close();
});

test('a disposed record leaves no readable bytes in any file, and a closed one none of its clinical fields', (context) => {
  const { file, folder } = context;
  const index = new Projection(file, false);
  const marked = (number: number, title: string) => {
    const row = BLOCKS[0]!.records[number]!;
    const fields = { kind: title, codes: [`s|${title}`], date: '2024', department: title, region: title, title };
    return { ...row, fields };
  };
  const [disposed, closed, kept] = [marked(0, 'DISPOSEDTEXT'), marked(1, 'CLOSEDTEXT'), marked(2, 'KEPTTEXT')];
  index.apply([{ ...BLOCKS[0]!, records: [disposed, closed, kept] }, ...BLOCKS.slice(1, 20)]);
  index.apply([{ ...BLOCKS[20]!, disposed: [disposed.recordId], closed: [closed.recordId] }]);
  const checkFiles = () => {
    const text = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
    assert.not.match(text.join(), 'DISPOSEDTEXT');
    assert.not.match(text.join(), 'CLOSEDTEXT');
    assert.match(text.join(), 'KEPTTEXT');
  };
  checkFiles();
  index.close();
  checkFiles();
});

test.run();
