import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sceneDigests } from './consensus-handler.ts';
import { HANDLERS } from './handlers.ts';

/** Of all handlers together; the long run has more. */
const CASES = 8_000;
const SEED = 3;

for (const { name, run, share } of HANDLERS)
  test(`${name}: nothing crashes, and what is refused changes nothing`, async () => {
    const counts = await run(SEED, Math.ceil((CASES * share) / 1_000));
    assert.ok(Object.keys(counts).length > 1, `only one outcome: ${JSON.stringify(counts)}`);
  });

test('the situations of the core differ, so that a change of its state is seen', () => {
  const digests = sceneDigests();
  assert.is(new Set(digests).size, digests.length);
});

test.run();
