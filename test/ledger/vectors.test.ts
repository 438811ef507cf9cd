import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { attachmentReference, decodeAttachment, encodeAttachment } from '../../src/ledger/attachment.ts';
import { blockHash, decodeHeader, encodeHeader } from '../../src/ledger/block.ts';
import { DEFAULT_REQUIREMENTS } from '../../src/ledger/default-requirements.ts';
import { decodeGenesis, encodeGenesis, genesisHash, genesisParent, genesisState } from '../../src/ledger/genesis.ts';
import { DEFAULT_PARAMETERS } from '../../src/ledger/parameters.ts';
import { decodePatientLogEntry, encodePatientLogEntry, patientLogLeaf } from '../../src/ledger/patient-log.ts';
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
  for (const { action, requirement } of document.requirements) assert.equal(requirement, DEFAULT_REQUIREMENTS[action]);
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

test.run();
