import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { Projection } from '../../src/index/outer/projection.ts';
import type { BlockRows } from '../../src/index/outer/rows.ts';
import { crashBlocks } from './crash-blocks.ts';

const WRITER = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

/** Runs the writer and kills it, by SIGKILL, as soon as it told `heights` heights; the last one told, in order. */
async function runAndKill(file: string, heights: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let told = 0;
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    told += 1;
    if (told === heights) child.kill('SIGKILL');
  }
  await exited;
  return last;
}

function allRecordIds(index: Projection): string[] {
  const ids: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = index.query(cursor === undefined ? { limit: 1000 } : { limit: 1000, cursor });
    ids.push(...page.hits.map((hit) => toHex(hit.recordId)));
    cursor = page.cursor;
  }
  return ids.sort();
}

/** Exactly the records of `applied` that its blocks do not dispose of, each with the place where it was made. */
function checkRows(index: Projection, applied: readonly BlockRows[]): void {
  const disposed = new Set(applied.flatMap((block) => block.disposed.map(toHex)));
  const made = applied.flatMap((block) => block.records);
  const live = made.map((row) => toHex(row.recordId)).filter((id) => !disposed.has(id));
  assert.equal(allRecordIds(index), live.sort());
  for (const { recordId, version, height, index: place } of made) {
    const expected = disposed.has(toHex(recordId)) ? [] : [{ version, height, index: place }];
    assert.equal(index.recordPositions(recordId), expected);
  }
}

test('after kill -9 the file holds exactly the blocks up to its height, and no told block is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outer-crash-'));
  const file = join(folder, 'index.db');
  const blocks = crashBlocks();
  for (const heights of [1, 3, 9, 2, 14]) {
    const told = await runAndKill(file, heights);
    const index = new Projection(file, false);
    const height = index.appliedHeight();
    assert.ok(height >= told, `told ${told}, found ${height}`);
    assert.ok(height < blocks.length, 'it was killed on the way');
    checkRows(index, blocks.slice(0, height));
    index.close();
  }
  const index = new Projection(file, false);
  index.apply(blocks);
  assert.is(index.appliedHeight(), blocks.length);
  assert.is(allRecordIds(index).length, blocks.length * 19 + 1);
  checkRows(index, blocks);
  index.close();
  rmSync(folder, { recursive: true });
});

test.run();
