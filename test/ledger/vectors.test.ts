import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { list, uint } from '../../src/codec/schema.ts';
import { accountAddress } from '../../src/ledger/account.ts';
import { attachmentReference, decodeAttachment, encodeAttachment } from '../../src/ledger/attachment.ts';
import { blockHash, decodeHeader, encodeHeader } from '../../src/ledger/block.ts';
import { defaultRequirement } from '../../src/ledger/default-requirements.ts';
import { decodeGenesis, encodeGenesis, genesisHash, genesisParent, genesisState } from '../../src/ledger/genesis.ts';
import { DEFAULT_PARAMETERS, parametersSchema } from '../../src/ledger/parameters.ts';
import { decodePatientLogEntry, encodePatientLogEntry, patientLogLeaf } from '../../src/ledger/patient-log.ts';
import { readyPreimage } from '../../src/ledger/readiness.ts';
import { PARAMETER_SLOTS } from '../../src/ledger/slots.ts';
import { evidenceKey, FAMILIES, stateKey } from '../../src/ledger/state.ts';
import { rootHash } from '../../src/ledger/state-map.ts';
import { attachmentHash, decodeTransaction, recordIdOf, transactionSchema } from '../../src/ledger/transaction.ts';
import { transactionCost } from '../../src/ledger/transaction-cost.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';
import vectors from './ledger.vectors.json' with { type: 'json' };

const ledger = fromHex(vectors.genesis.hash);

test('the genesis hash, and the state that follows from the document', () => {
  const encoded = fromHex(vectors.genesis.document);
  const document = decodeGenesis(encoded);
  assert.equal(encodeGenesis(document), encoded);
  assert.is(toHex(genesisHash(encoded)), vectors.genesis.hash);
  assert.equal(genesisParent(encoded), { height: 0, hash: ledger, timestampMs: document.createdMs });
  assert.is(toHex(makeValidatorSet(document.validators).hash), vectors.genesis.validatorsHash);
  assert.equal(document.parameters, DEFAULT_PARAMETERS);
  const regulator = accountAddress(document.regulator!.keyDocument);
  for (const { action, requirement } of document.requirements)
    assert.equal(requirement, defaultRequirement(action, regulator));
  const { changes, map } = genesisState(document);
  assert.equal(
    changes.map(({ key, value }) => [toHex(key), toHex(value!)]),
    vectors.genesis.entries,
  );
  assert.is(toHex(rootHash(map)), vectors.genesis.stateRoot);
});

test('the ids of a transaction', () => {
  const encoded = fromHex(vectors.transaction.encoded);
  const decoded = decodeTransaction(ledger, encoded);
  const { action, salt } = decoded.transaction;
  assert.equal(encode(transactionSchema, decoded.transaction), encoded);
  assert.is(toHex(decoded.preimage), vectors.transaction.preimage);
  assert.is(toHex(decoded.txId), vectors.transaction.txId);
  assert.is(toHex(decoded.txHash), vectors.transaction.txHash);
  assert.is(transactionCost(decoded), vectors.transaction.cost);
  assert.ok(action.kind === 'record.create');
  assert.is(toHex(recordIdOf(ledger, action.author, salt)), vectors.transaction.recordId);
});

test('the hash of an attachment', () => {
  const encoded = fromHex(vectors.attachment.encoded);
  assert.equal(encodeAttachment(decodeAttachment(encoded)), encoded);
  assert.is(toHex(attachmentHash(encoded)), vectors.attachment.hash);
  const { transaction } = decodeTransaction(ledger, fromHex(vectors.transaction.encoded));
  assert.equal(transaction.attachment, attachmentReference(encoded));
});

test('the hash of a header', () => {
  const encoded = fromHex(vectors.header.encoded);
  assert.equal(encodeHeader(decodeHeader(encoded)), encoded);
  assert.is(toHex(blockHash(encoded)), vectors.header.hash);
});

test('the leaf of a patient log', () => {
  const entry = decodePatientLogEntry(fromHex(vectors.patientLog.entry));
  assert.is(toHex(encodePatientLogEntry(entry)), vectors.patientLog.entry);
  assert.is(toHex(entry.txId), vectors.transaction.txId);
  assert.is(toHex(patientLogLeaf(entry)), vectors.patientLog.leafHash);
});

test('the transactions that change seats, and evidence', () => {
  for (const { kind, encoded, txId, txHash, cost } of vectors.seats.transactions) {
    const decoded = decodeTransaction(ledger, fromHex(encoded));
    assert.is(decoded.transaction.action.kind, kind);
    assert.is(toHex(encode(transactionSchema, decoded.transaction)), encoded);
    assert.is(toHex(decoded.txId), txId);
    assert.is(toHex(decoded.txHash), txHash);
    assert.is(transactionCost(decoded), cost);
  }
});

test('what a candidate signs', () => {
  for (const { publicKey, organisation, replaces, height, preimage } of vectors.seats.ready) {
    const readiness = { publicKey: fromHex(publicKey), organisation: fromHex(organisation), height };
    const replaced = replaces === null ? null : fromHex(replaces);
    assert.is(toHex(readyPreimage(ledger, { ...readiness, replaces: replaced })), preimage);
  }
});

test('the entries of tenure and evidence', () => {
  const { tenure, evidence } = vectors.seats;
  const held = decode(FAMILIES.tenure.schema, fromHex(tenure.value), FAMILIES.tenure.bytesMax);
  assert.is(toHex(encode(FAMILIES.tenure.schema, held)), tenure.value);
  assert.equal([held.fromHeight, held.untilHeight, held.addresses], [44, 60, ['/ip4/192.0.2.7/tcp/4001']]);
  assert.is(toHex(stateKey(FAMILIES.tenure, fromHex(tenure.key).slice(1))), tenure.key);
  const shown = decode(FAMILIES.evidence.schema, fromHex(evidence.value), FAMILIES.evidence.bytesMax);
  assert.is(toHex(encode(FAMILIES.evidence.schema, shown)), evidence.value);
  assert.equal([shown.statement, shown.height, shown.view, shown.recordedAt], ['COMMIT', 12345, 3, 12350]);
  assert.is(toHex(stateKey(FAMILIES.evidence, evidenceKey(fromHex(evidence.seat), evidence.height))), evidence.key);
});

test('changes of the parameters, with and without the version, and what they schedule', () => {
  const { expected, parameters, transaction, back, scheduled } = vectors.parameters;
  for (const [vector, before, after] of [
    [transaction, expected, parameters],
    [back, parameters, expected],
  ] as const) {
    const decoded = decodeTransaction(ledger, fromHex(vector.encoded));
    const { action } = decoded.transaction;
    assert.ok(action.kind === 'parameters.set');
    assert.equal(encode(parametersSchema, action.expected), encode(list(uint(), 14), before));
    assert.equal(encode(parametersSchema, action.parameters), encode(list(uint(), 14), after));
    assert.is(toHex(encode(transactionSchema, decoded.transaction)), vector.encoded);
    assert.is(toHex(decoded.txId), vector.txId);
    assert.is(toHex(decoded.txHash), vector.txHash);
    assert.is(transactionCost(decoded), vector.cost);
  }
  assert.is(toHex(stateKey(PARAMETER_SLOTS.family, PARAMETER_SLOTS.scheduled)), scheduled.key);
  const value = decode(FAMILIES.parameters.schema, fromHex(scheduled.value), FAMILIES.parameters.bytesMax);
  assert.equal([value.protocolVersion, value.protocolVersionFrom], [2, 250_000]);
  assert.is(toHex(encode(FAMILIES.parameters.schema, value)), scheduled.value);
});

test.run();
