import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SignatureCache } from '../../src/node/signature-cache.ts';

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

test('a hit stands for exactly one preimage, key and signature', () => {
  const cache = new SignatureCache();
  const preimage = bytes(300, 1);
  cache.add(preimage, bytes(32, 2), bytes(64, 3));
  assert.ok(cache.has(preimage, bytes(32, 2), bytes(64, 3)));
  assert.not.ok(cache.has(bytes(299, 1), bytes(32, 2), bytes(64, 3)));
  assert.not.ok(cache.has(preimage, bytes(32, 9), bytes(64, 3)));
  assert.not.ok(cache.has(preimage, bytes(32, 2), bytes(64, 9)));
});

test('a transaction decoded anew is verified anew', () => {
  const cache = new SignatureCache();
  cache.add(bytes(300, 1), bytes(32, 2), bytes(64, 3));
  assert.not.ok(cache.has(bytes(300, 1), bytes(32, 2), bytes(64, 3)));
});

test('a key that was exchanged for another does not inherit its signatures', () => {
  const cache = new SignatureCache();
  const preimage = bytes(300, 1);
  cache.add(preimage, bytes(32, 2), bytes(64, 3));
  assert.not.ok(cache.has(preimage, bytes(32, 7), bytes(64, 3)));
});

test('all signatures of one transaction are remembered', () => {
  const cache = new SignatureCache();
  const preimage = bytes(300, 1);
  for (let i = 0; i < 32; i += 1) cache.add(preimage, bytes(32, i), bytes(64, i));
  for (let i = 0; i < 32; i += 1) assert.ok(cache.has(preimage, bytes(32, i), bytes(64, i)));
});

test.run();
