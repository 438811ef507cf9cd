import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemDocument } from '../../src/api/contract/problem.ts';
import type { BlockView, TransactionStatusView } from '../../src/api/contract/schemas.ts';
import type { SignedTransaction } from '../../src/client/build-transaction.ts';
import { NodeProblem, NodeUnreachable } from '../../src/client/node-error.ts';
import { submitUntilFinal } from '../../src/client/submit-until-final.ts';
import { toHex } from '../../src/codec/bytes.ts';

const transactions = [1, 2, 3].map(
  (n): SignedTransaction => ({
    txId: new Uint8Array(32).fill(n),
    encoded: Uint8Array.of(n),
    attachment: null,
    validUntilMs: 100,
  }),
);
const [first, second, third] = transactions.map(({ txId }) => toHex(txId)) as [string, string, string];

function committed(txId: string): TransactionStatusView {
  return { txId, status: 'Committed', height: 1, index: 0 };
}

function rejected(txId: string, code: string, retryable: boolean): TransactionStatusView {
  return { txId, status: 'Rejected', code, detail: 'why', retryable };
}

/** A node that answers each round with the next of `rounds`. */
function scriptedNode(
  rounds: (TransactionStatusView[] | Error)[],
  known: TransactionStatusView = committed(first),
  tipMs = 0,
) {
  const sent: number[][] = [];
  return {
    sent,
    async submit(open: readonly SignedTransaction[]) {
      sent.push(open.map(({ encoded }) => encoded[0]!));
      const round = rounds.shift();
      if (round === undefined) throw new Error('more rounds than expected');
      if (round instanceof Error) throw round;
      return round;
    },
    transactionStatus: async () => known,
    block: async () => ({ timestampMs: tipMs }) as BlockView,
  };
}

test('the same bytes are sent again until each is final, and only those still open', async () => {
  const node = scriptedNode([
    [committed(first), { txId: second, status: 'Pending' }, rejected(third, 'poolFull', true)],
    [rejected(second, 'unknownAccount', true), rejected(third, 'invalidAction', false)],
    [{ txId: second, status: 'Expired' }],
  ]);
  const retries: [number, string][] = [];
  const outcomes = await submitUntilFinal(node, transactions, { onRetry: (...args) => retries.push(args) });
  assert.equal(
    outcomes.map(({ status }) => status),
    ['Committed', 'Expired', 'Rejected'],
  );
  assert.equal(node.sent, [[1, 2, 3], [2, 3], [2]]);
  assert.equal(
    retries.map(([open]) => open),
    [2, 1],
  );
  assert.match(retries[0]![1], 'poolFull');
});

test('a node that is away or not ready is asked again', async () => {
  const notReady = new NodeProblem('notReady', problemDocument('notReady', '', 'id'), 10);
  const node = scriptedNode([new NodeUnreachable('gone'), notReady, [committed(first)]]);
  assert.equal(await submitUntilFinal(node, transactions.slice(0, 1)), [committed(first)]);
});

test('what repeating would not change is thrown', async () => {
  const foreign = new NodeProblem('foreignLedger', problemDocument('foreignLedger', '', 'id'), undefined);
  try {
    await submitUntilFinal(scriptedNode([foreign]), transactions);
    assert.unreachable();
  } catch (error) {
    assert.is(error, foreign);
  }
});

test('duplicateId means that an earlier sending was applied', async () => {
  const node = scriptedNode([[rejected(first, 'duplicateId', false)]]);
  assert.equal(await submitUntilFinal(node, transactions.slice(0, 1)), [committed(first)]);
});

test('badSignature is believed unless the ledger before a restart applied it', async () => {
  const bad = rejected(first, 'badSignature', false);
  assert.equal(await submitUntilFinal(scriptedNode([[bad]]), transactions.slice(0, 1)), [committed(first)]);
  const unknown: TransactionStatusView = { txId: first, status: 'Unknown' };
  assert.equal(await submitUntilFinal(scriptedNode([[bad]], unknown), transactions.slice(0, 1)), [bad]);
});

test('expired is believed only once a committed block is later', async () => {
  const unknown: TransactionStatusView = { txId: first, status: 'Unknown' };
  const expired = rejected(first, 'expired', false);
  const later = scriptedNode([[expired]], unknown, 101);
  assert.equal(await submitUntilFinal(later, transactions.slice(0, 1)), [{ txId: first, status: 'Expired' }]);
  const earlier = scriptedNode([[expired], [committed(first)]], unknown, 100);
  assert.equal(await submitUntilFinal(earlier, transactions.slice(0, 1)), [committed(first)]);
  const inTime = scriptedNode([[expired]], committed(first), 101);
  assert.equal(await submitUntilFinal(inTime, transactions.slice(0, 1)), [committed(first)]);
});

test('an abort ends the attempt during the pause', async () => {
  const abort = new AbortController();
  const node = scriptedNode([[{ txId: first, status: 'Pending' }]]);
  const attempt = submitUntilFinal(node, transactions.slice(0, 1), {
    signal: abort.signal,
    onRetry: () => abort.abort(new Error('enough')),
  });
  try {
    await attempt;
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
});

test.run();
