import { encode as encodeItem } from 'cborg';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import { decode, encode, withoutLastElement } from '../../src/codec/cbor.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import {
  boolean,
  bytes,
  bytesUpTo,
  enumeration,
  list,
  nullable,
  type Schema,
  struct,
  text,
  uint,
  union,
} from '../../src/codec/schema.ts';

type Shape = { readonly kind: 'dot'; readonly at: number } | { readonly kind: 'bar'; readonly note: string | null };

interface Sample {
  readonly count: number;
  readonly id: Uint8Array;
  readonly flags: readonly boolean[];
  readonly shape: Shape;
  readonly colour: 'red' | 'blue';
}

const sampleSchema = struct<Sample>({
  count: uint(),
  id: bytes(4),
  flags: list(boolean, 3),
  shape: union<Shape>({ dot: [1, struct({ at: uint(9) })], bar: [2, struct({ note: nullable(text(8)) })] }),
  colour: enumeration<'red' | 'blue'>({ red: 0, blue: 7 }),
});

const sample: Sample = {
  count: 65_536,
  id: Uint8Array.of(1, 2, 3, 4),
  flags: [true, false],
  shape: { kind: 'bar', note: 'é' },
  colour: 'blue',
};

/** Written out by hand from RFC 8949. */
const SAMPLE_HEX = '851a00010000440102030482f5f482028162c3a907';

test('a value has the bytes that RFC 8949 gives it, and they give it back', () => {
  assert.is(toHex(encode(sampleSchema, sample)), SAMPLE_HEX);
  assert.equal(decode(sampleSchema, fromHex(SAMPLE_HEX), 64), sample);
});

const refused: readonly [why: string, schema: Schema<unknown>, hex: string][] = [
  ['nothing', uint(), ''],
  ['trailing bytes', uint(), '0100'],
  ['an integer longer than need be', uint(), '1801'],
  ['the same in eight bytes', uint(), '1b0000000000000001'],
  ['a negative integer', uint(), '20'],
  ['an integer over 2^53', uint(), '1b0020000000000000'],
  ['a float that is whole', uint(), 'f93c00'],
  ['undefined', nullable(uint()), 'f7'],
  ['a string longer than the input', bytesUpTo(9), '4501'],
  ['a length of 2^63', bytesUpTo(9), '5b7fffffffffffffff'],
  ['an indefinite string', bytesUpTo(9), '5f4101ff'],
  ['an indefinite array', list(uint(), 9), '9f01ff'],
  ['an array longer than the input', list(uint(), 9), '8301'],
  ['a map', struct({}), 'a0'],
  ['a tag', uint(), 'c101'],
  ['a text that is not UTF-8', text(9), '62c328'],
  ['a text with a byte-order mark', text(9), '64efbbbf61'],
  ['a text for bytes', bytesUpTo(9), '6161'],
  ['one element too many', list(uint(), 2), '83010203'],
  ['one byte too few', bytes(3), '420102'],
  ['an unknown constant', enumeration({ red: 0 }) as Schema<unknown>, '01'],
  ['an unknown kind', union({ dot: [1, struct({})] } as never) as Schema<unknown>, '820280'],
];
for (const [why, schema, hex] of refused) {
  test(`refused: ${why}`, () => {
    assert.throws(
      () => decode(schema, fromHex(hex), 64),
      (error: unknown) => error instanceof DecodeError,
    );
  });
}

test('two hundred thousand levels of nesting are refused without a stack', () => {
  const deep = new Uint8Array(200_000).fill(0x81);
  assert.throws(() => decode(list(uint(), 1), deep, deep.length), /nested deeper|ends within/);
});

test('the cap on length comes before anything else', () => {
  assert.throws(() => decode(bytesUpTo(9), fromHex('4401020304'), 4), /at most 4 allowed/);
});

test('whatever decodes encodes to the same bytes', () => {
  const mutated = fc.tuple(fc.nat(20), fc.nat(255)).map(([place, byte]) => {
    const copy = fromHex(SAMPLE_HEX);
    copy[place] = byte;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 24 })), (input) => {
      let value: Sample;
      try {
        value = decode(sampleSchema, input, 64);
      } catch (error) {
        assert.instance(error, DecodeError);
        return;
      }
      assert.is(toHex(encode(sampleSchema, value)), toHex(input));
    }),
    { numRuns: 20_000 },
  );
});

test('what is outside its bounds can not be encoded', () => {
  assert.throws(() => encode(uint(5), 6), RangeError);
  assert.throws(() => encode(bytes(2), new Uint8Array(3)), RangeError);
  assert.throws(() => encode(text(3), 'éé'), RangeError);
  assert.throws(() => encode(text(9), '\ud800'), RangeError);
  assert.throws(() => encode(text(9), '\ufeffa'), RangeError);
  assert.throws(() => encode(list(uint(), 1), [1, 2]), RangeError);
});

test('withoutLastElement gives the encoding of the array without it, whatever the elements are', () => {
  const item: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    item: fc.oneof(
      { depthSize: 'small' },
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(null, true, false),
      fc.array(tie('item'), { maxLength: 30 }),
    ),
  })).item;
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 23 }), (items) => {
      const encoded = encodeItem(items);
      const before = toHex(encoded);
      assert.is(toHex(withoutLastElement(encoded)), toHex(encodeItem(items.slice(0, -1))));
      assert.is(toHex(withoutLastElement(Buffer.from(encoded))), toHex(encodeItem(items.slice(0, -1))));
      assert.is(toHex(encoded), before);
    }),
  );
});

test.run();
