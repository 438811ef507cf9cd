import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { type OuterIndex, openOuterIndex } from '../../src/index/outer/outer-index.ts';
import { crashBlocks } from './crash-blocks.ts';

const WRITER = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

/** Runs the writer and kills it, by SIGKILL, as soon as it told `heights` heights; the last one told, in order. */
async function runAndKill(file: string, heights: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let told = 0;
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'end') last = Number(line);
    told += 1;
    if (told === heights) child.kill('SIGKILL');
  }
  await exited;
  return last;
}

async function allRecordIds(index: OuterIndex): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await index.query(cursor === undefined ? { limit: 1000 } : { limit: 1000, cursor });
    ids.push(...page.hits.map((hit) => toHex(hit.recordId)));
    cursor = page.cursor;
  }
  return ids.sort();
}

test('after kill -9 the file holds exactly the blocks up to its height, and no told block is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outer-crash-'));
  const file = join(folder, 'index.db');
  const blocks = crashBlocks();
  for (const heights of [1, 4, 13, 2, 29]) {
    const told = await runAndKill(file, heights);
    const index = await openOuterIndex(file);
    const height = await index.appliedHeight();
    assert.ok(height >= told, `told ${told}, found ${height}`);
    assert.ok(height < blocks.length, 'it was killed on the way');
    const live = blocks.slice(0, height).flatMap((block, i) => block.records.slice(i === height - 1 ? 0 : 1));
    assert.equal(await allRecordIds(index), live.map((row) => toHex(row.recordId)).sort());
    await index.close();
  }
  await runAndKill(file, Number.POSITIVE_INFINITY);
  const index = await openOuterIndex(file);
  assert.is(await index.appliedHeight(), blocks.length);
  assert.is((await allRecordIds(index)).length, blocks.length * 19 + 1);
  await index.close();
  rmSync(folder, { recursive: true });
});

test.run();
