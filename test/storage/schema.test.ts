import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, concatBytes, fromHex, toHex, utf8 } from '../../src/codec/bytes.ts';
import { bodyAt, decodeBodies, encodeBodies } from '../../src/storage/block-bodies.ts';
import { encodeGroup, encodeJournalFile } from '../../src/storage/journal-format.ts';
import {
  decodeFormat,
  decodeLocation,
  decodeTip,
  decodeU64,
  encodeFormat,
  encodeLocation,
  encodeTip,
  encodeU64,
  FORMAT_KEY,
  heightKey,
  openValue,
  PREFIX,
  prefixed,
  sealValue,
  TIP_KEY,
} from '../../src/storage/schema.ts';

const vectors = JSON.parse(readFileSync(path.join(import.meta.dirname, 'schema.vectors.json'), 'utf8')) as Readonly<
  Record<string, string>
>;

const HASH = Uint8Array.from({ length: 32 }, (_, i) => i);
const SALT = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);

const layouts: Readonly<Record<string, Uint8Array>> = {
  formatKey: FORMAT_KEY,
  formatValue: sealValue(FORMAT_KEY, encodeFormat(1, HASH)),
  tipKey: TIP_KEY,
  tipValue: sealValue(TIP_KEY, encodeTip({ tip: { height: 258, hash: HASH }, transactions: 772 })),
  headerKey: heightKey(PREFIX.header, 258),
  certificateKey: heightKey(PREFIX.certificate, 2 ** 53 - 1),
  bodiesKey: heightKey(PREFIX.bodies, 258),
  bodiesValue: encodeBodies(heightKey(PREFIX.bodies, 258), [utf8('abc'), utf8(''), utf8('de')]),
  heightByHashKey: prefixed(PREFIX.heightByHash, HASH),
  heightByHashValue: sealValue(prefixed(PREFIX.heightByHash, HASH), encodeU64(258)),
  locationKey: prefixed(PREFIX.location, HASH),
  locationValue: sealValue(prefixed(PREFIX.location, HASH), encodeLocation({ height: 258, index: 7 })),
  stateKey: prefixed(PREFIX.state, utf8('k')),
  stateValue: sealValue(prefixed(PREFIX.state, utf8('k')), utf8('v')),
  attachmentKey: prefixed(PREFIX.attachment, HASH),
  indexPagesKey: heightKey(PREFIX.indexPages, 258),
  nonceKey: prefixed(PREFIX.nonce, utf8('nonce')),
  nonceValue: sealValue(prefixed(PREFIX.nonce, utf8('nonce')), encodeU64(1_700_000_000_000)),
  journalFile: encodeJournalFile({ salt: SALT, firstSequence: 258 }, [utf8('decided')]),
  journalGroup: encodeGroup(SALT, 95, 259, [utf8('vote'), utf8('')]),
};

test('keys, values and the journal keep their bytes', () => {
  for (const [name, bytes] of Object.entries(layouts)) assert.is(toHex(bytes), vectors[name], name);
  assert.equal(Object.keys(vectors).sort(), Object.keys(layouts).sort());
});

test('a value is sealed by CRC-32 over key and payload', () => {
  const key = utf8('key');
  const expected = crc32(utf8('keypayload'));
  const sealed = sealValue(key, utf8('payload'));
  assert.is(Number.parseInt(toHex(sealed.subarray(0, 4)), 16), expected);
  assert.equal(openValue(key, sealed), utf8('payload'));
  assert.is(openValue(utf8('kez'), sealed), undefined);
  for (let at = 0; at < sealed.length; at += 1) {
    const flipped = sealed.slice();
    flipped[at]! ^= 1;
    assert.is(openValue(key, flipped), undefined);
    assert.is(openValue(key, sealed.subarray(0, at)), undefined);
  }
});

test('heights sort as numbers do', () => {
  const heights = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
  const keys = heights.map((height) => heightKey(PREFIX.header, height));
  for (let i = 1; i < keys.length; i += 1) assert.ok(compareBytes(keys[i - 1]!, keys[i]!) < 0);
  for (const height of heights) assert.is(decodeU64(encodeU64(height)), height);
  for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN]) assert.throws(() => heightKey(PREFIX.header, wrong));
});

test('what was encoded is decoded, and other lengths are not', () => {
  assert.equal(decodeFormat(encodeFormat(3, HASH)), { version: 3, genesisHash: HASH });
  const record = { tip: { height: 9, hash: HASH }, transactions: 7 };
  assert.equal(decodeTip(encodeTip(record)), record);
  assert.equal(decodeLocation(encodeLocation({ height: 9, index: 4095 })), { height: 9, index: 4095 });
  for (const decoder of [decodeFormat, decodeTip, decodeLocation, decodeU64])
    for (const length of [0, 7, 9, 11, 13, 35, 37, 47, 49, 56]) assert.is(decoder(new Uint8Array(length)), undefined);
});

test('numbers beyond the safe integers are read by nobody', () => {
  const unsafe = fromHex('0020000000000000');
  assert.is(decodeU64(unsafe), undefined);
  assert.is(decodeLocation(concatBytes(unsafe, new Uint8Array(4))), undefined);
  const tip = encodeTip({ tip: { height: 9, hash: HASH }, transactions: 7 });
  for (const at of [0, 40]) {
    const changed = tip.slice();
    changed.set(unsafe, at);
    assert.is(decodeTip(changed), undefined, `at ${at}`);
  }
});

test('bytes after the last transaction are damage', () => {
  const key = heightKey(PREFIX.bodies, 1);
  const value = encodeBodies(key, [utf8('first')]);
  assert.is(decodeBodies(key, concatBytes(value, Uint8Array.of(0))), 'damaged');
  assert.is(decodeBodies(key, concatBytes(encodeBodies(key, []), Uint8Array.of(0))), 'damaged');
});

test('every prefix is used once', () => {
  const prefixes = Object.values(PREFIX);
  assert.is(new Set(prefixes).size, prefixes.length);
});

test('bodies are cut out one by one, and damage is told from absence', () => {
  const key = heightKey(PREFIX.bodies, 1);
  const bodies = [utf8('first'), utf8(''), utf8('third')];
  const value = encodeBodies(key, bodies);
  assert.equal(decodeBodies(key, value), bodies);
  assert.equal(decodeBodies(key, encodeBodies(key, [])), []);
  bodies.forEach((body, index) => {
    assert.equal(bodyAt(key, value, index), body);
  });
  assert.is(bodyAt(key, value, 3), 'absent');
  assert.is(bodyAt(heightKey(PREFIX.bodies, 2), value, 0), 'damaged');
  for (let at = 0; at < value.length; at += 1) {
    const flipped = value.slice();
    flipped[at]! ^= 0x40;
    assert.is(decodeBodies(key, flipped), 'damaged', `byte ${at}`);
    assert.is(decodeBodies(key, value.subarray(0, at)), 'damaged', `length ${at}`);
  }
  const length = fromHex('ffffffff');
  const huge = value.slice();
  huge.set(length, 4);
  assert.is(decodeBodies(key, huge), 'damaged');
});

test.run();
