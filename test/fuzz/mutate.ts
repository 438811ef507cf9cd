import { concatBytes } from '../../src/codec/bytes.ts';
import { makePrng, type Prng } from '../simulation/prng.ts';
import { head, type Span, spansOf } from './cbor-spans.ts';
import { TEXT_MUTATORS } from './mutate-text.ts';

/** Changes `bytes`; `other` is another message of the same kind, for splices. */
export type Mutator = (bytes: Uint8Array, other: Uint8Array, prng: Prng) => Uint8Array;

/** One change: which mutator, and the seed of its choices. */
export type Step = readonly [mutator: number, seed: number];

/**
 * What the bytes of a format are made of, which decides how they are changed. `fields` is CBOR whose structure mostly
 * stays right, so that what handles the decoded message is reached.
 */
export type Form = 'cbor' | 'fields' | 'bytes' | 'text';

const NUMBERS = [0n, 1n, 23n, 24n, 255n, 256n, 65535n, 65536n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n];
const LENGTHS = [...NUMBERS, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

function placed(bytes: Uint8Array, start: number, end: number, piece: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, start), piece, bytes.subarray(end));
}

function stretch(bytes: Uint8Array, prng: Prng): readonly [number, number] {
  const start = prng.between(0, bytes.length);
  return [start, Math.min(bytes.length, start + prng.between(1, prng.pick([1, 4, 64])))];
}

const BYTE_MUTATORS: readonly Mutator[] = [
  function flipBit(bytes, _, prng) {
    const changed = bytes.slice();
    if (changed.length > 0) changed[prng.between(0, changed.length - 1)]! ^= 1 << prng.between(0, 7);
    return changed;
  },
  function setByte(bytes, _, prng) {
    const changed = bytes.slice();
    if (changed.length > 0)
      changed[prng.between(0, changed.length - 1)] = prng.pick([0, 1, 0x7f, 0x80, 0xff, prng.between(0, 255)]);
    return changed;
  },
  function truncate(bytes, _, prng) {
    return bytes.slice(0, prng.between(0, bytes.length));
  },
  function extend(bytes, other, prng) {
    const tail = prng.chance(0.5) ? other.subarray(0, prng.between(0, 64)) : new Uint8Array(prng.between(1, 64));
    return concatBytes(bytes, tail);
  },
  function splice(bytes, other, prng) {
    return concatBytes(bytes.subarray(0, prng.between(0, bytes.length)), other.subarray(prng.between(0, other.length)));
  },
  function repeatChunk(bytes, _, prng) {
    const [start, end] = stretch(bytes, prng);
    return placed(bytes, end, end, bytes.subarray(start, end));
  },
  function removeChunk(bytes, _, prng) {
    const [start, end] = stretch(bytes, prng);
    return placed(bytes, start, end, new Uint8Array(0));
  },
  function bigEndianNumber(bytes, _, prng) {
    // Formats of fixed width hold counts and lengths anywhere.
    const width = prng.pick([2, 4, 8] as const);
    if (bytes.length < width) return bytes;
    const at = prng.between(0, bytes.length - width);
    return placed(bytes, at, at + width, head(0, prng.pick(LENGTHS) % 2n ** BigInt(8 * width), width).subarray(1));
  },
];

type ItemMutator = (bytes: Uint8Array, spans: readonly Span[], other: Uint8Array, prng: Prng) => Uint8Array;

const item = (bytes: Uint8Array, { start, end }: Span) => bytes.subarray(start, end);

/** `bytes` with another number of elements in the head of an array. */
function recounted(bytes: Uint8Array, array: Span, count: number): Uint8Array {
  return placed(bytes, array.start, array.headEnd, head(4, BigInt(count)));
}

const ITEM_MUTATORS: readonly ItemMutator[] = [
  function number(bytes, spans, _, prng) {
    const numbers = spans.filter(({ major }) => major === 0);
    if (numbers.length === 0) return bytes;
    const { start, end, argument } = prng.pick(numbers);
    const near = BigInt(Math.max(0, argument + prng.pick([-1, 1])));
    return placed(bytes, start, end, head(0, prng.chance(0.5) ? near : prng.pick(LENGTHS)));
  },
  function swapForAnother(bytes, spans, other, prng) {
    const donors = (prng.chance(0.5) ? spansOf(other) : undefined) ?? spans;
    const source = donors === spans ? bytes : other;
    const span = prng.pick(spans);
    const alike = donors.filter(({ major }) => major === span.major);
    const donor = prng.pick(alike.length > 0 && prng.chance(0.7) ? alike : donors);
    return placed(bytes, span.start, span.end, item(source, donor));
  },
  function removeElement(bytes, spans, _, prng) {
    const span = prng.pick(spans);
    const array = spans[span.parent];
    if (array === undefined) return bytes;
    return recounted(placed(bytes, span.start, span.end, new Uint8Array(0)), array, array.argument - 1);
  },
  function repeatElement(bytes, spans, _, prng) {
    const span = prng.pick(spans);
    const array = spans[span.parent];
    if (array === undefined) return bytes;
    const copies = prng.pick([1, 1, 2, 70]);
    const piece = concatBytes(...Array.from({ length: copies }, () => item(bytes, span)));
    if (piece.length > 100_000) return bytes;
    return recounted(placed(bytes, span.end, span.end, piece), array, array.argument + copies);
  },
  function tamperHead(bytes, spans, _, prng) {
    const { start, headEnd, major, argument } = prng.pick(spans);
    const heads = [
      () => head(major, BigInt(argument), prng.pick([1, 2, 4, 8])),
      () => head(major, prng.pick(LENGTHS)),
      () => Uint8Array.of((major << 5) | 31),
      () => Uint8Array.of((major << 5) | prng.between(28, 30)),
      () => head(prng.between(0, 7), BigInt(argument)),
      () => head(prng.pick([2, 3, 4]), prng.pick(LENGTHS), 8),
    ];
    return placed(bytes, start, headEnd, prng.pick(heads)());
  },
  function nest(bytes, spans, _, prng) {
    const { start } = prng.pick(spans);
    return placed(bytes, start, start, new Uint8Array(prng.pick([1, 15, 16, 17, 1000, 20_000])).fill(0x81));
  },
  function resize(bytes, spans, other, prng) {
    const strings = spans.filter(({ major }) => major === 2 || major === 3);
    if (strings.length === 0) return bytes;
    const { start, headEnd, end, major } = prng.pick(strings);
    const content = prng.pick(BYTE_MUTATORS)(bytes.slice(headEnd, end), other.subarray(0, 200), prng);
    return placed(bytes, start, end, concatBytes(head(major, BigInt(content.length)), content));
  },
  function replaceBySimple(bytes, spans, _, prng) {
    const { start, end } = prng.pick(spans);
    return placed(bytes, start, end, Uint8Array.of(prng.pick([0xf4, 0xf5, 0xf6, 0xf7, 0xf9, 0xfb, 0x80, 0x40, 0x60])));
  },
  function within(bytes, spans, other, prng) {
    return innerChanged(bytes, spans, other, prng, ITEM_MUTATORS);
  },
];
/** Frames hold encodings in byte strings: changes one of these, and gives it its right length again. */
function innerChanged(
  bytes: Uint8Array,
  spans: readonly Span[],
  other: Uint8Array,
  prng: Prng,
  mutators: readonly ItemMutator[],
): Uint8Array {
  const inner = spans.filter(
    ({ major, argument }) => major === 2 && argument > 1 && argument !== 32 && argument !== 64,
  );
  if (inner.length === 0) return bytes;
  const { start, headEnd, end } = prng.pick(inner);
  const content = bytes.slice(headEnd, end);
  const innerSpans = spansOf(content);
  if (innerSpans === undefined) return bytes;
  const changed = prng.pick(mutators)(content, innerSpans, other, prng);
  return placed(bytes, start, end, concatBytes(head(2, BigInt(changed.length)), changed));
}

const isString = ({ major, argument }: Span) => (major === 2 || major === 3) && argument > 0;

const FIELD_MUTATORS: readonly ItemMutator[] = [
  function nearNumber(bytes, spans, _, prng) {
    const numbers = spans.filter(({ major }) => major === 0);
    if (numbers.length === 0) return bytes;
    const { start, end, argument } = prng.pick(numbers);
    const values = [argument + 1, Math.max(0, argument - 1), prng.between(0, 5), 2 ** 32 - 1, 2 ** 53 - 1];
    return placed(bytes, start, end, head(0, BigInt(prng.pick(values))));
  },
  function exchange(bytes, spans, other, prng) {
    // One hash, key or number for another.
    const span = prng.pick(spans.filter(({ major }) => major === 0 || major === 2));
    if (span === undefined) return bytes;
    const [donors, source] = prng.chance(0.5) ? [spans, bytes] : [spansOf(other) ?? [], other];
    const alike = donors.filter(
      ({ major, argument }) => major === span.major && (major === 0 || argument === span.argument),
    );
    return alike.length === 0 ? bytes : placed(bytes, span.start, span.end, item(source, prng.pick(alike)));
  },
  function damageString(bytes, spans, _, prng) {
    const strings = spans.filter(isString);
    if (strings.length === 0) return bytes;
    const { headEnd, end } = prng.pick(strings);
    const changed = bytes.slice();
    changed[prng.between(headEnd, end - 1)]! ^= 1 << prng.between(0, 4);
    return changed;
  },
  function changeList(bytes, spans, other, prng) {
    const change = prng.pick([ITEM_MUTATORS[2]!, ITEM_MUTATORS[3]!, ITEM_MUTATORS[1]!]);
    return prng.chance(0.3) ? change(bytes, spans, other, prng) : bytes;
  },
  function fieldWithin(bytes, spans, other, prng) {
    return innerChanged(bytes, spans, other, prng, FIELD_MUTATORS);
  },
];

const onItems =
  (mutate: ItemMutator): Mutator =>
  (bytes, other, prng) => {
    const spans = spansOf(bytes);
    return spans === undefined ? prng.pick(BYTE_MUTATORS)(bytes, other, prng) : mutate(bytes, spans, other, prng);
  };

/** The mutators for a form; the structure of a message is changed as often as its bytes. */
export const MUTATORS: Readonly<Record<Form, readonly Mutator[]>> = {
  bytes: BYTE_MUTATORS,
  cbor: [...BYTE_MUTATORS, ...ITEM_MUTATORS.map(onItems)],
  fields: FIELD_MUTATORS.map(onItems),
  text: [...BYTE_MUTATORS.slice(0, 7), ...TEXT_MUTATORS],
};

/** Applies the steps one after another. The same arguments give the same bytes. */
export function mutate(form: Form, bytes: Uint8Array, other: Uint8Array, steps: readonly Step[]): Uint8Array {
  const mutators = MUTATORS[form];
  // A copy: the encoder hands out Buffers, whose slice shares their memory.
  let changed: Uint8Array = Uint8Array.from(bytes);
  for (const [place, seed] of steps) changed = mutators[place % mutators.length]!(changed, other, makePrng(seed));
  return changed;
}
