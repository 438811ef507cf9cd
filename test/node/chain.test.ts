import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ExecutedBlock } from '../../src/ledger/block-execution.ts';
import type { DecidedBlock } from '../../src/node/decided-block.ts';
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
    const decided = (executed: ExecutedBlock): DecidedBlock => ({
      block: executed,
      certificate: { height: executed.header.height, view: 0, blockHash: executed.hash, signatures: [] },
      attachments: [],
    });
    const elsewhere = { ...block, header: { ...block.header, previousHash: new Uint8Array(32) } };
    const later = { ...block, header: { ...block.header, height: 2 } };
    const refusal = (...blocks: ExecutedBlock[]) =>
      chain.commit(blocks.map(decided)).then(
        () => 'none',
        (error: Error) => error.message,
      );
    assert.match(await refusal(elsewhere), /must build on the one before it/);
    assert.match(await refusal(later), /must follow the tip/);
    assert.match(await refusal(block, block), /must build on the one before it/);
    assert.is(store.tip()?.height, 0);
    await chain.commit([decided(block)]);
    assert.is(chain.tip.height, 1);
    assert.match(await refusal(block), /must build on the one before it/);
  } finally {
    await close();
  }
});

test.run();
