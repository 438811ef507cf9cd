import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { makePrng } from '../simulation/prng.ts';
import { messages } from './consensus-corpus.ts';
import { runDecoder } from './decoder-run.ts';
import { DECODERS, EXEMPT } from './decoders.ts';
import { grown } from './ledger-corpus.ts';
import { type Form, MUTATORS, mutate } from './mutate.ts';
import { decodersOfSource } from './source-decoders.ts';

/** Of each decoder; the long run has more. */
const CASES = 1_000;
const SEED = 1;

for (const decoder of DECODERS)
  test(`${decoder.name}: what is changed is refused as declared or is canonical`, () => {
    const { taken, refused, unchanged } = runDecoder(decoder, SEED, CASES);
    assert.is(taken + refused + unchanged, CASES);
    assert.ok(decoder.refusals.length === 0 || refused > 0, 'nothing was refused: the changes reach nothing');
    assert.ok(unchanged < CASES / 2, `${unchanged} of ${CASES} unchanged`);
  });

test('every decoder of the sources is in the table, or left out with a reason', () => {
  const known = new Set([...DECODERS.flatMap(({ covers }) => covers), ...Object.keys(EXEMPT)]);
  const found = decodersOfSource();
  assert.ok(found.length > 40, `${found.length} found`);
  assert.equal(
    found.filter((name) => !known.has(name)),
    [],
  );
  assert.equal(
    [...known].filter((name) => !found.includes(name)),
    [],
    'the table names what is gone',
  );
});

test('every mutator changes a message, and the same seed changes it alike', () => {
  const [message, other] = [grown.blocks[0]!.frame, messages[0]!];
  for (const form of Object.keys(MUTATORS) as Form[])
    MUTATORS[form].forEach((mutator, place) => {
      const results = Array.from({ length: 200 }, (_, seed) =>
        mutate(form, seed % 2 === 0 ? message : other, message, [[place, seed]]),
      );
      assert.equal(mutator(message, message, makePrng(8)), results[8], `${form} ${place}`);
      assert.ok(new Set(results.map((bytes) => bytes.join())).size > 3, `${form} ${place}`);
    });
});

test('a decoder that takes too much, throws another error or changes its input is found', () => {
  const sound = DECODERS.find(({ name }) => name === 'header')!;
  const isFound = (decode: (bytes: Uint8Array) => Uint8Array | undefined, pattern: RegExp) =>
    assert.throws(() => runDecoder({ ...sound, decode }, SEED, 200), pattern);
  isFound(() => new Uint8Array(3), /not canonical/);
  isFound(() => {
    throw new RangeError('by chance');
  }, /by chance.*seed 1, path [0-9:]+.*bytes: [0-9a-f]+/s);
  isFound((bytes) => bytes.fill(0), /changes its input/);
  isFound(() => {
    throw new DecodeError('always');
  }, /nothing was done to/);
  const kept: Uint8Array[] = [];
  isFound(() => void kept.push(new Uint8Array(2 ** 26)), /bytes of memory/);
  isFound(() => {
    for (const end = performance.now() + 260; performance.now() < end; );
    return undefined;
  }, /takes \d+ ms/);
});

test.run();
