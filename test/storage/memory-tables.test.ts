import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { NonceTable } from '../../src/storage/nonce-table.ts';
import { RecentIdExpiry } from '../../src/storage/recent-id-expiry.ts';
import { encodeRecentIds, type RecentId } from '../../src/storage/schema.ts';
import { bytesOf } from './fixtures.ts';

test('recent ids come out by time, then id, as a plain sorted list would give them', () => {
  const expiry = new RecentIdExpiry();
  const model: RecentId[] = [];
  const text = (ids: readonly RecentId[]) => ids.map((id) => `${id.validUntilMs} ${toHex(id.txId)}`);
  let removedBefore = 0;
  for (let height = 1; height <= 60; height += 1) {
    const ids = Array.from({ length: height % 7 }, (_, i) => ({
      txId: bytesOf(`${height}/${i}`, 32),
      validUntilMs: height * 400 + ((height * 7919 + i * 104729) % 9) * 500,
    }));
    expiry.add(height, encodeRecentIds(ids), removedBefore);
    model.push(...ids.filter((id) => id.validUntilMs >= removedBefore));
    const now = height * 400 + 100;
    const expired = model.filter((id) => id.validUntilMs < now);
    expired.sort((a, b) => a.validUntilMs - b.validUntilMs || (toHex(a.txId) < toHex(b.txId) ? -1 : 1));
    assert.equal(text(expiry.expiredBefore(now)), text(expired));
    if (height % 3 !== 0) continue;
    removedBefore = now;
    expiry.removeBefore(now);
    model.splice(0, model.length, ...model.filter((id) => id.validUntilMs >= now));
    assert.equal(expiry.spentTables(now), []);
  }
  assert.is(expiry.expiredBefore(Number.MAX_SAFE_INTEGER).length, model.length);
  expiry.removeBefore(Number.MAX_SAFE_INTEGER);
  assert.equal(expiry.expiredBefore(Number.MAX_SAFE_INTEGER), []);
});

test('a table is spent when the last of its ids is, and not at its very time', () => {
  const expiry = new RecentIdExpiry();
  const ids = [10, 30, 20].map((validUntilMs, i) => ({ txId: bytesOf(`id ${i}`, 32), validUntilMs }));
  expiry.add(4, encodeRecentIds(ids), 0);
  assert.is(expiry.expiredBefore(10).length, 0);
  assert.is(expiry.expiredBefore(11).length, 1);
  assert.equal(expiry.spentTables(30), []);
  assert.equal(expiry.spentTables(31), [4]);
});

test('a full nonce table refuses, and takes again once some have expired', () => {
  const table = new NonceTable(3);
  for (const nonce of ['a', 'b', 'c']) assert.is(table.use(nonce, 5000, 0).kind, 'fresh');
  assert.equal(table.use('d', 9000, 4000), { kind: 'refused', reason: 'full' });
  assert.equal(table.use('a', 9000, 4000), { kind: 'refused', reason: 'seen' });
  assert.equal(table.use('d', 9000, 5000), { kind: 'fresh', forgotten: ['a', 'b', 'c'] });
  assert.equal(table.use('e', 5000, 5000), { kind: 'refused', reason: 'expired' });
});

test.run();
