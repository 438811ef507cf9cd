import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { Mempool, type PendingTransaction } from '../../src/node/mempool.ts';

/** An entry of ten bytes; the pool looks at ids, hashes, sizes and validUntilMs alone. */
function entry(id: number, validUntilMs = 1_000, attachmentBytes = 0): PendingTransaction {
  const attachment = attachmentBytes === 0 ? null : new Uint8Array(attachmentBytes);
  const reference = attachment === null ? null : { hash: new Uint8Array(32).fill(id), bytes: attachmentBytes };
  const decoded = {
    transaction: { validUntilMs, attachment: reference },
    encoded: new Uint8Array(10),
    txId: new Uint8Array(32).fill(id),
    txHash: new Uint8Array(32).fill(100 + id),
  };
  return { decoded: decoded as unknown as PendingTransaction['decoded'], attachment };
}

const hex = (byte: number) => toHex(new Uint8Array(32).fill(byte));

test('entries are kept in order of arrival and found by id, hash and attachment', () => {
  const pool = new Mempool({ transactions: 10, bytes: 1_000 });
  const entries = [entry(3), entry(1), entry(2, 1_000, 40)];
  for (const each of entries) assert.is(pool.add(each), 'added');
  assert.equal([...pool.entries()], entries);
  assert.is(pool.byId(hex(1)), entries[1]);
  assert.is(pool.byHash(hex(102)), entries[2]);
  assert.is(pool.attachment(hex(2))?.length, 40);
  assert.is(pool.bytes, 70);
});

test('the first of an id stays', () => {
  const pool = new Mempool({ transactions: 10, bytes: 1_000 });
  pool.add(entry(1));
  assert.is(pool.add(entry(1)), 'known');
  assert.is(pool.size, 1);
});

test('a pool takes exactly as much as its limits say, and again after a removal', () => {
  const byCount = new Mempool({ transactions: 2, bytes: 1_000 });
  assert.equal(
    [1, 2, 3].map((id) => byCount.add(entry(id))),
    ['added', 'added', 'full'],
  );
  const byBytes = new Mempool({ transactions: 10, bytes: 20 });
  assert.equal(
    [1, 2, 3].map((id) => byBytes.add(entry(id))),
    ['added', 'added', 'full'],
  );
  assert.ok(byBytes.remove(hex(1)));
  assert.not.ok(byBytes.remove(hex(1)));
  assert.is(byBytes.add(entry(3)), 'added');
  assert.is(byBytes.bytes, 20);
  assert.is(byBytes.byHash(hex(101)), undefined);
});

test('what no later block may hold leaves: validUntilMs below the time, not at it', () => {
  const pool = new Mempool({ transactions: 10, bytes: 1_000 });
  for (const [id, validUntilMs] of [
    [1, 999],
    [2, 1_000],
    [3, 1_001],
  ] as const)
    pool.add(entry(id, validUntilMs));
  assert.equal(
    pool.removeExpired(1_000).map(({ decoded }) => decoded.txId[0]),
    [1],
  );
  assert.is(pool.size, 2);
});

test.run();
