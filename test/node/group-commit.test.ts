// A node that is behind executes many blocks and waits for its disk once; what it ends with is what those have who
// executed and wrote them one by one. Members are functions here; chain, store and gate are the node's own.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parametersSet, validatorRemove } from '../../src/client/build-transaction.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { indexRootOf } from '../../src/index/inner/build.ts';
import { rootHash } from '../../src/ledger/state-map.ts';
import { CatchUp } from '../../src/node/catch-up.ts';
import { CommitGate } from '../../src/node/commit-gate.ts';
import { HeldBlocks } from '../../src/node/held-blocks.ts';
import type { TransactionTracker } from '../../src/node/transaction-tracker.ts';
import { type CorpusBlock, growBlock } from '../fuzz/ledger-corpus.ts';
import { openNodeFixture } from '../fuzz/node-fixture.ts';
import {
  createAction,
  doctor,
  genesisDocument,
  hospitals,
  north,
  regulator,
  SampleLedger,
} from '../ledger/sample-ledger.ts';

const PEER = Uint8Array.of(1);
const document = genesisDocument({ snapshotInterval: 16 });

/** Blocks of records of which the id of each expires some blocks later, and the ledger after them. */
function grow(count: number) {
  const ledger = new SampleLedger(document, indexRootOf);
  const blocks = Array.from({ length: count }, (_, place) => {
    const record = (number: number) =>
      ledger.transaction(createAction(), [doctor, north], {
        salt: `${place} ${number}`,
        // Blocks are a second apart.
        validUntilMs: ledger.parent.timestampMs + 1_500 + 1_000 * ((place + number) % 4),
      });
    return growBlock(ledger, place % 5 === 4 ? [] : [record(0), record(1)]);
  });
  return { ledger, blocks };
}

/** A node at genesis, and what it does once it hears of the last of `served`, which a member has. */
async function nodeBehind(served: readonly CorpusBlock[]) {
  const fixture = await openNodeFixture(document);
  const { chain, mempool, intake } = fixture;
  const frames = served.map(({ frame }) => frame);
  const seen = {
    writes: 0,
    committed: [] as number[],
    tips: [] as number[],
    applied: [] as number[],
  };
  const held = new HeldBlocks();
  const settled = { committed: () => undefined, expired: () => undefined } as unknown as TransactionTracker;
  const gate = new CommitGate({
    chain,
    held,
    mempool,
    tracker: settled,
    onCommitted({ header }) {
      seen.committed.push(header.height);
      seen.tips.push(chain.tip.height);
    },
    onSynced: () => {
      seen.writes += 1;
    },
  });
  let beforeExecuting: () => Promise<void> = async () => undefined;
  const stopped = Promise.withResolvers<Error>();
  const catchUp = new CatchUp({
    chain,
    mempool,
    intake: {
      settled: (name: string) => intake.settled(name),
      async verifyAhead(transactions: Parameters<typeof intake.verifyAhead>[0]) {
        await intake.verifyAhead(transactions);
        await beforeExecuting();
      },
    } as unknown as typeof intake,
    requests: {
      connectedPeers: () => [PEER],
      requestBodies: async () => [],
      requestAttachments: async () => [],
      requestBlocks: async (_, { fromHeight, maxBlocks }) => frames.slice(fromHeight - 1, fromHeight - 1 + maxBlocks),
      requestHistory: async () => [],
    },
    held,
    commit: (height, decide) => gate.commit(height, decide),
    onApplied: ({ height }, certificate) => {
      assert.is(height, chain.tip.height + 1);
      seen.applied.push(certificate.height);
    },
    onTipShown: () => undefined,
    join: undefined,
    snapshotDistance: () => 1_000,
    anchor: undefined,
    wasAwayLong: false,
    onBadPeer: (_, reason) => {
      stopped.resolve(new Error(reason));
    },
    onFatal: (error) => stopped.resolve(error as Error),
  });
  return {
    ...fixture,
    gate,
    seen,
    setBeforeExecuting(act: typeof beforeExecuting) {
      beforeExecuting = act;
    },
    /** Resolves when the node has caught up, or was stopped by what it was served. */
    async follow(): Promise<Error | undefined> {
      const { certificate } = served.at(-1)!;
      catchUp.hint(certificate.height, PEER, certificate);
      let error: Error | undefined;
      stopped.promise.then((stopping) => {
        error = stopping;
      });
      while (error === undefined && chain.tip.height < certificate.height) await new Promise(setImmediate);
      await catchUp.close();
      return error;
    },
  };
}

type NodeBehind = Awaited<ReturnType<typeof nodeBehind>>;

async function assertStandsAs(node: NodeBehind, { ledger, blocks }: ReturnType<typeof grow>): Promise<void> {
  assert.equal(node.chain.tip, ledger.parent);
  assert.is(toHex(node.chain.stateRoot), toHex(rootHash(ledger.map)));
  const { reader } = node.chain.state;
  const sorted = (keys: readonly Uint8Array[]) => keys.map(toHex).sort();
  for (const ms of [ledger.parent.timestampMs + 1_000, Number.MAX_SAFE_INTEGER])
    assert.equal(sorted(reader.recentPagesExpiredBefore(ms)), sorted(ledger.state.recentPagesExpiredBefore(ms)));
  const transactions = blocks.flatMap(({ executed }) => executed.transactions);
  for (const { txId } of transactions) assert.is(reader.isRecent(txId), ledger.state.isRecent(txId));
  assert.is(node.chain.transactionsCommitted, transactions.length);
  assert.is(node.store.transactionsCommitted(), transactions.length);
  for (const { executed, encodedCertificate } of blocks) {
    const { height } = executed.header;
    assert.is(toHex((await node.store.header(height))!), toHex(executed.encodedHeader));
    assert.is(toHex((await node.store.certificate(height))!), toHex(encodedCertificate));
    for (const [index, { txId }] of executed.transactions.entries())
      assert.equal(await node.store.locate(txId), { height, index });
  }
}

test('many blocks take one synced write up to each height at which a snapshot is due', async () => {
  const grown = grow(40);
  const node = await nodeBehind(grown.blocks);
  try {
    assert.is(await node.follow(), undefined);
    assert.is(node.seen.writes, 3);
    assert.equal(node.seen.applied, [16, 32, 40]);
    const heights = grown.blocks.map((_, place) => place + 1);
    assert.equal(node.seen.committed, heights, 'each block is told of, in order');
    assert.is(node.seen.tips[15], 16);
    assert.is(node.seen.tips[31], 32);
    await assertStandsAs(node, grown);
  } finally {
    await node.close();
  }
});

test('what consensus commits meanwhile, some of the blocks or more than all, is not committed again', async () => {
  const grown = grow(15);
  for (const upTo of [3, 7, 12, 15]) {
    const node = await nodeBehind(grown.blocks);
    try {
      let executed = 0;
      let consensus: Promise<void> | undefined;
      // As the eighth block is about to be executed ahead of the chain.
      node.setBeforeExecuting(async () => {
        executed += 1;
        if (executed !== 8) return;
        for (const { executed: block, certificate } of grown.blocks.slice(0, upTo)) {
          consensus = node.gate.commit(block.header.height, () => [{ block, certificate, attachments: [] }]);
          // One of them may be under way as the block is executed.
          if (block.header.height < upTo || upTo % 2 === 0) await consensus;
        }
      });
      assert.is(await node.follow(), undefined);
      await consensus;
      const heights = grown.blocks.map((_, place) => place + 1);
      assert.equal(node.seen.committed, heights, `committed up to ${upTo} meanwhile`);
      await assertStandsAs(node, grown);
    } finally {
      await node.close();
    }
  }
});

test('before a block that is not what it should be, what was good is committed', async () => {
  const grown = grow(10);
  const otherCertificate = { ...grown.blocks[6]!, frame: grown.blocks[5]!.frame };
  const node = await nodeBehind(grown.blocks.with(6, otherCertificate));
  try {
    assert.match(String(await node.follow()), 'height');
    assert.equal(node.seen.committed, [1, 2, 3, 4, 5, 6]);
    await assertStandsAs(node, grow(6));
  } finally {
    await node.close();
  }
});

test('a block that executes to another state here stops the node at the block before it', async () => {
  const grown = grow(6);
  const elsewhere = new SampleLedger(document, indexRootOf);
  for (const { executed } of grown.blocks.slice(0, 4)) elsewhere.commit(executed);
  elsewhere.map = grown.blocks[2]!.executed.map;
  const node = await nodeBehind([...grown.blocks.slice(0, 4), growBlock(elsewhere, [])]);
  try {
    assert.match(String(await node.follow()), /block 5 is certified but does not execute here: stateRoot/);
    assert.is(node.chain.tip.height, 4);
  } finally {
    await node.close();
  }
});

test('the validators may change in the middle, and those who join later can prove the new set', async () => {
  const ledger = new SampleLedger(document, indexRootOf);
  const leaving = document.validators[3]!;
  const removal = ledger.transaction(validatorRemove(leaving.publicKey, 4), [...hospitals.slice(0, 3), regulator]);
  const blocks = [growBlock(ledger, []), growBlock(ledger, [removal]), ...[3, 4, 5].map(() => growBlock(ledger, []))];
  const node = await nodeBehind(blocks);
  try {
    assert.is(await node.follow(), undefined);
    assert.is(node.seen.writes, 1);
    await assertStandsAs(node, { ledger, blocks });
    assert.is(node.chain.validators.validators.length, 3);
    for (const { hash } of [blocks[0]!.executed.validators, blocks[4]!.executed.validators])
      assert.ok(await node.store.validatorList(hash));
  } finally {
    await node.close();
  }
});

test('blocks of a version that this build does not know are not executed, and the operator is told', async () => {
  const ledger = new SampleLedger(document, indexRootOf);
  ledger.parts = { ...ledger.parts, newestVersion: 2 };
  const announcement = parametersSet(document.parameters, { protocolVersion: 2, protocolVersionFrom: 5 });
  const announce = ledger.transaction(announcement, [...hospitals.slice(0, 3), regulator]);
  const blocks = [growBlock(ledger, [announce]), ...[2, 3, 4, 5].map(() => growBlock(ledger, []))];
  const node = await nodeBehind(blocks);
  try {
    assert.match(String(await node.follow()), /Block 5 is of protocol version 2, and this build knows 1: update/);
    assert.is(node.chain.tip.height, 4);
  } finally {
    await node.close();
  }
});

test.run();
