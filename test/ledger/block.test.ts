import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, equalBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { Header } from '../../src/ledger/block.ts';
import { BLOCK_FAULTS, type BlockCheck, checkBlock, headerFault } from '../../src/ledger/block-check.ts';
import { executeBlock, validatorSets } from '../../src/ledger/block-execution.ts';
import { eligiblePrimaries } from '../../src/ledger/proposer-skip.ts';
import { CURRENT_VALIDATORS_KEY, FAMILIES, SCHEDULED_VALIDATORS_KEY } from '../../src/ledger/state.ts';
import { emptyMap, mapPath, proveInMap, rootHash, updateMap, verifyMapProof } from '../../src/ledger/state-map.ts';
import { mapChanges } from '../../src/ledger/state-overlay.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import { transactionCost } from '../../src/ledger/transaction-cost.ts';
import { amendAction, createAction, doctor, genesisDocument, north, patient, SampleLedger } from './sample-ledger.ts';

function creations(ledger: SampleLedger, count: number, attachmentBytes?: number): DecodedTransaction[] {
  const attachment = attachmentBytes === undefined ? null : { hash: new Uint8Array(32), bytes: attachmentBytes };
  return Array.from({ length: count }, (_, i) =>
    ledger.transaction(createAction(), [doctor, north], { salt: `record ${i}`, attachment }),
  );
}

function codeOf(check: BlockCheck): string {
  return check.kind === 'valid' ? 'valid' : check.fault.code;
}

test('what one node builds another finds valid, with the same changes', () => {
  const [builder, receiver] = [new SampleLedger(), new SampleLedger()];
  for (let height = 1; height <= 3; height += 1) {
    const salt = `block ${height}`;
    const candidates = [builder.transaction(createAction(), [doctor, north], { salt })];
    if (height > 1)
      candidates.push(
        builder.transaction(
          amendAction(builder.recordId(doctor, 'block 1'), { expectedVersion: height - 1 }),
          [doctor, patient],
          { salt },
        ),
      );
    const { block } = builder.build(candidates);
    assert.is(block.header.txCount, candidates.length);
    const check = receiver.check(block);
    assert.is(codeOf(check), 'valid');
    if (check.kind !== 'valid') return;
    assert.equal(check.block.changes, block.changes);
    assert.ok(equalBytes(check.block.hash, block.hash));
    builder.commit(block);
    receiver.commit(check.block);
  }
});

test('the state root is that of all entries, however the state came about', () => {
  const ledger = new SampleLedger();
  ledger.advance(creations(ledger, 3));
  ledger.advance([], { timestampMs: ledger.parent.timestampMs + 100_000, view: 2 });
  const whole = updateMap(emptyMap, mapChanges(ledger.state.entries()));
  assert.equal(rootHash(whole), rootHash(ledger.map));
});

test('a record in the state is provable under the header, and so is that there is none', () => {
  const ledger = new SampleLedger();
  const { header } = ledger.advance(creations(ledger, 2));
  const [change] = ledger.state.entries().filter(({ key }) => key[0] === FAMILIES.record.code);
  const { key, value } = change!;
  const path = mapPath(key);
  assert.ok(verifyMapProof(header.stateRoot, path, sha256(value!), proveInMap(ledger.map, path)));
  const none = mapPath(Uint8Array.of(FAMILIES.record.code, ...new Uint8Array(16)));
  assert.ok(verifyMapProof(header.stateRoot, none, null, proveInMap(ledger.map, none)));
});

test('each field of a header is held against the state and the bodies, in the order of the list', () => {
  const ledger = new SampleLedger();
  ledger.advance();
  const { block } = ledger.build(creations(ledger, 2));
  const { header } = block;
  const other = new Uint8Array(32).fill(1);
  const cases: readonly (readonly [keyof typeof BLOCK_FAULTS, Partial<Header>])[] = [
    ['version', { version: 2 }],
    ['genesis', { genesisHash: other }],
    ['height', { height: header.height + 1 }],
    ['previousHash', { previousHash: other }],
    ['timestampOrder', { timestampMs: ledger.parent.timestampMs }],
    ['proposerSkipped', { proposer: 4 }],
    ['wrongProposer', { proposer: (header.proposer + 1) % 4 }],
    ['timestampAhead', { timestampMs: header.timestampMs + 501 }],
    ['validators', { validatorsHash: other }],
    ['nextValidators', { nextValidatorsHash: other }],
    ['txCount', { txCount: 1 }],
    ['overCap', { executionCost: 1_000_001 }],
    ['txRoot', { txRoot: other }],
    ['bodyBytes', { bodyBytes: header.bodyBytes + 1 }],
    ['executionCost', { executionCost: header.executionCost + 1 }],
    ['indexRoot', { indexRoot: other }],
    ['stateRoot', { stateRoot: other }],
  ];
  for (const [code, change] of cases) assert.is(codeOf(ledger.check(block, change)), code);
  // With all faults at once, each is the one reported when those before it are mended.
  let remaining: Partial<Header> = Object.assign({}, ...cases.map(([, change]) => change).reverse());
  for (const [code, change] of cases) {
    const names = Object.keys(change) as (keyof Header)[];
    // A field that two cases alter is mended already when the second one comes.
    if (names.every((name) => name in remaining)) assert.is(codeOf(ledger.check(block, remaining)), code);
    remaining = Object.fromEntries(Object.entries(remaining).filter(([name]) => !names.includes(name as keyof Header)));
  }
  assert.equal(
    Object.keys(BLOCK_FAULTS).filter((code) => !cases.some(([known]) => known === code)),
    ['transaction'],
  );
});

test('the clock and the turn are asked of fresh blocks alone', () => {
  const ledger = new SampleLedger();
  const { block } = ledger.build([], { view: 1 });
  const late = { kind: 'fresh', view: 1, nowMs: block.header.timestampMs - 500 } as const;
  assert.is(codeOf(ledger.check(block, {}, late)), 'valid');
  assert.is(codeOf(ledger.check(block, {}, { ...late, nowMs: late.nowMs - 1 })), 'timestampAhead');
  assert.is(codeOf(ledger.check(block, {}, { ...late, view: 2 })), 'wrongProposer');
  assert.is(codeOf(ledger.check(block, {}, { kind: 'reproposed' })), 'valid');
  assert.is(codeOf(ledger.check(block, {}, { kind: 'catchUp' })), 'valid');
});

test('a header can be judged before any body is here', () => {
  const ledger = new SampleLedger();
  const { block } = ledger.build(creations(ledger, 3));
  const hashes = block.transactions.map(({ txHash }) => txHash);
  const fault = (txHashes: readonly Uint8Array[]) =>
    headerFault(ledger.ledgerState, ledger.parent, block.header, txHashes, { kind: 'reproposed' }, ledger.genesisHash)
      ?.code;
  assert.is(fault(hashes), undefined);
  assert.is(fault([...hashes].reverse()), 'txRoot');
  assert.is(fault(hashes.slice(1)), 'txCount');
});

test('a block with a transaction that does not apply is invalid, and says which', () => {
  const ledger = new SampleLedger();
  const [first, second] = creations(ledger, 2) as [DecodedTransaction, DecodedTransaction];
  const { block } = ledger.build([first, second]);
  ledger.advance([second]);
  // The same bodies one height later: the second was applied meanwhile.
  const later = ledger.build([]).block.header;
  const { txRoot, txCount, bodyBytes, executionCost } = block.header;
  const header = { ...later, txRoot, txCount, bodyBytes, executionCost };
  const occasion = { kind: 'catchUp' } as const;
  const check = checkBlock(ledger.ledgerState, ledger.parent, header, [first, second], occasion, ledger.parts);
  assert.is(codeOf(check), 'transaction');
  assert.match(check.kind === 'invalid' ? check.fault.detail : '', /transaction 1: duplicateId/);
});

test('a built block ends at each cap, and a block over it is invalid', () => {
  const cost = transactionCost(creations(new SampleLedger(), 1)[0]!);
  const bytes = creations(new SampleLedger(), 1)[0]!.encoded.length;
  const fits = Math.floor((16 * 1024) / bytes);
  const cases = [
    [{ blockTransactionsMax: 3 }, 3, undefined],
    [{ blockBodyBytesMax: 16 * 1024 }, fits, undefined],
    [{ blockAttachmentBytesMax: 16 * 1024 }, 4, 4096],
    [{ executionCostMax: 10_000 }, Math.floor(10_000 / cost), undefined],
  ] as const;
  for (const [parameters, expected, attachmentBytes] of cases) {
    const ledger = new SampleLedger(genesisDocument(parameters));
    const { block, refused } = ledger.build(creations(ledger, expected + 2, attachmentBytes));
    assert.is(refused.length, 0);
    assert.ok(
      Math.abs(block.header.txCount - expected) <= (attachmentBytes === undefined ? 1 : 0),
      `${block.header.txCount} of ${expected}`,
    );
    const proposal = { parent: ledger.parent, timestampMs: block.header.timestampMs, proposer: block.header.proposer };
    const over = creations(ledger, block.header.txCount + 1, attachmentBytes);
    assert.is(executeBlock(ledger.ledgerState, proposal, over, ledger.parts).kind, 'full');
    assert.is(executeBlock(ledger.ledgerState, proposal, over.slice(0, -1), ledger.parts).kind, 'executed');
  }
});

test('a set scheduled in one block comes into force two heights later', () => {
  const ledger = new SampleLedger();
  const overlay = ledger.view;
  const { current } = validatorSets(overlay);
  overlay.write(FAMILIES.validators, SCHEDULED_VALIDATORS_KEY, current.validators.slice(1));
  ledger.state.apply(overlay.changes());
  ledger.map = updateMap(ledger.map, mapChanges(overlay.changes()));
  const scheduled = validatorSets(ledger.view).scheduled.hash;

  const first = ledger.advance().header;
  assert.ok(equalBytes(first.validatorsHash, current.hash) && equalBytes(first.nextValidatorsHash, scheduled));
  const second = ledger.advance().header;
  assert.ok(equalBytes(second.validatorsHash, scheduled) && equalBytes(second.nextValidatorsHash, scheduled));
  assert.is(ledger.view.read(FAMILIES.validators, CURRENT_VALIDATORS_KEY)?.length, 3);
});

test('a primary that let its turn pass is passed over for a while', () => {
  const ledger = new SampleLedger();
  const missed = ledger.build([]).block.header.proposer;
  ledger.advance([], { view: 1 });
  assert.not.ok(eligiblePrimaries(ledger.view, 2).includes(missed));
  for (let height = 2; height <= 9; height += 1) {
    assert.not.ok(eligiblePrimaries(ledger.view, height).includes(missed));
    ledger.advance();
  }
  assert.ok(eligiblePrimaries(ledger.view, 10).includes(missed));
});

test('a block by one who is passed over can not be executed', () => {
  const ledger = new SampleLedger();
  const missed = ledger.build([]).block.header.proposer;
  ledger.advance([], { view: 1 });
  const { block } = ledger.build([]);
  assert.is(codeOf(ledger.check(block, { proposer: missed }, { kind: 'catchUp' })), 'proposerSkipped');
  const proposal = { parent: ledger.parent, timestampMs: block.header.timestampMs, proposer: missed };
  assert.throws(() => executeBlock(ledger.ledgerState, proposal, [], ledger.parts), /may not propose/);
});

test('changes come sorted, each key once', () => {
  const ledger = new SampleLedger();
  const { changes } = ledger.build(creations(ledger, 5)).block;
  for (let i = 1; i < changes.length; i += 1) assert.ok(compareBytes(changes[i - 1]!.key, changes[i]!.key) < 0);
});

test.run();
