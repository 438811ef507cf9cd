import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { indexRootOf } from '../../src/index/inner/build.ts';
import type { ExecutedBlock } from '../../src/ledger/block-execution.ts';
import { encodeGenesis } from '../../src/ledger/genesis.ts';
import { readLedgerStart } from '../../src/ledger/ledger-start.ts';
import type { Chain } from '../../src/node/chain.ts';
import { blockCommit, type DecidedBlock } from '../../src/node/decided-block.ts';
import { deriveState } from '../../src/node/derived-state.ts';
import { openChain } from '../../src/node/open-chain.ts';
import { SignatureCache } from '../../src/node/signature-cache.ts';
import { openNodeFixture } from '../fuzz/node-fixture.ts';
import { createAction, doctor, genesisDocument, north, SampleLedger } from '../ledger/sample-ledger.ts';

function decided(block: ExecutedBlock): DecidedBlock {
  const certificate = { height: block.header.height, view: 0, blockHash: block.hash, signatures: [] };
  return { block, certificate, attachments: [] };
}

test('a built block has the time of our clock, and is younger than its parent where the clock is behind', async () => {
  const { chain, close } = await openNodeFixture();
  try {
    const parentMs = chain.tip.timestampMs;
    const timeOf = (nowMs: number) => chain.build([], 1, nowMs).block.header.timestampMs;
    assert.is(timeOf(parentMs + 5_000), parentMs + 5_000);
    assert.is(timeOf(parentMs), parentMs + 1);
    assert.is(timeOf(parentMs - 60_000), parentMs + 1);
  } finally {
    await close();
  }
});

test('a block that does not follow the tip is not written', async () => {
  const { chain, store, close } = await openNodeFixture();
  try {
    const { block } = chain.build([], 1, chain.tip.timestampMs + 1);
    const elsewhere = { ...block, header: { ...block.header, previousHash: new Uint8Array(32) } };
    const later = { ...block, header: { ...block.header, height: 2 } };
    const refusal = (...blocks: ExecutedBlock[]) =>
      chain.commit(blocks.map(decided)).then(
        () => 'none',
        (error: Error) => error.message,
      );
    assert.match(await refusal(elsewhere), /must build on the one before it/);
    assert.match(await refusal(later), /must follow the tip/);
    assert.match(await refusal(block, block), /must build on the one before it/);
    assert.is(store.tip()?.height, 0);
    await chain.commit([decided(block)]);
    assert.is(chain.tip.height, 1);
    assert.match(await refusal(block), /must build on the one before it/);
  } finally {
    await close();
  }
});

test('what was applied is refused after a start, and by a node that took over the state', async () => {
  const document = genesisDocument();
  const ledger = new SampleLedger(document, indexRootOf);
  const applied = ledger.transaction(createAction(), [doctor, north], { salt: 'once' });
  const other = ledger.transaction(createAction(), [doctor, north], { salt: 'another' });
  const block = ledger.advance([applied]);
  const [one, joining] = [await openNodeFixture(document), await openNodeFixture(document)];
  try {
    await one.chain.commit([decided(block)]);
    const start = readLedgerStart(encodeGenesis(document));
    const started = await openChain(one.store, start, new SignatureCache());

    const staging = await joining.store.beginInstall();
    for await (const entry of one.store.allState()) await staging.putState([entry]);
    const { header, certificate } = blockCommit(decided(block));
    const { height, timestampMs } = block.header;
    await staging.putHeaders([{ height, hash: block.hash, header, certificate }]);
    const record = { tip: { height, hash: block.hash }, transactions: 1, gapFrom: 1 };
    const state = await deriveState(staging.state(), block.header.stateRoot);
    assert.ok(state);
    await joining.chain.adopt({ staging, record, state, timestampMs });

    const codes = (chain: Chain) =>
      chain.rejectionsAtHead([applied, other], timestampMs + 1).map((rejection) => rejection?.code);
    for (const chain of [one.chain, started, joining.chain]) {
      assert.equal([chain.isRecent(applied.txId), chain.isRecent(other.txId)], [true, false]);
      assert.equal(codes(chain), ['duplicateId', undefined]);
    }
  } finally {
    await one.close();
    await joining.close();
  }
});

test.run();
