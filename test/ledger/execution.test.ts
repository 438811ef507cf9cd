import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encode } from '../../src/codec/cbor.ts';
import { merkleRoot } from '../../src/crypto/merkle.ts';
import { checkTransaction, readTransaction } from '../../src/ledger/execution.ts';
import { REJECTIONS } from '../../src/ledger/rejection.ts';
import { FAMILIES, requirementKey } from '../../src/ledger/state.ts';
import { type DecodedTransaction, decodeTransaction, transactionSchema } from '../../src/ledger/transaction.ts';
import {
  amendAction,
  child,
  createAction,
  doctor,
  east,
  genesisDocument,
  north,
  parent,
  patient,
  person,
  registerAction,
  SampleLedger,
  type SignedBy,
  START_MS,
} from './sample-ledger.ts';

const VALIDITY_MS = genesisDocument().parameters.maxValidityMs;

function altered(
  ledger: SampleLedger,
  { transaction }: DecodedTransaction,
  change: Partial<DecodedTransaction['transaction']>,
): DecodedTransaction {
  return decodeTransaction(ledger.genesisHash, encode(transactionSchema, { ...transaction, ...change }));
}

test('who must sign must sign, and who does not count may not', () => {
  const ledger = new SampleLedger();
  const verdict = (by: SignedBy) => ledger.verdict(ledger.transaction(createAction(), by));
  assert.is(verdict([doctor, north]), 'applied');
  assert.is(verdict([doctor]), 'unsigned');
  assert.is(verdict([north]), 'unsigned');
  assert.is(verdict([]), 'unsigned');
  assert.is(verdict([doctor, north, patient]), 'surplusSignature');
  assert.is(verdict([doctor, east]), 'unsigned');
  assert.is(verdict([doctor, north, person('nobody')]), 'unknownAccount');
});

test('the words of a rejection say who is missing', () => {
  const ledger = new SampleLedger();
  const { refused } = ledger.build([ledger.transaction(createAction(), [doctor])]);
  assert.match(
    refused[0]?.rejection.detail ?? '',
    /missing: \$organisation, account [0-9a-f]{64}, with .*weight 0 of 1/,
  );
});

test('a signature stands for one transaction of one ledger by one key', () => {
  const ledger = new SampleLedger();
  const good = ledger.transaction(createAction(), [doctor, north]);
  const { signatures } = good.transaction;
  assert.is(ledger.verdict(altered(ledger, good, { salt: new Uint8Array(16) })), 'badSignature');
  const flipped = signatures.map((signature, i) => {
    const bytes = signature.bytes.slice();
    if (i === 0) bytes[40]! ^= 1;
    return { ...signature, bytes };
  });
  assert.is(ledger.verdict(altered(ledger, good, { signatures: flipped })), 'badSignature');
  const swapped = signatures.map((signature, i) => ({ ...signature, bytes: signatures[1 - i]!.bytes }));
  assert.is(ledger.verdict(altered(ledger, good, { signatures: swapped })), 'badSignature');
  const unknownKey = signatures.map((signature, i) => (i === 1 ? { ...signature, keyIndex: 1 } : signature));
  assert.is(ledger.verdict(altered(ledger, good, { signatures: unknownKey })), 'unknownKey');

  const elsewhere = new SampleLedger({ ...genesisDocument(), ledger: 'another' });
  assert.is(elsewhere.verdict(decodeTransaction(elsewhere.genesisHash, good.encoded)), 'badSignature');
});

test('signatures are in order of account and key, each once', () => {
  const ledger = new SampleLedger();
  const good = ledger.transaction(createAction(), [doctor, north]);
  const [first, second] = good.transaction.signatures;
  const verdict = (signatures: (typeof first)[]) =>
    checkTransaction(altered(ledger, good, { signatures: signatures.map((signature) => signature!) }))?.code;
  assert.is(verdict([second, first]), 'signatureOrder');
  assert.is(verdict([first, first, second]), 'signatureOrder');
  assert.is(verdict([first, second]), undefined);
});

test('weights of several keys add up to the threshold', () => {
  const ledger = new SampleLedger();
  const committee = person('patient with three keys', 3, { routine: 2, sensitive: 3, keys: 3 });
  ledger.advance([
    ledger.transaction(registerAction(committee), [committee, north]),
    ledger.transaction(createAction({ patient: committee.address }), [doctor, north]),
  ]);
  const amend = (by: SignedBy) =>
    ledger.verdict(
      ledger.transaction(
        {
          ...createAction(),
          kind: 'record.amend',
          recordId: ledger.recordId(doctor),
          expectedVersion: 1,
          author: doctor.address,
        },
        by,
      ),
    );
  assert.is(amend([doctor, [committee, 0]]), 'unsigned');
  assert.is(amend([doctor, [committee, 0, 2]]), 'applied');
  assert.is(amend([doctor, [committee, 0, 1, 2]]), 'applied', 'a surplus within an account spoils nothing');
});

test('a transaction applies at most once, whatever its signatures', () => {
  const ledger = new SampleLedger();
  const once = ledger.transaction(createAction(), [doctor, north]);
  const { block, refused } = ledger.build([once, once]);
  assert.is(block.header.txCount, 1);
  assert.is(refused[0]?.rejection.code, 'duplicateId');
  ledger.commit(block);
  assert.is(ledger.verdict(once), 'duplicateId');
});

test('a block lists full encodings: one id under two signature sets is two contents', () => {
  const ledger = new SampleLedger();
  const full = ledger.transaction(createAction(), [doctor, north]);
  const bare = altered(ledger, full, { signatures: full.transaction.signatures.slice(1) });
  assert.equal(bare.txId, full.txId);
  assert.not.equal(bare.txHash, full.txHash);
  const block = ledger.build([full]).block;
  assert.equal(block.header.txRoot, merkleRoot([full.txHash]));
  const swapped = { ...block, transactions: [bare] };
  const check = ledger.check(swapped);
  assert.ok(check.kind === 'invalid' && check.fault.code === 'txRoot');
});

test('it is valid in blocks up to validUntilMs, and not announced too early', () => {
  const ledger = new SampleLedger();
  const at = START_MS + 5_000;
  const verdict = (validUntilMs: number) =>
    ledger.verdict(ledger.transaction(createAction(), [doctor, north], { validUntilMs }), at);
  assert.is(verdict(at - 1), 'expired');
  assert.is(verdict(at), 'applied');
  assert.is(verdict(at + VALIDITY_MS), 'applied');
  assert.is(verdict(at + VALIDITY_MS + 1), 'validityTooFar');
});

test('an id is forgotten only in a block that no longer takes it', () => {
  const ledger = new SampleLedger();
  const validUntilMs = START_MS + 50_000;
  const once = ledger.transaction(createAction(), [doctor, north], { validUntilMs });
  ledger.advance([once]);
  ledger.advance([], { timestampMs: validUntilMs });
  assert.ok(ledger.state.isRecent(once.txId));
  assert.is(ledger.verdict(once, validUntilMs + 1), 'expired');
  ledger.advance([], { timestampMs: validUntilMs + 1 });
  assert.not(ledger.state.isRecent(once.txId));
  assert.equal(ledger.state.recentPagesExpiredBefore(Number.MAX_SAFE_INTEGER), []);
  assert.is(ledger.verdict(once), 'expired');
});

test('a refused transaction leaves no trace', () => {
  const ledger = new SampleLedger();
  const bad = ledger.transaction(createAction(), [doctor]);
  const good = ledger.transaction(createAction(), [doctor, north], { salt: 'good' });
  const mixed = ledger.build([bad, good]).block;
  const pure = ledger.build([good]).block;
  assert.equal(mixed.hash, pure.hash);
  assert.equal(mixed.changes, pure.changes);
});

test("an organisation's own requirement is added to the ledger's", () => {
  const ledger = new SampleLedger();
  const overlay = ledger.view;
  overlay.write(FAMILIES.requirement, requirementKey('record.create', north.address), {
    kind: 'variable',
    name: 'patient',
  });
  ledger.state.apply(overlay.changes());
  const verdict = (by: SignedBy) => ledger.verdict(ledger.transaction(createAction(), by));
  assert.is(verdict([doctor, north]), 'unsigned');
  assert.is(verdict([doctor, north, patient]), 'applied');
  assert.is(verdict([north, patient]), 'unsigned');
});

test('bytes that are no transaction are refused, by size before all', () => {
  const ledger = new SampleLedger();
  const code = (encoded: Uint8Array): string => {
    const read = readTransaction(ledger.genesisHash, encoded);
    return read.kind === 'decoded' ? 'decoded' : read.rejection.code;
  };
  const { encoded } = ledger.transaction(createAction(), [doctor, north]);
  assert.is(code(encoded), 'decoded');
  assert.is(code(encoded.subarray(1)), 'malformed');
  assert.is(code(new Uint8Array(0)), 'malformed');
  assert.is(code(new Uint8Array(16 * 1024)), 'malformed');
  assert.is(code(new Uint8Array(16 * 1024 + 1)), 'oversized');
});

test('altered bytes are no transaction, or another one in its one encoding', () => {
  const ledger = new SampleLedger();
  const { encoded } = ledger.transaction(createAction(), [doctor, north]);
  const anyChange = fc.tuple(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(2));
  void fc.assert(
    fc.property(fc.array(anyChange, { minLength: 1, maxLength: 3 }), (changes) => {
      const bytes = [...encoded];
      for (const [place, flip, cut] of changes) {
        bytes[place % bytes.length]! ^= flip;
        bytes.splice(place, cut);
      }
      const altered = Uint8Array.from(bytes);
      const read = readTransaction(ledger.genesisHash, altered);
      if (read.kind === 'decoded') assert.equal(encode(transactionSchema, read.decoded.transaction), altered);
      else assert.is(read.rejection.code, 'malformed');
    }),
    { numRuns: 500 },
  );
});

test('a suspended account signs for nobody', () => {
  const ledger = new SampleLedger();
  ledger.advance([ledger.transaction(createAction({ patient: child.address }), [doctor, north])]);
  const amend = ledger.transaction(amendAction(ledger.recordId(doctor)), [doctor, parent]);
  assert.is(ledger.verdict(amend), 'applied');
  const overlay = ledger.view;
  const account = overlay.read(FAMILIES.account, parent.address)!;
  overlay.write(FAMILIES.account, parent.address, { ...account, status: 'suspended' });
  ledger.state.apply(overlay.changes());
  assert.is(ledger.verdict(amend), 'inactiveAccount');
});

test('an unknown version and an attachment without content are refused', () => {
  const ledger = new SampleLedger();
  const code = (change: Parameters<SampleLedger['transaction']>[2]) =>
    checkTransaction(ledger.transaction(createAction(), [doctor, north], change))?.code;
  assert.is(code({ version: 2 }), 'unsupportedVersion');
  assert.is(code({ attachment: { hash: new Uint8Array(32), bytes: 32 } }), 'attachmentMismatch');
  assert.is(code({ attachment: { hash: new Uint8Array(32), bytes: 33 } }), undefined);
});

test('every code of the closed list has a meaning and a status', () => {
  for (const [code, { meaning, httpStatus }] of Object.entries(REJECTIONS)) {
    assert.match(code, /^[a-z]+([A-Z][a-z]+)*$/);
    assert.ok(meaning.endsWith('.'));
    assert.ok(httpStatus >= 400 && httpStatus < 600);
  }
});

test.run();
