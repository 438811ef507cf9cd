import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLoadLog } from '../../src/cli/load/load-log.ts';
import type { LoadEntry } from '../../src/cli/load/load-log-format.ts';
import { utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { OperatorError } from '../../src/node/operator-error.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-load-log-'));
test.after(() => rmSync(root, { recursive: true, force: true }));
const genesisHash = sha256(utf8('genesis'));
const markOf = (name: string) => sha256(utf8(name));

function signed(name: string, bytes = 40): LoadEntry {
  return {
    kind: 'Signed',
    mark: markOf(name),
    txId: sha256(utf8(`tx ${name}`)),
    validUntilMs: 1_790_000_000_000,
    encoded: new Uint8Array(bytes).fill(1),
    attachment: new Uint8Array(bytes).fill(2),
  };
}

const committed = (name: string): LoadEntry => ({ kind: 'Committed', mark: markOf(name), height: 5, index: 2 });
const dropped = (name: string): LoadEntry => ({ kind: 'Dropped', mark: markOf(name) });

/** A log file with these frames, and its length after each. */
async function logWith(name: string, frames: readonly (readonly LoadEntry[])[]) {
  const file = path.join(root, name);
  const log = await openLoadLog(file, genesisHash);
  const lengths = [statSync(file).size];
  for (const frame of frames) {
    await log.append(frame);
    lengths.push(statSync(file).size);
  }
  await log.close();
  return { file, bytes: new Uint8Array(readFileSync(file)), lengths };
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('what was appended is known after reopening, with the exact transaction', async () => {
  const address = sha256(utf8('address'));
  const { file } = await logWith('reopen', [
    [signed('a'), signed('b'), { kind: 'Registered', address }],
    [committed('a')],
    [signed('c'), dropped('b')],
  ]);
  const log = await openLoadLog(file, genesisHash);
  assert.equal(log.resource(markOf('a')), { kind: 'committed' });
  assert.is(log.resource(markOf('b')), undefined);
  const pending = log.pending();
  assert.is(pending.length, 1);
  const expected = signed('c');
  if (expected.kind === 'Signed') {
    const { txId, encoded, attachment, validUntilMs } = expected;
    assert.equal(pending[0]!.transaction, { txId, encoded, attachment, validUntilMs });
  }
  assert.ok(log.isRegistered(address));
  assert.not(log.isRegistered(genesisHash));
  await log.close();
});

test('a file cut anywhere is as it was after the last whole frame, and can be added to', async () => {
  const names = ['a', 'b', 'c'];
  const { bytes, lengths } = await logWith(
    'cut',
    names.map((name) => [signed(name)]),
  );
  const file = path.join(root, 'cut-copy');
  for (let length = lengths[0]!; length < bytes.length; length += 1) {
    writeFileSync(file, bytes.subarray(0, length), { mode: 0o600 });
    const log = await openLoadLog(file, genesisHash);
    const whole = lengths.filter((end) => end <= length).length - 1;
    assert.is(statSync(file).size, lengths[whole]);
    for (const [place, name] of names.entries())
      assert.is(log.resource(markOf(name)) !== undefined, place < whole, `${name} at ${length}`);
    await log.append([signed('d')]);
    await log.close();
    const again = await openLoadLog(file, genesisHash);
    assert.is(again.pending().length, whole + 1);
    await again.close();
  }
});

test('a torn last frame may hold anything where it was not written', async () => {
  const { bytes, lengths } = await logWith('torn', [[signed('a')], [signed('b', 8_000), signed('c', 8_000)]]);
  const file = path.join(root, 'torn-copy');
  const start = lengths[1]!;
  for (const [from, to] of [
    [start, start + 4096],
    [start + 4096, bytes.length],
    [start, bytes.length],
    [start + 12, start + 16],
  ] as const) {
    writeFileSync(
      file,
      Uint8Array.from(bytes, (byte, at) => (at >= from && at < to ? 0 : byte)),
      { mode: 0o600 },
    );
    const log = await openLoadLog(file, genesisHash);
    assert.is(log.pending().length, 1);
    assert.is(statSync(file).size, start);
    await log.close();
  }
});

test('damage before the last frame is found, not taken for a torn end', async () => {
  const { bytes, lengths } = await logWith('damage', [[signed('a')], [signed('b')], [committed('a')]]);
  const file = path.join(root, 'damage-copy');
  for (let at = 0; at < lengths[2]!; at += 1) {
    const copy = bytes.slice();
    copy[at]! ^= 0x40;
    writeFileSync(file, copy, { mode: 0o600 });
    const error = await failure(openLoadLog(file, genesisHash));
    assert.instance(error, OperatorError, `byte ${at}`);
    assert.match((error as Error).message, /is damaged: restore it/);
  }
});

test('the log of another ledger is refused', async () => {
  const { file } = await logWith('other', [[signed('a')]]);
  const error = await failure(openLoadLog(file, sha256(utf8('another'))));
  assert.match((error as Error).message, /is about the ledger/);
});

test('the file is for its owner alone', async () => {
  const { file } = await logWith('mode', []);
  if (process.platform !== 'win32') assert.is(statSync(file).mode & 0o777, 0o600);
});

test.run();
