// One way into the chain: consensus and catch-up may bring the same block, and it is written once.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Chain } from '../../src/node/chain.ts';
import { CommitGate } from '../../src/node/commit-gate.ts';
import type { DecidedBlock } from '../../src/node/decided-block.ts';
import { HeldBlocks } from '../../src/node/held-blocks.ts';
import { Mempool } from '../../src/node/mempool.ts';
import type { TransactionTracker } from '../../src/node/transaction-tracker.ts';
import { SampleLedger } from '../ledger/sample-ledger.ts';

/** A gate over a chain that takes a moment for each write, and what happened in order. */
function gateOver(ledger: SampleLedger) {
  const told: string[] = [];
  const chain = {
    tip: { height: 0 },
    async commit(decided: readonly DecidedBlock[]) {
      const heights = decided.map(({ block }) => block.header.height).join();
      told.push(`writes ${heights} by a certificate of view ${decided[0]!.certificate.view}`);
      await new Promise(setImmediate);
      chain.tip = { height: decided.at(-1)!.block.header.height };
      told.push(`synced ${heights}`);
    },
  };
  const gate = new CommitGate({
    chain: chain as unknown as Chain,
    held: new HeldBlocks(),
    mempool: new Mempool({ transactions: 1, bytes: 1 }),
    tracker: { committed: (height: number) => told.push(`answers ${height}`) } as unknown as TransactionTracker,
    onCommitted: ({ header }) => told.push(`told of ${header.height}`),
    onSynced: () => told.push('timed'),
  });
  const blocks = [1, 2, 3].map(() => {
    const { block } = ledger.build([]);
    ledger.commit(block);
    return block;
  });
  const decided = (height: number, view = 0): DecidedBlock => ({
    block: blocks[height - 1]!,
    certificate: { height, view, blockHash: new Uint8Array(32), signatures: [] },
    attachments: [],
  });
  return { gate, told, decided };
}

test('a block that consensus and catch-up bring is written once, and executed once', async () => {
  const { gate, told, decided } = gateOver(new SampleLedger());
  let executed = 0;
  const decide = (view: number) => () => {
    executed += 1;
    return [decided(1, view)];
  };
  await Promise.all([1, 2, 3].map((view) => gate.commit(1, decide(view))));
  await gate.commit(1, decide(4));
  assert.is(executed, 1);
  assert.equal(told, ['writes 1 by a certificate of view 1', 'synced 1', 'timed', 'answers 1', 'told of 1']);
});

test('several blocks are one write, without those that were committed meanwhile, and each is told of', async () => {
  const { gate, told, decided } = gateOver(new SampleLedger());
  const meanwhile = gate.commit(1, () => [decided(1)]);
  await gate.commit(3, () => [1, 2, 3].map((height) => decided(height, 5)));
  await meanwhile;
  assert.equal(told.slice(5), [
    'writes 2,3 by a certificate of view 5',
    'synced 2,3',
    'timed',
    'answers 2',
    'told of 2',
    'answers 3',
    'told of 3',
  ]);
});

test('a client has its answer after the synced write', async () => {
  const { gate, told, decided } = gateOver(new SampleLedger());
  const commit = gate.commit(1, () => [decided(1)]);
  await Promise.resolve();
  await Promise.resolve();
  assert.not(told.includes('answers 1'));
  await commit;
  assert.ok(told.indexOf('synced 1') < told.indexOf('answers 1'));
});

test('what does not execute reaches its caller, and the gate stays open for the next', async () => {
  const { gate, told, decided } = gateOver(new SampleLedger());
  const failing = gate.commit(1, () => {
    throw new Error('certified but does not execute here');
  });
  const after = gate.commit(1, () => [decided(1)]);
  assert.match(String(await failing.catch((error: Error) => error.message)), /does not execute/);
  await after;
  assert.ok(told.includes('synced 1'));
});

test.run();
