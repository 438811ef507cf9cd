import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openNodeFixture } from '../fuzz/node-fixture.ts';

test('a built block has the time of our clock, and is younger than its parent where the clock is behind', async () => {
  const { chain, close } = await openNodeFixture();
  try {
    const parentMs = chain.tip.timestampMs;
    const timeOf = (nowMs: number) => chain.build([], 1, nowMs).block.header.timestampMs;
    assert.is(timeOf(parentMs + 5_000), parentMs + 5_000);
    assert.is(timeOf(parentMs), parentMs + 1);
    assert.is(timeOf(parentMs - 60_000), parentMs + 1);
  } finally {
    await close();
  }
});

test('a block that does not follow the tip is not written', async () => {
  const { chain, store, close } = await openNodeFixture();
  try {
    const { block } = chain.build([], 1, chain.tip.timestampMs + 1);
    const certificate = { height: 1, view: 0, blockHash: block.hash, signatures: [] };
    const elsewhere = { ...block, header: { ...block.header, previousHash: new Uint8Array(32) } };
    const later = { ...block, header: { ...block.header, height: 2 } };
    for (const wrong of [elsewhere, later])
      assert.match(
        String(await chain.commit(wrong, certificate, []).catch((error: Error) => error.message)),
        /a decided block must/,
      );
    assert.is(store.tip()?.height, 0);
    await chain.commit(block, certificate, []);
    assert.is(chain.tip.height, 1);
    const again = await chain.commit(block, certificate, []).catch((error: Error) => error.message);
    assert.match(String(again), /must follow the tip/);
  } finally {
    await close();
  }
});

test.run();
