import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../src/codec/bytes.ts';
import { generateSealingKeyPair, SealingError, unwrapSecret, WRAP_BYTES } from '../../src/crypto/hpke.ts';
import { wrapSecretNative } from '../../src/crypto/node/hpke-wrap.ts';

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('what it wraps opens with the HPKE library, for exactly this key and info', async () => {
  for (const info of [new Uint8Array(0), utf8('info'), new Uint8Array(300).fill(7)]) {
    const pair = generateSealingKeyPair();
    const wrapped = await wrapSecretNative(secret, pair.publicKey, info);
    assert.is(wrapped.length, WRAP_BYTES);
    assert.equal(await unwrapSecret(wrapped, pair.secretKey, info), secret);
    assert.instance(await rejection(unwrapSecret(wrapped, pair.secretKey, utf8('other'))), SealingError);
    assert.instance(await rejection(unwrapSecret(wrapped, generateSealingKeyPair().secretKey, info)), SealingError);
  }
});

test('each wrap has an ephemeral key of its own', async () => {
  const { publicKey } = generateSealingKeyPair();
  const [first, second] = await Promise.all([1, 2].map(() => wrapSecretNative(secret, publicKey, utf8('info'))));
  assert.not.equal(first!.subarray(0, 32), second!.subarray(0, 32));
  assert.not.equal(first!.subarray(32), second!.subarray(32));
});

test('a key of small order, or of another length, can not be sealed to', async () => {
  for (const key of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(31)])
    assert.instance(await rejection(wrapSecretNative(secret, key, utf8('info'))), SealingError);
});

test('a secret has 32 bytes', async () => {
  const { publicKey } = generateSealingKeyPair();
  assert.instance(await rejection(wrapSecretNative(new Uint8Array(31), publicKey, utf8('info'))), RangeError);
});

test.run();
