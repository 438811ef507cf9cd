import { createCipheriv } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, fromHex, toHex, uintBytes, utf8 } from '../../src/codec/bytes.ts';
import { FIELDS_BYTES_MAX, openFields, SEALED_FIELDS_BYTES_MAX, sealFields } from '../../src/crypto/field-cipher.ts';
import { paddedSize, paddedSlice, padmeSize, unpadded } from '../../src/crypto/padding.ts';
import {
  openPayload,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_CHUNK_BYTES,
  PayloadError,
  sealPayload,
} from '../../src/crypto/payload-cipher.ts';
import { keyCommitment } from '../../src/crypto/record-keys.ts';
import vectors from './padding.vectors.json' with { type: 'json' };

const key = new Uint8Array(32).fill(3);
const of = { recordId: new Uint8Array(16).fill(4), version: 2 };
const CHUNK_PLAINTEXT = PAYLOAD_CHUNK_BYTES - 16;

/** Bytes that differ from place to place. */
function sample(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

function encryptIndependently(counter: number, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, uintBytes(counter, 12));
  cipher.setAAD(aad);
  return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

async function refused(opening: Promise<unknown>, reason: string): Promise<void> {
  try {
    await opening;
  } catch (error) {
    assert.ok(error instanceof PayloadError, String(error));
    assert.is(error.reason, reason);
    return;
  }
  assert.unreachable('it opened');
}

test('padded sizes and forms are those of the vectors', () => {
  for (const { length, padme } of vectors.sizes) assert.is(padmeSize(length), padme, String(length));
  for (const { plaintext, padded } of vectors.forms) {
    const bytes = fromHex(plaintext);
    assert.is(toHex(paddedSlice(bytes, 0, paddedSize(bytes.length))), padded);
    assert.equal(unpadded(fromHex(padded)), bytes);
  }
});

test('a padded form in slices of any size is the whole', () => {
  const plaintext = sample(50);
  const size = paddedSize(50);
  const whole = paddedSlice(plaintext, 0, size);
  for (let width = 1; width <= size; width += 1) {
    const slices: Uint8Array[] = [];
    for (let start = 0; start < size; start += width)
      slices.push(paddedSlice(plaintext, start, Math.min(size, start + width)));
    assert.equal(concatBytes(...slices), new Uint8Array(whole), `width ${width}`);
  }
});

test('a padded form that is not the one of its length is refused', () => {
  const padded = paddedSlice(sample(100), 0, paddedSize(100));
  assert.ok(unpadded(padded));
  assert.is(unpadded(padded.subarray(0, -1)), undefined, 'too short');
  assert.is(unpadded(concatBytes(padded, new Uint8Array(1))), undefined, 'too long');
  assert.is(unpadded(padded.map((byte, i) => (i === padded.length - 1 ? 1 : byte))), undefined, 'not zero');
  assert.is(unpadded(padded.map((byte, i) => (i === 0 ? 255 : byte))), undefined, 'a length beyond all bounds');
  assert.is(unpadded(new Uint8Array(7)), undefined);
});

test('a small payload is one chunk of AES-256-GCM with the stated nonce and AAD', async () => {
  const payload = utf8('{"resourceType":"Observation"}');
  const sealed = await sealPayload(payload, key, of);
  const aad = concatBytes(
    utf8('medledger/v1/PAYLOAD\0'),
    of.recordId,
    uintBytes(2, 4),
    uintBytes(0, 4),
    uintBytes(1, 4),
  );
  const padded = paddedSlice(payload, 0, paddedSize(payload.length));
  assert.is(sealed.chunks.length, 1);
  assert.equal(sealed.chunks[0], encryptIndependently(0, aad, padded));
  assert.is(sealed.bytes, padded.length + 16);
  assert.equal(sealed.keyCommitment, keyCommitment(key));
});

test('payloads around the chunk boundaries come back, in chunks of 1 MiB', async () => {
  for (const length of [0, 1, CHUNK_PLAINTEXT - 8, CHUNK_PLAINTEXT, 2 * CHUNK_PLAINTEXT, 3_000_000]) {
    const payload = sample(length);
    const sealed = await sealPayload(payload, key, of);
    assert.ok(sealed.chunks.slice(0, -1).every((chunk) => chunk.length === PAYLOAD_CHUNK_BYTES));
    assert.is(
      sealed.chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      sealed.bytes,
    );
    const opened = await openPayload(sealed.chunks, key, sealed.keyCommitment, of);
    assert.is(Buffer.compare(opened, payload), 0, `${length} bytes`);
  }
});

test('a payload opens only whole, in order, and for its record version', async () => {
  const { chunks, keyCommitment: commitment } = await sealPayload(sample(3_000_000), key, of);
  const [first, second, last] = chunks as [Uint8Array, Uint8Array, Uint8Array];
  const open = (these: readonly Uint8Array[], where = of) => openPayload(these, key, commitment, where);
  await refused(open([second, first, last]), 'damaged');
  await refused(open([first, second]), 'damaged');
  await refused(open([first, second, last, last]), 'damaged');
  await refused(open([first, second, last.subarray(0, -1)]), 'damaged');
  await refused(open([first, second, last.subarray(0, 16)]), 'damaged');
  await refused(open([]), 'damaged');
  const bent = last.slice();
  bent[0]! ^= 1;
  await refused(open([first, second, bent]), 'damaged');
  await refused(open(chunks, { ...of, version: 3 }), 'damaged');
  await refused(open(chunks, { ...of, recordId: new Uint8Array(16) }), 'damaged');
});

test('another key is refused by the commitment, before decryption', async () => {
  const { chunks, keyCommitment: commitment } = await sealPayload(sample(10), key, of);
  await refused(openPayload(chunks, new Uint8Array(32), commitment, of), 'commitment');
  await refused(openPayload(chunks, key, new Uint8Array(32), of), 'commitment');
  // Even an author who seals under one key and commits to another gets nothing opened.
  await refused(openPayload(chunks, key, keyCommitment(new Uint8Array(32)), of), 'commitment');
});

test('an author who padded wrongly is found out', async () => {
  const aad = concatBytes(
    utf8('medledger/v1/PAYLOAD\0'),
    of.recordId,
    uintBytes(2, 4),
    uintBytes(0, 4),
    uintBytes(1, 4),
  );
  const padded = concatBytes(uintBytes(5, 8), sample(60));
  await refused(openPayload([encryptIndependently(0, aad, padded)], key, keyCommitment(key), of), 'damaged');
});

test('a payload over the largest size is refused before any work', async () => {
  try {
    await sealPayload(new Uint8Array(PAYLOAD_BYTES_MAX + 1), key, of);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, RangeError);
  }
});

test('search fields come back with their key and record version only', async () => {
  const fields = utf8('I10 2024-05-01');
  const sealed = await sealFields(fields, key, of);
  const aad = concatBytes(utf8('medledger/v1/FIELDS\0'), of.recordId, uintBytes(2, 4));
  assert.equal(sealed, encryptIndependently(0, aad, paddedSlice(fields, 0, paddedSize(fields.length))));
  assert.equal(await openFields(sealed, key, of), fields);
  assert.is(await openFields(sealed, new Uint8Array(32), of), undefined);
  assert.is(await openFields(sealed, key, { ...of, version: 3 }), undefined);
  assert.is(await openFields(sealed.subarray(1), key, of), undefined);
  assert.is(await openFields(new Uint8Array(0), key, of), undefined);
});

test('search fields have a largest size', async () => {
  const sealed = await sealFields(sample(FIELDS_BYTES_MAX), key, of);
  assert.is(sealed.length, SEALED_FIELDS_BYTES_MAX);
  assert.equal(await openFields(sealed, key, of), sample(FIELDS_BYTES_MAX));
  try {
    await sealFields(sample(FIELDS_BYTES_MAX + 1), key, of);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, RangeError);
  }
});

test.run();
