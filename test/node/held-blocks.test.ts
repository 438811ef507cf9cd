// Which undecided blocks a node keeps.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeHeader } from '../../src/ledger/block.ts';
import { type HeldBlock, HeldBlocks } from '../../src/node/held-blocks.ts';
import { SampleLedger } from '../ledger/sample-ledger.ts';

const { block } = new SampleLedger().build([]);

/** A block of a height, named by a number. */
function blockOf(height: number, number: number): HeldBlock {
  const header = encodeHeader({ ...block.header, height });
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, number);
  return { hash, proposal: { header, txHashes: [] }, transactions: [], attachments: [], executed: undefined };
}

test('a block that was voted for is held until its height is decided, however many come after', () => {
  const held = new HeldBlocks();
  const voted = [0, 1, 2].map((number) => blockOf(7, number));
  for (const one of voted) {
    held.put(one);
    held.keep(one.hash);
  }
  const others = Array.from({ length: 200 }, (_, number) => blockOf(7, 100 + number));
  for (const one of others) held.put(one);
  assert.equal(
    voted.map(({ hash }) => held.get(hash)),
    voted,
  );
  assert.is(others.filter(({ hash }) => held.get(hash) !== undefined).length, 64, 'the others are bounded');
  assert.is(held.get(others.at(-1)!.hash), others.at(-1), 'the newest of them is held');
  held.dropThrough(6);
  assert.is(held.get(voted[0]!.hash), voted[0]);
  held.dropThrough(7);
  for (const { hash } of [...voted, ...others]) assert.is(held.get(hash), undefined);
});

test.run();
