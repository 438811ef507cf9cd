import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, equalBytes, toHex } from '../../src/codec/bytes.ts';
import { leafHash, nodeHash, rootOfLog } from '../../src/crypto/merkle.ts';
import { accountAddress, type Control } from '../../src/ledger/account.ts';
import type { RecordCreate } from '../../src/ledger/action.ts';
import { RETENTION_QUARTER_MS } from '../../src/ledger/actions/record-version.ts';
import { indexKeys } from '../../src/ledger/index-keys.ts';
import { decodePatientLogEntry, encodePatientLogEntry } from '../../src/ledger/patient-log.ts';
import { FAMILIES, patientLogKey, stateKey } from '../../src/ledger/state.ts';
import type { StateOverlay } from '../../src/ledger/state-overlay.ts';
import {
  amendAction,
  child,
  colleague,
  createAction,
  doctor,
  east,
  foreigner,
  guardianUntilMs,
  infant,
  north,
  type Person,
  parent,
  patient,
  person,
  registerAction,
  researcher,
  SampleLedger,
  START_MS,
  stranger,
} from './sample-ledger.ts';

const RETAIN = 260 * RETENTION_QUARTER_MS;

function suspended(ledger: SampleLedger, who: Person): void {
  const overlay: StateOverlay = ledger.view;
  const account = overlay.read(FAMILIES.account, who.address)!;
  overlay.write(FAMILIES.account, who.address, { ...account, status: 'suspended' });
  ledger.state.apply(overlay.changes());
}

function withRecord(action: Partial<RecordCreate> = {}): { ledger: SampleLedger; recordId: Uint8Array } {
  const ledger = new SampleLedger();
  ledger.advance([ledger.transaction(createAction(action), [doctor, north])]);
  return { ledger, recordId: ledger.recordId(doctor) };
}

test('record.create puts version 1 on the ledger, under the id known before', () => {
  const ledger = new SampleLedger();
  const transaction = ledger.transaction(createAction(), [doctor, north]);
  const { receipts, header } = ledger.advance([transaction]);
  const recordId = ledger.recordId(doctor);
  assert.equal(receipts, [
    {
      kind: 'record.create',
      recordId,
      version: 1,
      author: doctor.address,
      organisation: north.address,
      patient: patient.address,
    },
  ]);
  assert.equal(ledger.view.read(FAMILIES.record, recordId), {
    version: 1,
    creator: doctor.address,
    author: doctor.address,
    organisation: north.address,
    patient: patient.address,
    class: 7,
    retainUntilMs: RETAIN,
    txId: transaction.txId,
    height: header.height,
    index: 0,
  });
});

test('record.create is for active doctors and patients of the organisation named', () => {
  const ledger = new SampleLedger();
  const verdict = (change: Partial<RecordCreate>, ...by: Person[]) =>
    ledger.verdict(ledger.transaction(createAction(change), by));
  assert.is(verdict({ author: stranger.address }, stranger, north), 'wrongOrganisation');
  assert.is(verdict({ organisation: east.address }, doctor, east), 'wrongOrganisation');
  assert.is(verdict({ patient: foreigner.address }, doctor, north), 'wrongOrganisation');
  assert.is(verdict({ author: researcher.address }, researcher, north), 'wrongRole');
  assert.is(verdict({ patient: doctor.address }, doctor, north), 'wrongRole');
  assert.is(verdict({ organisation: doctor.address }, doctor, north), 'wrongRole');
  assert.is(verdict({ patient: new Uint8Array(32) }, doctor, north), 'unknownAccount');
  assert.is(verdict({ organisation: new Uint8Array(32) }, doctor, north), 'unknownAccount');
  for (const who of [doctor, north, patient]) {
    const other = new SampleLedger();
    suspended(other, who);
    assert.is(other.verdict(other.transaction(createAction(), [doctor, north])), 'inactiveAccount');
  }
});

test('a record id is never used twice', () => {
  const { ledger } = withRecord();
  const again = ledger.transaction(createAction({ class: 8 }), [doctor, north]);
  assert.is(ledger.verdict(again), 'recordExists');
  assert.is(ledger.verdict(ledger.transaction(createAction(), [doctor, north], { salt: 'other' })), 'applied');
});

test('a record version has a payload name, a size and a retention of whole quarters', () => {
  const ledger = new SampleLedger();
  const usual = createAction().payload;
  const verdict = (change: Partial<RecordCreate>) =>
    ledger.verdict(ledger.transaction(createAction(change), [doctor, north]));
  assert.is(verdict({ retainUntilMs: RETAIN + 1 }), 'invalidAction');
  assert.is(verdict({ retainUntilMs: 0 }), 'applied');
  assert.is(verdict({ payload: { ...usual, bytes: 0 } }), 'invalidAction');
  assert.is(verdict({ payload: { ...usual, bytes: 2 ** 40 } }), 'applied');
  assert.is(verdict({ payload: { ...usual, bytes: 2 ** 40 + 1 } }), 'invalidAction');
  assert.is(verdict({ payload: { ...usual, cid: usual.cid.subarray(1) } }), 'invalidAction');
  assert.is(verdict({ payload: { ...usual, cid: concatBytes(usual.cid, new Uint8Array(1)) } }), 'invalidAction');
  for (const [place, value] of [
    [0, 0],
    [1, 0x71],
    [2, 0x13],
    [3, 0x1f],
  ] as const) {
    const cid = usual.cid.slice();
    cid[place] = value;
    assert.is(verdict({ payload: { ...usual, cid } }), 'invalidAction');
  }
});

test('record.amend adds a version on the one that its author saw', () => {
  const { ledger, recordId } = withRecord();
  const amend = (expectedVersion: number, salt: string) =>
    ledger.transaction(amendAction(recordId, { expectedVersion, class: 8 }), [doctor, patient], { salt });
  assert.is(ledger.verdict(amend(0, 'a')), 'versionConflict');
  assert.is(ledger.verdict(amend(2, 'a')), 'versionConflict');
  const [receipt] = ledger.advance([amend(1, 'a')]).receipts;
  assert.is(receipt?.kind === 'record.amend' && receipt.version, 2);
  const record = ledger.view.read(FAMILIES.record, recordId)!;
  assert.equal([record.version, record.class, record.height], [2, 8, 2]);
  assert.is(ledger.verdict(amend(1, 'b')), 'versionConflict');
  assert.is(ledger.verdict(amend(2, 'b')), 'applied');
});

test('of two amendments of one version in a block the second does not apply', () => {
  const { ledger, recordId } = withRecord();
  const amend = (salt: string) => ledger.transaction(amendAction(recordId), [doctor, patient], { salt });
  const { block, refused } = ledger.build([amend('a'), amend('b')]);
  assert.is(block.header.txCount, 1);
  assert.is(refused[0]?.rejection.code, 'versionConflict');
});

test('a colleague may amend, another hospital may not, and the creator stays on record', () => {
  const { ledger, recordId } = withRecord();
  const amendBy = (who: Person) => ledger.transaction(amendAction(recordId, { author: who.address }), [who, patient]);
  assert.is(ledger.verdict(amendBy(stranger)), 'wrongOrganisation');
  assert.is(ledger.verdict(amendBy(researcher)), 'wrongRole');
  ledger.advance([amendBy(colleague)]);
  const record = ledger.view.read(FAMILIES.record, recordId)!;
  assert.ok(equalBytes(record.creator, doctor.address) && equalBytes(record.author, colleague.address));
});

test('an amendment lengthens the retention or leaves it', () => {
  const { ledger, recordId } = withRecord();
  const verdict = (quarters: number) =>
    ledger.verdict(
      ledger.transaction(amendAction(recordId, { retainUntilMs: RETAIN + quarters * RETENTION_QUARTER_MS }), [
        doctor,
        patient,
      ]),
    );
  assert.is(verdict(-1), 'retentionShortened');
  assert.is(verdict(0), 'applied');
  assert.is(verdict(1), 'applied');
});

test('an amendment needs a record', () => {
  const ledger = new SampleLedger();
  const amend = ledger.transaction(amendAction(new Uint8Array(16)), [doctor, patient]);
  assert.is(ledger.verdict(amend), 'unknownRecord');
});

test('for a ward the guardian consents until the term ends, then the ward; for an infant the hospital', () => {
  for (const [who, by, other] of [
    [child, parent, child],
    [infant, north, infant],
  ] as const) {
    const { ledger, recordId } = withRecord({ patient: who.address });
    assert.is(ledger.verdict(ledger.transaction(amendAction(recordId), [doctor, by])), 'applied');
    assert.is(ledger.verdict(ledger.transaction(amendAction(recordId), [doctor, other])), 'unsigned');
  }
  const { ledger, recordId } = withRecord({ patient: child.address });
  const by = (who: Person) =>
    ledger.transaction(amendAction(recordId), [doctor, who], { validUntilMs: guardianUntilMs + 10 });
  assert.is(ledger.verdict(by(parent), guardianUntilMs), 'applied');
  assert.is(ledger.verdict(by(parent), guardianUntilMs + 1), 'unsigned');
  assert.is(ledger.verdict(by(child), guardianUntilMs + 1), 'applied');
});

test('account.register opens an account that can act in the next transaction', () => {
  const ledger = new SampleLedger();
  const newcomer = person('newcomer');
  const register = ledger.transaction(registerAction(newcomer), [newcomer, north]);
  const create = ledger.transaction(createAction({ patient: newcomer.address }), [doctor, north]);
  assert.is(ledger.verdict(create), 'unknownAccount');
  const { receipts } = ledger.advance([register, create]);
  assert.is(receipts.length, 2);
  assert.is(ledger.view.read(FAMILIES.account, newcomer.address)?.registeredAt, 1);
  const again = ledger.transaction(registerAction(newcomer), [newcomer, north], { salt: 'again' });
  assert.is(ledger.verdict(again), 'accountExists');
});

test('account.register needs proof of possession by every key, and the organisation', () => {
  const ledger = new SampleLedger();
  const two = person('with two keys', 2);
  const verdict = (by: Parameters<SampleLedger['transaction']>[1]) =>
    ledger.verdict(ledger.transaction(registerAction(two), by));
  assert.is(verdict([two, north]), 'applied');
  assert.is(verdict([[two, 0], north]), 'unsigned');
  assert.is(verdict([[two, 1], north]), 'unsigned');
  assert.is(verdict([two]), 'unsigned');
  assert.is(verdict([two, east]), 'unsigned');
  assert.is(verdict([two, north, doctor]), 'surplusSignature');
});

test('account.register refuses roles, key documents and keys that nobody may have', () => {
  const ledger = new SampleLedger();
  const who = person('somebody');
  const verdict = (change: Parameters<typeof registerAction>[1]) =>
    ledger.verdict(ledger.transaction(registerAction(who, change), [who, north]));
  assert.is(verdict({ role: 'organisation' }), 'invalidAction');
  assert.is(verdict({ role: 'regulator' }), 'invalidAction');
  assert.is(verdict({ role: 'doctor', control: { kind: 'custodial', organisation: north.address } }), 'invalidAction');
  assert.is(verdict({ organisation: doctor.address }), 'wrongRole');
  assert.is(verdict({ role: 'researcher' }), 'applied');

  const none = { ...who.keyDocument, keys: [] };
  assert.is(ledger.verdict(ledger.transaction(registerAction(who, { keyDocument: none }), [north])), 'invalidAction');
  const high = person('high threshold', 1, { routine: 1, sensitive: 2, keys: 1 });
  assert.is(ledger.verdict(ledger.transaction(registerAction(high), [high, north])), 'invalidAction');
});

test('a key of small order is refused even when its signature is said to be valid', () => {
  const ledger = new SampleLedger();
  ledger.parts.checks.isSignatureValid = () => true;
  const who = person('with a bad key');
  const identity = new Uint8Array(32);
  identity[0] = 1;
  const bad: Person = { ...person('x'), ...badDocument(who, identity) };
  assert.is(ledger.verdict(ledger.transaction(registerAction(bad), [bad, north])), 'inadmissibleKey');
});

test('a guardian is a patient in own control with a term to come; a custodian is the home organisation', () => {
  const ledger = new SampleLedger();
  const who = person('ward');
  const untilMs = START_MS + 1_000_000;
  const verdict = (control: Control) =>
    ledger.verdict(ledger.transaction(registerAction(who, { control }), [who, north]));
  assert.is(verdict({ kind: 'guardian', account: parent.address, untilMs }), 'applied');
  assert.is(verdict({ kind: 'guardian', account: parent.address, untilMs: START_MS + 1_000 }), 'invalidControl');
  assert.is(verdict({ kind: 'guardian', account: child.address, untilMs }), 'invalidControl');
  assert.is(verdict({ kind: 'guardian', account: doctor.address, untilMs }), 'invalidControl');
  assert.is(verdict({ kind: 'guardian', account: new Uint8Array(32), untilMs }), 'unknownAccount');
  assert.is(verdict({ kind: 'custodial', organisation: north.address }), 'applied');
  assert.is(verdict({ kind: 'custodial', organisation: east.address }), 'invalidControl');
});

test('every version enters the log of its patient, and no other', () => {
  const { ledger, recordId } = withRecord();
  const amend = ledger.transaction(amendAction(recordId), [doctor, patient]);
  ledger.advance([amend]);
  const created = ledger.transaction(createAction(), [doctor, north], { validUntilMs: START_MS + 60_000 });
  const entries = [
    { height: 1, index: 0, txId: created.txId, action: 'record.create', organisation: north.address } as const,
    { height: 2, index: 0, txId: amend.txId, action: 'record.amend', organisation: north.address } as const,
  ];
  const log = ledger.view.read(FAMILIES.patientLog, patientLogKey(patient.address, 'records'))!;
  const [first, second] = entries.map((entry) => leafHash(encodePatientLogEntry(entry)));
  assert.is(log.count, 2);
  assert.is(toHex(rootOfLog(log)), toHex(rootOfLog({ count: 2, peaks: [nodeHash(first!, second!)] })));
  assert.is(ledger.state.get(stateKey(FAMILIES.patientLog, patientLogKey(parent.address, 'records'))), undefined);
  assert.is(ledger.state.get(stateKey(FAMILIES.patientLog, patientLogKey(patient.address, 'access'))), undefined);
  for (const entry of entries) assert.equal(decodePatientLogEntry(encodePatientLogEntry(entry)), entry);
});

test('a patient-log entry of another shape is refused', () => {
  const entry = { height: 2 ** 53 - 1, index: 9, txId: new Uint8Array(32), action: 'record.amend' } as const;
  const encoded = encodePatientLogEntry({ ...entry, organisation: new Uint8Array(32) });
  assert.is(decodePatientLogEntry(encoded).height, 2 ** 53 - 1);
  assert.throws(() => decodePatientLogEntry(encoded.subarray(1)), /78 bytes/);
  const beyond = encoded.slice();
  beyond[0] = 1;
  assert.throws(() => decodePatientLogEntry(beyond), /safe integers/);
  const unknown = encoded.slice();
  unknown[45] = 0xff;
  assert.throws(() => decodePatientLogEntry(unknown), /unknown action/);
});

test('every action can be found by its id, kind, organisation, patient, author and record', () => {
  const { ledger, recordId } = withRecord();
  const amend = ledger.transaction(amendAction(recordId, { author: colleague.address }), [colleague, patient]);
  const { receipts } = ledger.advance([amend]);
  const keys = indexKeys(5, amend.txId, receipts[0]!).map(({ family, key, txIndex }) => [family, toHex(key), txIndex]);
  assert.equal(keys, [
    ['txId', toHex(amend.txId), 5],
    ['actionKind', '0003', 5],
    ['organisation', toHex(north.address), 5],
    ['record', toHex(recordId), 5],
    ['patient', toHex(patient.address), 5],
    ['author', toHex(colleague.address), 5],
  ]);
  const doctorReceipt = { kind: 'account.register', address: doctor.address, role: 'doctor' } as const;
  const families = indexKeys(0, amend.txId, { ...doctorReceipt, organisation: north.address });
  assert.equal(
    families.map(({ family }) => family),
    ['txId', 'actionKind', 'organisation', 'author'],
  );
});

function badDocument(who: Person, publicKey: Uint8Array): Pick<Person, 'keyDocument' | 'address'> {
  const keyDocument = { ...who.keyDocument, keys: who.keyDocument.keys.map((key) => ({ ...key, publicKey })) };
  return { keyDocument, address: accountAddress(keyDocument) };
}

test.run();
