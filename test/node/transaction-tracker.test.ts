// What became of a transaction: remembered for who asks later, told at once to who waits.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, toHex, uintBytes } from '../../src/codec/bytes.ts';
import { rejected } from '../../src/ledger/rejection.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import { Mempool } from '../../src/node/mempool.ts';
import { TransactionTracker } from '../../src/node/transaction-tracker.ts';

const OUTCOMES_MAX = 20_000;
const WAITERS_MAX = 20_000;
const refusal = rejected('duplicateId', 'it was applied already');

function id(n: number): Uint8Array {
  return concatBytes(new Uint8Array(28), uintBytes(n, 4));
}

/** A tracker over a pool in which the transactions 0 to `pending` − 1 wait; the ledger has those of `committed`. */
function tracked(pending: number, committed = new Map<string, { height: number; index: number }>()) {
  const mempool = new Mempool({ transactions: 100_000, bytes: 2 ** 24 });
  for (let n = 0; n < pending; n += 1) {
    const transaction = { attachment: null, validUntilMs: 1_000 };
    const decoded = { txId: id(n), txHash: id(n), encoded: new Uint8Array(1), transaction } as unknown;
    mempool.add({ decoded: decoded as DecodedTransaction, attachment: null });
  }
  return {
    mempool,
    committed,
    tracker: new TransactionTracker(mempool, { locate: async (txId) => committed.get(toHex(txId)) }),
  };
}

test('one that failed is told from one that nobody knows, until as many failed after it as are remembered', async () => {
  const { tracker } = tracked(0);
  tracker.rejected(id(0), refusal);
  tracker.expired(id(1));
  assert.equal(await tracker.status(id(0)), {
    kind: 'Rejected',
    code: 'duplicateId',
    detail: refusal.detail,
    retryable: false,
  });
  assert.equal(await tracker.status(id(1)), { kind: 'Expired' });
  assert.equal(await tracker.status(id(2)), { kind: 'Unknown' });
  for (let n = 2; n < OUTCOMES_MAX; n += 1) tracker.expired(id(n));
  assert.is((await tracker.status(id(0))).kind, 'Rejected');
  tracker.expired(id(OUTCOMES_MAX));
  assert.is((await tracker.status(id(0))).kind, 'Unknown', 'the oldest goes first');
  assert.is((await tracker.status(id(1))).kind, 'Expired');
});

test('who waits is told at once, whatever comes of it', async () => {
  const { tracker, mempool } = tracked(3);
  const waiting = [0, 0, 1, 2].map((n) => tracker.wait(id(n), 60_000));
  for (const n of [0, 1, 2]) mempool.remove(toHex(id(n)));
  tracker.committed(7, [id(0)]);
  tracker.rejected(id(1), refusal);
  tracker.expired(id(2));
  assert.equal(
    (await Promise.all(waiting)).map(({ kind }) => kind),
    ['Committed', 'Committed', 'Rejected', 'Expired'],
  );
});

test('the wait ends with its time, and is none when nothing waits in the pool', async () => {
  const { tracker } = tracked(1);
  assert.equal(await tracker.wait(id(0), 20), { kind: 'Pending' });
  assert.equal(await tracker.wait(id(5), 60_000), { kind: 'Unknown' });
});

test('when too many wait, the next is told the present status', async () => {
  const { tracker, mempool } = tracked(1);
  const waiting = Array.from({ length: WAITERS_MAX }, () => tracker.wait(id(0), 60_000));
  assert.equal(await tracker.wait(id(0), 60_000), { kind: 'Pending' });
  mempool.remove(toHex(id(0)));
  tracker.expired(id(0));
  assert.is((await Promise.all(waiting)).filter(({ kind }) => kind === 'Expired').length, WAITERS_MAX);
});

test('a commit is the last word: an earlier failure of the same id is forgotten', async () => {
  const { tracker, committed } = tracked(0);
  tracker.rejected(id(0), rejected('versionConflict', 'another version'));
  tracker.committed(3, [id(0)]);
  assert.equal(await tracker.status(id(0)), { kind: 'Unknown' }, 'where it stands is for the ledger to say');
  committed.set(toHex(id(0)), { height: 3, index: 0 });
  assert.equal(await tracker.status(id(0)), { kind: 'Committed', height: 3, index: 0 });
});

test.run();
