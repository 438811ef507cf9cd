// One way into the chain: consensus and catch-up may bring the same block, and it is written once.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ExecutedBlock } from '../../src/ledger/block-execution.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import type { Chain } from '../../src/node/chain.ts';
import { CommitGate } from '../../src/node/commit-gate.ts';
import { HeldBlocks } from '../../src/node/held-blocks.ts';
import { Mempool } from '../../src/node/mempool.ts';
import type { TransactionTracker } from '../../src/node/transaction-tracker.ts';
import { SampleLedger } from '../ledger/sample-ledger.ts';

const certificateOf = (view: number): Certificate => ({
  height: 1,
  view,
  blockHash: new Uint8Array(32),
  signatures: [],
});

/** A gate over a chain that takes a moment for each write, and what happened in order. */
function gateOver(ledger: SampleLedger) {
  const told: string[] = [];
  const chain = {
    tip: { height: 0 },
    validators: { validators: Array.from({ length: 4 }, () => ({ publicKey: new Uint8Array(32) })) },
    async commit({ header }: ExecutedBlock, { view }: Certificate) {
      told.push(`writes ${header.height} by a certificate of view ${view}`);
      await new Promise(setImmediate);
      chain.tip = { height: header.height };
      told.push(`synced ${header.height}`);
    },
  };
  const gate = new CommitGate({
    chain: chain as unknown as Chain,
    held: new HeldBlocks(),
    mempool: new Mempool({ transactions: 1, bytes: 1 }),
    tracker: { committed: (height: number) => told.push(`answers ${height}`) } as unknown as TransactionTracker,
    onCommitted: () => undefined,
    onSynced: () => undefined,
  });
  return { gate, told, block: ledger.build([]).block };
}

test('a block that consensus and catch-up bring is written once, and executed once', async () => {
  const { gate, told, block } = gateOver(new SampleLedger());
  let executed = 0;
  const execute = () => {
    executed += 1;
    return block;
  };
  await Promise.all([1, 2, 3].map((view) => gate.commit(1, execute, certificateOf(view), [])));
  await gate.commit(1, execute, certificateOf(4), []);
  assert.is(executed, 1);
  assert.equal(told, ['writes 1 by a certificate of view 1', 'synced 1', 'answers 1']);
});

test('a client has its answer after the synced write', async () => {
  const { gate, told, block } = gateOver(new SampleLedger());
  const commit = gate.commit(1, () => block, certificateOf(0), []);
  await Promise.resolve();
  await Promise.resolve();
  assert.not(told.includes('answers 1'));
  await commit;
  assert.equal(told.slice(-2), ['synced 1', 'answers 1']);
});

test('what does not execute reaches its caller, and the gate stays open for the next', async () => {
  const { gate, told, block } = gateOver(new SampleLedger());
  const failing = gate.commit(
    1,
    () => {
      throw new Error('certified but does not execute here');
    },
    certificateOf(0),
    [],
  );
  const after = gate.commit(1, () => block, certificateOf(0), []);
  assert.match(String(await failing.catch((error: Error) => error.message)), /does not execute/);
  await after;
  assert.ok(told.includes('synced 1'));
});

test.run();
