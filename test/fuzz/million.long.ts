// A million cases: six parts in ten to the decoders, four to the handlers.
import { getHeapStatistics } from 'node:v8';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runDecoder } from './decoder-run.ts';
import { DECODERS } from './decoders.ts';
import { HANDLERS } from './handlers.ts';

const DECODER_CASES = Math.ceil(600_000 / DECODERS.length);
const HANDLER_CASES = 400_000;
const SEED = 1_000;
/** What may stay of all: caches, compiled code, statistics. */
const GROWTH_BYTES_MAX = 512 * 2 ** 20;

const startedMs = performance.now();
const before = getHeapStatistics().used_heap_size;
let cases = 0;

for (const decoder of DECODERS)
  test(`${decoder.name}: ${DECODER_CASES} cases`, () => {
    const { taken, refused, unchanged } = runDecoder(decoder, SEED, DECODER_CASES);
    cases += taken + refused + unchanged;
    console.log(`${decoder.name}: ${taken} taken, ${refused} refused, ${unchanged} unchanged`);
  });

for (const { name, run, share } of HANDLERS)
  test(`${name}`, async () => {
    const wanted = Math.ceil((HANDLER_CASES * share) / 1_000);
    const counts = await run(SEED, wanted);
    cases += wanted;
    console.log(`${name}: ${JSON.stringify(counts)}`);
  });

test('memory is what it was, and the million is full', () => {
  const seconds = (performance.now() - startedMs) / 1_000;
  console.log(`${cases} cases in ${seconds.toFixed(0)} s, ${(cases / seconds).toFixed(0)} a second`);
  assert.ok(cases >= 1_000_000, `${cases}`);
  assert.ok(getHeapStatistics().used_heap_size - before < GROWTH_BYTES_MAX);
});

test.run();
