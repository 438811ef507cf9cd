// How the size of blocks follows the network.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BlockPace } from '../../src/node/block-pace.ts';

const TIMEOUT_MS = 1_000;

/** The budget after these blocks, as shares of the one before them. */
function changes(...blocks: readonly { readonly by: 'us' | 'others'; readonly tookMs: number; full?: boolean }[]) {
  const pace = new BlockPace(() => TIMEOUT_MS);
  return blocks.map(({ by, tookMs, full = false }, place) => {
    const before = pace.budgetMs;
    if (by === 'us') pace.built(place + 1, 0, full);
    else pace.received(place + 1, 0);
    pace.committed(place + 1, tookMs);
    return Math.sign(pace.budgetMs - before);
  });
}

test('a slow block makes the next smaller, whoever proposed it', () => {
  assert.equal(changes({ by: 'us', tookMs: 600 }, { by: 'others', tookMs: 600 }), [-1, -1]);
});

test('a quick block makes the next larger if it was ours and full', () => {
  const quick = { tookMs: 400 };
  assert.equal(
    changes({ by: 'us', ...quick, full: true }, { by: 'us', ...quick }, { by: 'others', ...quick }),
    [1, 0, 0],
  );
});

test('a block that was proposed again is timed from its first proposal', () => {
  const pace = new BlockPace(() => TIMEOUT_MS);
  const before = pace.budgetMs;
  pace.received(1, 0);
  pace.received(1, 1_000);
  pace.committed(1, 1_400);
  assert.ok(pace.budgetMs <= before / 2);
});

test('a block whose proposal was not seen says nothing', () => {
  const pace = new BlockPace(() => TIMEOUT_MS);
  const before = pace.budgetMs;
  pace.received(1, 0);
  pace.committed(2, 9_000);
  assert.is(pace.budgetMs, before);
});

test('the budget has bounds', () => {
  const pace = new BlockPace(() => TIMEOUT_MS);
  for (const [tookMs, bound] of [
    [5_000, 15],
    [10, 250],
  ] as const) {
    for (let height = 1; height < 100; height += 1) {
      pace.built(height, 0, true);
      pace.committed(height, tookMs);
    }
    assert.is(pace.budgetMs, bound);
  }
});

test.run();
