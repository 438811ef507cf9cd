import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, concatBytes, equalBytes, fromHex, toHex, uintBytes } from '../../src/codec/bytes.ts';

const array = fc.uint8Array({ maxLength: 40 });

test('hexadecimal is that of Buffer, and comes back', () => {
  fc.assert(
    fc.property(array, (bytes) => {
      assert.is(toHex(bytes), Buffer.from(bytes).toString('hex'));
      assert.equal(fromHex(toHex(bytes).toUpperCase()), bytes);
    }),
  );
  for (const wrong of ['0', 'zz', '0x00', ' 00']) assert.throws(() => fromHex(wrong), RangeError);
});

test('the order of bytes is that of Buffer.compare', () => {
  fc.assert(
    fc.property(array, array, (a, b) => {
      assert.is(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
      assert.is(equalBytes(a, b), Buffer.compare(a, b) === 0);
    }),
  );
});

test('parts are joined in order', () => {
  assert.equal(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)), Uint8Array.of(1, 2, 3));
});

test('integers are big-endian and have to fit', () => {
  assert.equal(uintBytes(258, 4), Uint8Array.of(0, 0, 1, 2));
  assert.equal(uintBytes(Number.MAX_SAFE_INTEGER, 8), Uint8Array.of(0, 31, 255, 255, 255, 255, 255, 255));
  for (const [value, width] of [
    [256, 1],
    [-1, 2],
    [0.5, 2],
    [2 ** 53, 8],
  ] as const)
    assert.throws(() => uintBytes(value, width), RangeError);
});

test.run();
