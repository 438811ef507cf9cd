import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SignatureCache } from '../../src/node/signature-cache.ts';

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

test('a hit stands for exactly one preimage, key and signature', () => {
  const cache = new SignatureCache(10);
  cache.add(bytes(300, 1), bytes(32, 2), bytes(64, 3));
  assert.ok(cache.has(bytes(300, 1), bytes(32, 2), bytes(64, 3)));
  assert.not.ok(cache.has(bytes(299, 1), bytes(32, 2), bytes(64, 3)));
  assert.not.ok(cache.has(bytes(300, 1), bytes(32, 9), bytes(64, 3)));
  assert.not.ok(cache.has(bytes(300, 1), bytes(32, 2), bytes(64, 9)));
});

test('a key that was exchanged for another does not inherit its signatures', () => {
  const cache = new SignatureCache(10);
  const preimage = bytes(300, 1);
  cache.add(preimage, bytes(32, 2), bytes(64, 3));
  assert.not.ok(cache.has(preimage, bytes(32, 7), bytes(64, 3)));
});

test('the newest are kept, and no more than two generations', () => {
  const cache = new SignatureCache(3);
  for (let i = 0; i < 7; i += 1) cache.add(bytes(8, i), bytes(32, 2), bytes(64, 3));
  const kept = [0, 1, 2, 3, 4, 5, 6].filter((i) => cache.has(bytes(8, i), bytes(32, 2), bytes(64, 3)));
  assert.equal(kept, [3, 4, 5, 6]);
});

test.run();
