import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../src/codec/bytes.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import type { SignatureCheck } from '../../src/crypto/node/signature-batch.ts';
import { createVerifierPool, VerifierPoolError } from '../../src/crypto/node/verifier-pool.ts';
import { edgeCases } from '../../src/crypto/speccheck.ts';

const ENTRY = new URL('../../src/crypto/node/verify-worker.ts', import.meta.url);

/** `count` signatures with messages of different lengths; every third is invalid. */
function batchOf(count: number, salt = ''): { batch: SignatureCheck[]; expected: boolean[] } {
  const signer = sodiumSigner(new Uint8Array(32).fill(1));
  const batch = Array.from({ length: count }, (_, i) => {
    const message = utf8(`${salt}${'m'.repeat(i % 97)}`);
    const signature = signer.sign(i % 3 === 2 ? utf8('other') : message);
    return { signature, message, publicKey: signer.publicKey };
  });
  return { batch, expected: batch.map((_, i) => i % 3 !== 2) };
}

async function failure(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (error) {
    assert.ok(error instanceof VerifierPoolError, String(error));
    return error.code;
  }
  return 'answered';
}

test('a batch is answered item by item', async () => {
  const pool = createVerifierPool({ workers: 1 });
  const { batch, expected } = batchOf(500);
  assert.equal(await pool.verify(batch), expected);
  assert.equal(await pool.verify([]), []);
  assert.equal(
    await pool.verify(edgeCases()),
    edgeCases().map(({ accepted }) => accepted),
  );
  await pool.close();
});

test('malformed items are false and do not disturb their neighbours', async () => {
  const pool = createVerifierPool({ workers: 1 });
  const good = batchOf(1, 'salt').batch[0]!;
  const answers = await pool.verify([
    good,
    { ...good, signature: good.signature.subarray(1) },
    { ...good, publicKey: new Uint8Array(33) },
    { ...good, message: new Uint8Array(0) },
    { signature: new Uint8Array(0), publicKey: new Uint8Array(0), message: new Uint8Array(1000) },
    good,
  ]);
  assert.equal(answers, [true, false, false, false, false, true]);
  await pool.close();
});

test('batches given at once to two threads each get their own answer', async () => {
  const pool = createVerifierPool({ workers: 2 });
  const batches = Array.from({ length: 40 }, (_, i) => batchOf((i * 7) % 30, String(i)));
  const answers = await Promise.all(batches.map(({ batch }) => pool.verify(batch)));
  assert.equal(
    answers,
    batches.map(({ expected }) => expected),
  );
  await pool.close();
});

test('the caller may reuse its arrays at once', async () => {
  const pool = createVerifierPool({ workers: 1 });
  const { batch } = batchOf(1);
  const answer = pool.verify(batch);
  batch[0]!.signature.fill(0);
  assert.equal(await answer, [true]);
  await pool.close();
});

test('when a thread dies its batches are rejected and the next one gets a new thread', async () => {
  const threads: Worker[] = [];
  const pool = createVerifierPool({ workers: 1 }, () => {
    const thread = new Worker(ENTRY);
    threads.push(thread);
    return thread;
  });
  const { batch, expected } = batchOf(30);
  assert.equal(await pool.verify(batch), expected);
  const waiting = [failure(pool.verify(batch)), failure(pool.verify(batch))];
  // Not a packed batch: the thread fails over it, before or after it answered what came first.
  threads[0]!.postMessage('nonsense');
  const doomed = failure(pool.verify(batch));
  assert.is(await doomed, 'crashed');
  for (const code of await Promise.all(waiting)) assert.ok(code === 'answered' || code === 'crashed');
  assert.equal(await pool.verify(batch), expected);
  assert.is(threads.length, 2);
  await pool.close();
});

test('a thread that can not start rejects its batches instead of hanging', async () => {
  const pool = createVerifierPool({ workers: 1 }, () => new Worker('process.exit(7)', { eval: true }));
  const { batch } = batchOf(1);
  assert.is(await failure(pool.verify(batch)), 'crashed');
  assert.is(await failure(pool.verify(batch)), 'crashed');
  await pool.close();
});

test('what waits is bounded', async () => {
  // A thread that never answers.
  const idle = "require('node:worker_threads').parentPort.on('message', () => {})";
  const pool = createVerifierPool({ workers: 1 }, () => new Worker(idle, { eval: true }));
  const one = batchOf(1).batch[0]!;
  const half = Array.from({ length: 32_768 }, () => one);
  const waiting = [failure(pool.verify(half)), failure(pool.verify(half))];
  assert.is(await failure(pool.verify([one])), 'busy');
  await pool.close();
  assert.equal(await Promise.all(waiting), ['closed', 'closed']);
});

test('a closed pool answers no more', async () => {
  const pool = createVerifierPool({ workers: 1 });
  await pool.close();
  await pool.close();
  assert.is(await failure(pool.verify(batchOf(1).batch)), 'closed');
  assert.throws(() => createVerifierPool({ workers: 0 }), 'choose 1 to 64');
});

test.run();
