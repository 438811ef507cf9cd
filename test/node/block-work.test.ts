// What a validator must hold before it votes, and what it asks for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { type AttachmentReference, attachmentHash, type DecodedTransaction } from '../../src/ledger/transaction.ts';
import { type BlockWorkDependencies, createBlockWork } from '../../src/node/block-work.ts';
import { HeldBlocks } from '../../src/node/held-blocks.ts';
import { Mempool } from '../../src/node/mempool.ts';
import { genesis } from '../fuzz/ledger-corpus.ts';
import { openNodeFixture } from '../fuzz/node-fixture.ts';
import { createAction, doctor, genesisDocument, north, SampleLedger } from '../ledger/sample-ledger.ts';

const attachment = new Uint8Array(1_000).fill(7);
const reference: AttachmentReference = { hash: attachmentHash(attachment), bytes: attachment.length };
const peer = new Uint8Array(32).fill(1);

/** Work on one block with one transaction and attachment, by the rules of a real ledger; `serves` what a peer has. */
function workOn(serves: { attachments: boolean }, cap?: number) {
  const ledger = new SampleLedger();
  const transaction = ledger.transaction(createAction(), [doctor, north], { attachment: reference });
  const { block } = ledger.build([transaction]);
  const asked: string[] = [];
  const held = new HeldBlocks();
  const dependencies = {
    chain: {
      genesisHash: ledger.genesisHash,
      parameters: { ...genesisDocument().parameters, ...(cap === undefined ? {} : { blockAttachmentBytesMax: cap }) },
      tip: { height: 0 },
      validators: { validators: [] },
      headerFault: () => undefined,
      check(_: Uint8Array, transactions: readonly DecodedTransaction[]) {
        asked.push('execution');
        return cap === undefined
          ? ledger.check({ ...block, transactions })
          : { kind: 'invalid', fault: { code: 'overCap', detail: '' } };
      },
      heightContext: () => undefined,
    },
    held,
    mempool: new Mempool({ transactions: 1, bytes: 1 }),
    intake: { settled: async () => undefined, verifyAhead: async () => undefined },
    requests: {
      connectedPeers: () => [peer],
      async requestBodies(_: Uint8Array, hashes: readonly Uint8Array[]) {
        asked.push('bodies');
        return hashes.map((hash) => (equalBytes(hash, transaction.txHash) ? transaction.encoded : null));
      },
      async requestAttachments(_: Uint8Array, hashes: readonly Uint8Array[]) {
        asked.push('attachments');
        return hashes.map(() => (serves.attachments ? attachment : null));
      },
    },
    commit: async (_: number, execute: () => unknown) => {
      execute();
    },
    onExecuted: () => undefined,
    nowMs: () => block.header.timestampMs,
  };
  const work = createBlockWork(dependencies as unknown as BlockWorkDependencies);
  const proposal = { header: block.encodedHeader, txHashes: [transaction.txHash] };
  const validate = (mode: 'fresh' | 'reproposed') => work.validate(proposal, mode, 0, 1_000);
  return { work, ledger, block, proposal, transaction, held, asked, validate };
}

test('a fresh block is valid with all attachments at hand, one proposed again also without', async () => {
  const missing = { kind: 'invalid', provable: false, code: 'attachmentsMissing' };
  assert.equal(await workOn({ attachments: false }).validate('fresh'), missing);
  assert.equal(await workOn({ attachments: false }).validate('reproposed'), { kind: 'valid' });
  const whole = workOn({ attachments: true });
  assert.equal(await whole.validate('fresh'), { kind: 'valid' });
  assert.equal(whole.work.bodiesOf(whole.block.hash).attachments, [attachment]);
});

test('a block that is held without its attachments is not valid as a fresh one before they came', async () => {
  const serves = { attachments: false };
  const { validate, work, block } = workOn(serves);
  assert.equal(await validate('reproposed'), { kind: 'valid' });
  assert.equal(await validate('fresh'), { kind: 'invalid', provable: false, code: 'attachmentsMissing' });
  serves.attachments = true;
  assert.equal(await validate('fresh'), { kind: 'valid' });
  assert.equal(work.bodiesOf(block.hash).attachments, [attachment]);
});

test('of a block that declares more attachment bytes than the cap none is asked for', async () => {
  const { validate, asked } = workOn({ attachments: true }, reference.bytes - 1);
  assert.equal(await validate('fresh'), { kind: 'invalid', provable: true, code: 'overCap' });
  assert.equal(asked, ['bodies', 'execution']);
});

test('a block is executed once, for every vote on it and for the decision', async () => {
  const { work, block, proposal, asked, validate } = workOn({ attachments: true });
  for (const mode of ['fresh', 'reproposed'] as const) assert.equal(await validate(mode), { kind: 'valid' });
  await work.decide(proposal, { height: 1, view: 1, blockHash: block.hash, signatures: [] });
  assert.equal(asked, ['bodies', 'attachments', 'execution']);
});

test('pending transactions that no longer execute are dropped with their reason', async () => {
  const { chain, mempool, close } = await openNodeFixture();
  try {
    const told: string[] = [];
    const ledger = new SampleLedger(genesis);
    const good = ledger.transaction(createAction(), [doctor, north]);
    const bad = ledger.transaction(createAction(), [doctor], { salt: 'other' });
    const tracker = { rejected: (_: Uint8Array, { code }: { code: string }) => told.push(code) };
    const dependencies = { chain, mempool, tracker, held: new HeldBlocks(), nowMs: () => chain.tip.timestampMs + 1 };
    const work = createBlockWork(dependencies as unknown as BlockWorkDependencies);
    for (const decoded of [bad, good]) mempool.add({ decoded, attachment: null });
    assert.is(work.recheckPending(), true);
    assert.equal(told, ['unsigned']);
    assert.equal(
      [...mempool.entries()].map(({ decoded }) => decoded),
      [good],
    );
    mempool.remove(toHex(good.txId));
    mempool.add({ decoded: bad, attachment: null });
    assert.is(work.recheckPending(), false);
  } finally {
    await close();
  }
});

test('a certified block that does not execute here is an error that stops the node, not a bad peer', async () => {
  const { work, held, block, proposal, transaction, ledger } = workOn({ attachments: true });
  held.put({ hash: block.hash, proposal, transactions: [transaction], attachments: [], executed: undefined });
  ledger.advance([]);
  const certificate: Certificate = { height: 1, view: 0, blockHash: block.hash, signatures: [] };
  const outcome = await work.decide(proposal, certificate).catch((error: Error) => error.message);
  assert.match(String(outcome), /block 1 is certified but does not execute here/);
});

test.run();
