import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, fromHex, toHex, uintBytes, utf8 } from '../../src/codec/bytes.ts';
import {
  generateSealingKeyPair,
  SealingError,
  sealingPublicKey,
  unwrapSecret,
  WRAP_BYTES,
  wrapSecret,
} from '../../src/crypto/hpke.ts';

// RFC 9180 in base mode, written a second time from the RFC and anchored by its Appendix A.1.1: the RFC prints no
// vector for AES-256-GCM with X25519, which differs from A.1 in the AEAD id and the key length alone.
interface Aead {
  readonly id: number;
  readonly keyBytes: 16 | 32;
}
const AES_128_GCM: Aead = { id: 1, keyBytes: 16 };
const AES_256_GCM: Aead = { id: 2, keyBytes: 32 };
const EMPTY = new Uint8Array(0);

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest());
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return hmac(salt, concatBytes(utf8('HPKE-v1'), suite, utf8(label), ikm));
}

function labeledExpand(suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number) {
  const labeled = concatBytes(uintBytes(length, 2), utf8('HPKE-v1'), suite, utf8(label), info);
  return hmac(prk, concatBytes(labeled, Uint8Array.of(1))).subarray(0, length);
}

function schedule(aead: Aead, dh: Uint8Array, enc: Uint8Array, pkR: Uint8Array, info: Uint8Array) {
  const kem = concatBytes(utf8('KEM'), uintBytes(0x20, 2));
  const shared = labeledExpand(
    kem,
    labeledExtract(kem, EMPTY, 'eae_prk', dh),
    'shared_secret',
    concatBytes(enc, pkR),
    32,
  );
  const suite = concatBytes(utf8('HPKE'), uintBytes(0x20, 2), uintBytes(1, 2), uintBytes(aead.id, 2));
  const context = concatBytes(
    Uint8Array.of(0),
    labeledExtract(suite, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(suite, EMPTY, 'info_hash', info),
  );
  const secret = labeledExtract(suite, shared, 'secret', EMPTY);
  return {
    key: labeledExpand(suite, secret, 'key', context, aead.keyBytes),
    nonce: labeledExpand(suite, secret, 'base_nonce', context, 12),
  };
}

function sealIndependently(
  aead: Aead,
  skE: Uint8Array,
  pkR: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const enc = x25519.getPublicKey(skE);
  const { key, nonce } = schedule(aead, x25519.getSharedSecret(skE, pkR), enc, pkR, info);
  const cipher = createCipheriv(`aes-${aead.keyBytes === 16 ? 128 : 256}-gcm`, key, nonce);
  cipher.setAAD(aad);
  return concatBytes(enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

function openIndependently(wrapped: Uint8Array, skR: Uint8Array, info: Uint8Array): Uint8Array {
  const enc = wrapped.subarray(0, 32);
  const dh = x25519.getSharedSecret(skR, enc);
  const { key, nonce } = schedule(AES_256_GCM, dh, enc, x25519.getPublicKey(skR), info);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAuthTag(wrapped.subarray(-16));
  return concatBytes(decipher.update(wrapped.subarray(32, -16)), decipher.final());
}

const skE = fromHex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736');
const skR = fromHex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8');
const secret = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);
const info = utf8('some info');

test('the independent HPKE gives the ciphertext of RFC 9180 A.1.1', () => {
  const sealed = sealIndependently(
    AES_128_GCM,
    skE,
    sealingPublicKey(skR),
    utf8('Ode on a Grecian Urn'),
    utf8('Count-0'),
    utf8('Beauty is truth, truth beauty'),
  );
  assert.is(
    toHex(sealed),
    '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431' +
      'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
  );
});

test('wraps made independently open, and wraps opened independently give the secret', async () => {
  const made = sealIndependently(AES_256_GCM, skE, sealingPublicKey(skR), info, EMPTY, secret);
  assert.equal(await unwrapSecret(made, skR, info), secret);
  const wrapped = await wrapSecret(secret, sealingPublicKey(skR), info);
  assert.is(wrapped.length, WRAP_BYTES);
  assert.equal(openIndependently(wrapped, skR, info), secret);
});

async function refused(opening: Promise<unknown>): Promise<void> {
  try {
    await opening;
  } catch (error) {
    assert.instance(error, SealingError);
    return;
  }
  assert.unreachable('it opened');
}

test('a wrap opens for its key, info and bytes only', async () => {
  const { publicKey, secretKey } = generateSealingKeyPair();
  assert.equal(sealingPublicKey(secretKey), publicKey);
  const wrapped = await wrapSecret(secret, publicKey, info);
  assert.equal(await unwrapSecret(wrapped, secretKey, info), secret);
  assert.not.equal(await wrapSecret(secret, publicKey, info), wrapped, 'a fresh ephemeral key each time');
  await refused(unwrapSecret(wrapped, generateSealingKeyPair().secretKey, info));
  await refused(unwrapSecret(wrapped, secretKey, utf8('another info')));
  await refused(unwrapSecret(wrapped.subarray(1), secretKey, info));
  await refused(unwrapSecret(concatBytes(wrapped, EMPTY, Uint8Array.of(0)), secretKey, info));
  for (const at of [0, 31, 32, 63, 64, 79]) {
    await refused(
      unwrapSecret(
        wrapped.map((byte, i) => (i === at ? byte ^ 1 : byte)),
        secretKey,
        info,
      ),
    );
  }
});

test('keys that can not be sealed to are refused', async () => {
  await refused(wrapSecret(secret, new Uint8Array(32), info));
  await refused(wrapSecret(secret, new Uint8Array(31).fill(9), info));
});

test('views into larger buffers are taken for what they show', async () => {
  const { publicKey, secretKey } = generateSealingKeyPair();
  const inside = (bytes: Uint8Array) => concatBytes(new Uint8Array(5), bytes, new Uint8Array(7)).subarray(5, -7);
  const wrapped = await wrapSecret(inside(secret), inside(publicKey), inside(info));
  assert.equal(await unwrapSecret(inside(wrapped), inside(secretKey), inside(info)), secret);
});

test.run();
