// What is remembered of applied transactions: the pages of the state, and the index over them.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, toHex, uintBytes } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { toBinaryString } from '../../src/ledger/binary-string.ts';
import {
  RECENT_ID_PAGE_BYTES_MAX,
  RECENT_IDS_PER_PAGE,
  RecentIds,
  recentIdPageSchema,
  recentIdPages,
} from '../../src/ledger/recent-ids.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';

function id(n: number): Uint8Array {
  return concatBytes(new Uint8Array(28), uintBytes(n, 4));
}

function transactions(validUntilMs: readonly number[]): readonly DecodedTransaction[] {
  return validUntilMs.map((ms, n) => ({ txId: id(n), transaction: { validUntilMs: ms } })) as DecodedTransaction[];
}

test('a block remembers its transactions in order, until the last of a page has expired', () => {
  const pages = recentIdPages(258, transactions([30, 50, 40]));
  assert.equal(pages, [
    {
      key: concatBytes(uintBytes(258, 8), uintBytes(0, 2)),
      page: { validUntilMs: 50, txIds: concatBytes(id(0), id(1), id(2)) },
    },
  ]);
  assert.equal(recentIdPages(258, []), [], 'an empty block remembers nothing');
});

test('a full page is followed by the next, and each can be stored', () => {
  const times = Array.from({ length: 2 * RECENT_IDS_PER_PAGE + 1 }, (_, n) => Number.MAX_SAFE_INTEGER - n);
  const pages = recentIdPages(7, transactions(times));
  assert.equal(
    pages.map(({ key, page }) => [toHex(key.subarray(8)), page.txIds.length / 32, page.validUntilMs]),
    [
      ['0000', RECENT_IDS_PER_PAGE, times[0]],
      ['0001', RECENT_IDS_PER_PAGE, times[RECENT_IDS_PER_PAGE]],
      ['0002', 1, times.at(-1)],
    ],
  );
  for (const { page } of pages) {
    const encoded = encode(recentIdPageSchema, page);
    assert.ok(encoded.length <= RECENT_ID_PAGE_BYTES_MAX);
    assert.equal(decode(recentIdPageSchema, encoded, RECENT_ID_PAGE_BYTES_MAX), page);
  }
});

test('the index knows the ids of the pages that stand, and which of them have expired', () => {
  const time = fc.integer({ min: 0, max: 1_000 });
  const operation = fc.record({
    place: fc.integer({ min: 0, max: 9 }),
    validUntilMs: fc.option(time, { nil: undefined }),
    count: fc.integer({ min: 1, max: 4 }),
  });
  void fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), time, (operations, now) => {
      const recent = new RecentIds();
      const model = new Map<number, { readonly validUntilMs: number; readonly ids: readonly number[] }>();
      for (const { place, validUntilMs, count } of operations) {
        const name = toBinaryString(concatBytes(Uint8Array.of(13), uintBytes(place, 8)));
        const ids = Array.from({ length: count }, (_, n) => 10 * place + n);
        recent.set(name, validUntilMs === undefined ? undefined : { validUntilMs, txIds: concatBytes(...ids.map(id)) });
        if (validUntilMs === undefined) model.delete(place);
        else model.set(place, { validUntilMs, ids });
      }
      const known = new Set([...model.values()].flatMap(({ ids }) => ids));
      for (let n = 0; n < 100; n += 1) assert.is(recent.has(id(n)), known.has(n));
      const expired = [...model].filter(([, { validUntilMs }]) => validUntilMs < now);
      assert.equal(
        recent.pagesExpiredBefore(now).map(toHex).sort(),
        expired.map(([place]) => toHex(uintBytes(place, 8))).sort(),
      );
    }),
  );
});

test('a page with a part of an id is refused', () => {
  assert.throws(
    () => new RecentIds().set('page', { validUntilMs: 1, txIds: new Uint8Array(33) }),
    (error: Error) => error.name === 'DecodeError',
  );
});

test.run();
