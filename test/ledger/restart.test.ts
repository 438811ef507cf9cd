// The signed restart: what it makes of the state, what is refused and why, and who has to sign.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, fromHex, toHex, utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { signingKeyFault } from '../../src/crypto/key-admission.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { nobleSigner } from '../../src/crypto/signer.ts';
import { encodeGenesis, type GenesisDocument, genesisHash } from '../../src/ledger/genesis.ts';
import { genesisHashAt, ledgerLine, readLedgerStart } from '../../src/ledger/ledger-start.ts';
import {
  decodeRestart,
  encodeRestart,
  isRestart,
  RESTARTS_MAX,
  type RestartDocument,
  type RestartSeat,
  restartHash,
  restartPreimage,
} from '../../src/ledger/restart.ts';
import { type EndedLedger, restartFault, restartSigners } from '../../src/ledger/restart-check.ts';
import { proposeRestart, type RestartTerms } from '../../src/ledger/restart-proposal.ts';
import { restartState } from '../../src/ledger/restart-state.ts';
import {
  CURRENT_VALIDATORS_KEY,
  FAMILIES,
  isInForce,
  SCHEDULED_VALIDATORS_KEY,
  SINGLE_KEY,
} from '../../src/ledger/state.ts';
import { decodeTransaction, type TransactionSignature } from '../../src/ledger/transaction.ts';
import vectors from './restart.vectors.json' with { type: 'json' };
import {
  createAction,
  doctor,
  east,
  genesisDocument,
  hospitals,
  north,
  type Person,
  patient,
  person,
  regulator,
  SampleLedger,
  stranger,
  validatorSigners,
} from './sample-ledger.ts';

const CHECKS = {
  signingKeyFault,
  isSignatureValid: (preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array) =>
    verifySignature(signature, preimage, publicKey),
};
const [, , south, west] = hospitals as [Person, Person, Person, Person];
const keyOf = (place: number) => validatorSigners[place]!.publicKey;
const seat = (place: number): RestartSeat => ({
  publicKey: keyOf(place),
  organisation: hospitals[place]!.address,
  addresses: [],
});
const newKey = nobleSigner(sha256(utf8('new validator'))).publicKey;

/** A ledger with some blocks, and how it stands. */
function grown(document: GenesisDocument = genesisDocument()) {
  const ledger = new SampleLedger(document);
  const record = ledger.transaction(createAction(), [doctor, north]);
  ledger.advance([record]);
  // The primary of view 0 misses its turn, so that there is a skip table.
  ledger.advance([], { view: 1 });
  const file = encodeGenesis(document);
  const ended = (): EndedLedger => ({
    start: readLedgerStart(file),
    tip: ledger.parent,
    state: ledger.ledgerState,
  });
  return { ledger, record, file, ended };
}

const usual: RestartTerms = {
  validators: [seat(0), seat(1)],
  suspended: [south.address, west.address],
  createdMs: 1_790_000_100_000,
};

function proposed(
  { file, ended }: Pick<ReturnType<typeof grown>, 'file' | 'ended'>,
  change: Partial<RestartTerms> = {},
) {
  const proposal = proposeRestart(ended(), file, { ...usual, ...change }, CHECKS);
  if (proposal.kind === 'fault') throw new Error(proposal.fault);
  return proposal.document;
}

function refusal(of: Pick<ReturnType<typeof grown>, 'file' | 'ended'>, change: Partial<RestartTerms>): string {
  const proposal = proposeRestart(of.ended(), of.file, { ...usual, ...change }, CHECKS);
  return proposal.kind === 'fault' ? proposal.fault : 'none';
}

function signedBy(oldHash: Uint8Array, document: RestartDocument, people: readonly Person[], keys?: readonly number[]) {
  const preimage = restartPreimage(oldHash, document);
  const signatures = people.flatMap(({ address, signers }): TransactionSignature[] =>
    signers.flatMap((signer, keyIndex) =>
      keys === undefined || keys.includes(keyIndex)
        ? [{ account: address, keyIndex, bytes: signer.sign(preimage) }]
        : [],
    ),
  );
  return signatures.sort((a, b) => compareBytes(a.account, b.account) || a.keyIndex - b.keyIndex);
}

function verdict(ended: EndedLedger, document: RestartDocument, signatures: readonly TransactionSignature[]): string {
  return restartFault(readLedgerStart(encodeRestart({ ...document, signatures })), ended, CHECKS) ?? 'none';
}

test('hash and preimage are those of an independent program, and only the signatures may differ', () => {
  const file = fromHex(vectors.file);
  const restart = decodeRestart(file);
  assert.equal(encodeRestart(restart), file);
  assert.is(toHex(restartHash(file)), vectors.hash);
  assert.is(toHex(restartPreimage(fromHex(vectors.oldHash), restart)), vectors.preimage);
  assert.ok(isRestart(file) && !isRestart(fromHex(vectors.oldGenesis)));
  const start = readLedgerStart(file);
  assert.is(toHex(start.genesisHash), vectors.hash);
  assert.is(toHex(start.before!.genesisHash), vectors.oldHash);
  assert.equal(start.parent, { height: 7, hash: start.genesisHash, timestampMs: restart.createdMs });
  const unsigned = encodeRestart({ ...restart, signatures: [] });
  assert.equal(readLedgerStart(unsigned).genesisHash, start.genesisHash);
  const other = encodeRestart({ ...restart, createdMs: restart.createdMs + 1 });
  assert.is.not(toHex(readLedgerStart(other).genesisHash), vectors.hash);
});

test('the state goes on: new validators at once, tenures that say so, no turns missed, the lost suspended', () => {
  const of = grown();
  const { ledger } = of;
  assert.ok(ledger.view.read(FAMILIES.skip, SINGLE_KEY)!.length > 0);
  const addresses = ['/ip4/192.0.2.7/tcp/7200'];
  const added = { publicKey: newKey, organisation: north.address, addresses };
  const document = proposed(of, { validators: [seat(1), added, seat(0)] });
  const before = new Map(ledger.state.entries().map(({ key, value }) => [toHex(key), toHex(value!)]));
  const start = readLedgerStart(encodeRestart({ ...document, signatures: [] }));
  const { changes } = restartState(ledger.ledgerState, document);
  ledger.restart(start);
  const { view } = ledger;
  const keys = document.validators.map(({ publicKey }) => publicKey);
  assert.equal(keys, [keyOf(0), keyOf(1), newKey].sort(compareBytes));
  for (const key of [CURRENT_VALIDATORS_KEY, SCHEDULED_VALIDATORS_KEY])
    assert.equal(
      view.read(FAMILIES.validators, key)!.map(({ publicKey }) => publicKey),
      keys,
    );
  assert.equal(view.read(FAMILIES.skip, SINGLE_KEY), []);
  const tenure = (key: Uint8Array) => view.read(FAMILIES.tenure, key)!;
  assert.equal([tenure(keyOf(0)).fromHeight, tenure(keyOf(0)).untilHeight], [1, null]);
  assert.equal([tenure(keyOf(2)).fromHeight, tenure(keyOf(2)).untilHeight], [1, 3]);
  assert.equal(tenure(newKey), {
    organisation: north.address,
    seat: newKey,
    addresses,
    fromHeight: 3,
    untilHeight: null,
  });
  const status = (who: Person) => view.read(FAMILIES.account, who.address)!.status;
  assert.equal([status(north), status(south), status(west)], ['active', 'suspended', 'suspended']);
  const changed = new Set(changes.map(({ key }) => toHex(key)));
  for (const { key, value } of ledger.state.entries())
    if (!changed.has(toHex(key))) assert.is(toHex(value!), before.get(toHex(key)));
  assert.is(ledger.state.entries().length, before.size + 1);
});

test('the ledger goes on at the next height, and no transaction of the old one applies', () => {
  const of = grown();
  const { ledger, record } = of;
  const pending = ledger.transaction(createAction(), [doctor, north], { salt: 'pending' });
  const old = ledger.genesisHash;
  // At once, so that what is pending has not expired.
  const start = readLedgerStart(encodeRestart({ ...proposed(of, { createdMs: 0 }), signatures: [] }));
  ledger.restart(start);
  // As the new ledger reads what is sent to it again.
  for (const { encoded } of [pending, record])
    assert.is(ledger.verdict(decodeTransaction(start.genesisHash, encoded)), 'badSignature');
  const again = ledger.transaction(createAction(), [doctor, north], { salt: 'pending' });
  const { header } = ledger.advance([again]);
  assert.is(header.height, 3);
  assert.equal(header.previousHash, start.genesisHash);
  assert.equal(header.genesisHash, start.genesisHash);
  assert.equal(
    [1, 2, 3, 4].map((height) => genesisHashAt(start, height)),
    [old, old, start.genesisHash, start.genesisHash],
  );
});

test('terms that no ledger can go on with are refused in words', () => {
  const of = grown();
  const cases: readonly (readonly [RegExp, Partial<RestartTerms>])[] = [
    [/1 to 64 members/, { validators: [] }],
    [/same public key/, { validators: [seat(0), seat(0)] }],
    [/no active member in the new ledger/, { validators: [seat(0), seat(2)] }],
    [/no active member/, { validators: [{ publicKey: newKey, organisation: doctor.address, addresses: [] }] }],
    [/is one of/, { validators: [{ ...seat(0), organisation: east.address }] }],
    [/has its addresses already/, { validators: [{ ...seat(0), addresses: ['/ip4/192.0.2.7/tcp/1'] }] }],
    [/no multiaddr/, { validators: [{ publicKey: newKey, organisation: north.address, addresses: ['nowhere'] }] }],
    [/is refused/, { validators: [{ publicKey: new Uint8Array(32), organisation: north.address, addresses: [] }] }],
    [/to be suspended, is no active member/, { suspended: [doctor.address] }],
    [/ascending order/, { suspended: [south.address, south.address] }],
    [/no organisation would be left/, { suspended: hospitals.map(({ address }) => address) }],
  ];
  for (const [words, change] of cases) assert.match(refusal(of, change), words);
  assert.is(refusal(of, {}), 'none');
  const empty = new SampleLedger();
  const ended = () => ({ ...of.ended(), tip: empty.parent, state: empty.ledgerState });
  assert.match(refusal({ file: of.file, ended }, {}), /no block yet/);
});

test('a document that does not fit the ledger is refused, whoever signs', () => {
  const of = grown();
  const document = proposed(of);
  const { origin } = document;
  const other = new Uint8Array(32).fill(9);
  const cases: readonly (readonly [RegExp, Partial<RestartDocument>])[] = [
    [/is called another/, { ledger: 'another' }],
    [/not later than its last block/, { createdMs: of.ledger.parent.timestampMs }],
    [/from height 1, this ledger stands at 2/, { origin: { ...origin, height: 1 } }],
    [/restarts from block/, { origin: { ...origin, blockHash: other } }],
    [/another state/, { origin: { ...origin, stateRoot: other } }],
    [/its state root is not/, { stateRoot: other }],
    [/ascending order of key/, { validators: [...document.validators].reverse() }],
    [/ascending order/, { suspended: [...document.suspended].reverse() }],
    [/restarts the ledger/, { origin: { ...origin, genesis: encodeGenesis({ ...genesisDocument(), ledger: 'x' }) } }],
  ];
  for (const [words, change] of cases) {
    const wrong = { ...document, ...change };
    assert.match(verdict(of.ended(), wrong, signedBy(of.ledger.genesisHash, wrong, [...hospitals, regulator])), words);
  }
  assert.match(restartFault(readLedgerStart(of.file), of.ended(), CHECKS)!, /founding/);
});

test('more than half of the members sign, each with a seat among them, and the regulator', () => {
  const of = grown();
  const document = proposed(of);
  const by = (...people: readonly Person[]) =>
    verdict(of.ended(), document, signedBy(of.ledger.genesisHash, document, people));
  // One that is lost may sign: its keys live apart from its node.
  assert.is(by(north, east, west, regulator), 'none');
  assert.is(by(...hospitals, regulator), 'none');
  assert.match(by(north, east, regulator), /1 more of 4 active member organisations.*Not signed: .*South/);
  assert.match(by(north, south, west, regulator), new RegExp(`account ${toHex(east.address)}`));
  assert.match(by(north, south, west, regulator), /East med1[^,;]+, needed/);
  assert.match(by(north, east, west), /Regulator med1[^,;]+, needed/);
  assert.match(by(north, east, west, regulator, doctor), /nobody asks/);
  const signers = restartSigners(document, signedBy(of.ledger.genesisHash, document, [north]), of.ended());
  assert.equal(
    signers
      .filter(({ isNeeded }) => isNeeded)
      .map(({ name }) => name)
      .sort(),
    ['East', 'North', 'Regulator'],
  );
  assert.equal(
    signers.filter(({ hasSigned }) => hasSigned).map(({ name }) => name),
    ['North'],
  );
});

test('signatures are for this document, valid, in order, and reach the threshold for changes of validators', () => {
  const of = grown();
  const document = proposed(of);
  const people = [north, east, west, regulator];
  const right = signedBy(of.ledger.genesisHash, document, people);
  const judge = (signatures: readonly TransactionSignature[]) => verdict(of.ended(), document, signatures);
  assert.match(judge([...right].reverse()), /does not follow/);
  assert.match(judge([right[0]!, ...right]), /does not follow/);
  assert.match(judge(signedBy(of.ledger.genesisHash, { ...document, createdMs: 1 }, people)), /not valid/);
  assert.match(judge(signedBy(sha256(utf8('other')), document, people)), /not valid/);
  assert.match(judge(right.map((one) => ({ ...one, keyIndex: 1 }))), /has no key 1/);
  assert.match(judge(signedBy(of.ledger.genesisHash, document, [person('nobody')])), /not registered/);

  const two = person('hospital of two keys', 2, { routine: 1, sensitive: 2, keys: 2 });
  const usualDocument = genesisDocument();
  const organisations = usualDocument.organisations.map((one, i) =>
    i === 3 ? { ...one, keyDocument: two.keyDocument } : one,
  );
  const validators = usualDocument.validators.map((one, i) => (i === 3 ? { ...one, organisation: two.address } : one));
  const careful = grown({ ...usualDocument, organisations, validators });
  const terms = proposed(careful, { suspended: [south.address, two.address] });
  const rest = signedBy(careful.ledger.genesisHash, terms, [north, east, regulator]);
  const with2 = (keys: readonly number[]) =>
    [...rest, ...signedBy(careful.ledger.genesisHash, terms, [two], keys)].sort(
      (a, b) => compareBytes(a.account, b.account) || a.keyIndex - b.keyIndex,
    );
  assert.match(verdict(careful.ended(), terms, with2([1])), /1 more of 4/);
  assert.is(verdict(careful.ended(), terms, with2([0, 1])), 'none');
});

test('a restarted ledger is restarted: the line of ledgers, and keys that left stay out', () => {
  const of = grown();
  const { ledger } = of;
  const first = encodeRestart({ ...proposed(of), signatures: [] });
  const firstStart = readLedgerStart(first);
  const old = ledger.genesisHash;
  ledger.restart(firstStart);
  const ended = (): EndedLedger => ({ start: firstStart, tip: ledger.parent, state: ledger.ledgerState });
  const terms = { suspended: [], createdMs: usual.createdMs + 10_000 };
  const returning = { publicKey: keyOf(2), organisation: north.address, addresses: [] };
  const change = { ...terms, validators: [seat(0), returning] };
  assert.match(refusal({ file: first, ended }, change), /left the validators at height 3; draw a new key/);
  // At once, without a block between, and once more after one.
  const second = encodeRestart({
    ...proposed({ file: first, ended }, { ...terms, validators: [seat(0)] }),
    signatures: [],
  });
  const secondStart = readLedgerStart(second);
  assert.is(secondStart.parent.height, 2);
  assert.equal(genesisHashAt(secondStart, 2), old);
  assert.equal(genesisHashAt(secondStart, 3), secondStart.genesisHash);
  ledger.advance();
  const later = readLedgerStart(
    encodeRestart({ ...proposed({ file: first, ended }, { ...terms, validators: [seat(0)] }), signatures: [] }),
  );
  assert.equal(
    [2, 3, 4].map((height) => genesisHashAt(later, height)),
    [old, firstStart.genesisHash, later.genesisHash],
  );
  assert.equal(
    ledgerLine(later).map(({ genesisHash: hash }) => toHex(hash)),
    [old, firstStart.genesisHash, later.genesisHash].map(toHex),
  );
});

test('files that nest too deep, go back in height or restart nothing are refused before anything is believed', () => {
  const of = grown();
  const document = proposed(of);
  const wrap = (genesis: Uint8Array, height: number, blockHash = document.origin.blockHash) =>
    encodeRestart({ ...document, origin: { ...document.origin, genesis, height, blockHash }, signatures: [] });
  let file = of.file;
  for (let depth = 1; depth <= RESTARTS_MAX; depth += 1) {
    file = wrap(file, depth);
    assert.is(ledgerLine(readLedgerStart(file)).length, depth + 1);
  }
  assert.throws(() => readLedgerStart(wrap(file, RESTARTS_MAX + 1)), /more than 8 restarts/);
  assert.throws(() => readLedgerStart(wrap(wrap(of.file, 5), 4)), /starts at 5/);
  assert.throws(() => readLedgerStart(wrap(wrap(of.file, 5), 5)), /names a block there/);
  assert.throws(() => readLedgerStart(wrap(of.file, 0)), /without blocks/);
  assert.throws(() => readLedgerStart(wrap(utf8('no genesis'), 5)));
  assert.throws(() => decodeRestart(new Uint8Array(42 * 1024 * 1024)), /at most/);
  assert.equal(readLedgerStart(of.file).genesisHash, genesisHash(of.file));
});

test('a change of the validators that was in flight is overtaken', () => {
  const of = grown();
  const { ledger } = of;
  const list = ledger.view.read(FAMILIES.validators, CURRENT_VALIDATORS_KEY)!;
  // As a block leaves it that removes key 0 and one that adds a key: in force two heights later.
  const changed = ledger.view;
  changed.write(FAMILIES.validators, SCHEDULED_VALIDATORS_KEY, [
    ...list.filter(({ publicKey }) => toHex(publicKey) !== toHex(keyOf(0))),
    { publicKey: newKey, organisation: north.address },
  ]);
  changed.write(FAMILIES.tenure, keyOf(0), { ...changed.read(FAMILIES.tenure, keyOf(0))!, untilHeight: 4 });
  changed.write(FAMILIES.tenure, newKey, {
    organisation: north.address,
    seat: newKey,
    addresses: [],
    fromHeight: 4,
    untilHeight: null,
  });
  ledger.state.apply(changed.changes());
  const stays = proposed(of, { validators: [seat(0), seat(1)] });
  const after = restartState(ledger.ledgerState, stays).changes;
  const tenureOf = (changes: typeof after, key: Uint8Array) =>
    changes.find(({ key: name }) => toHex(name).endsWith(toHex(key)))!.decoded as Parameters<typeof isInForce>[0];
  assert.is(tenureOf(after, keyOf(0)).untilHeight, null);
  for (const height of [3, 4, 5]) assert.not.ok(isInForce(tenureOf(after, newKey), height));
  const taken = proposed(of, {
    validators: [{ publicKey: newKey, organisation: north.address, addresses: [] }, seat(1)],
  });
  const other = restartState(ledger.ledgerState, taken).changes;
  assert.equal([tenureOf(other, newKey).fromHeight, tenureOf(other, newKey).untilHeight], [3, null]);
  assert.is(tenureOf(other, keyOf(0)).untilHeight, 3);
});

test('people and records of a suspended organisation stay, and it signs nothing more', () => {
  const of = grown();
  const { ledger } = of;
  const start = readLedgerStart(
    encodeRestart({ ...proposed(of, { suspended: [east.address], validators: [seat(0)] }), signatures: [] }),
  );
  ledger.restart(start);
  assert.is(ledger.view.read(FAMILIES.account, stranger.address)!.status, 'active');
  const byEast = createAction({ author: stranger.address, organisation: east.address, patient: patient.address });
  assert.is(ledger.verdict(ledger.transaction(byEast, [stranger, east])), 'inactiveAccount');
});

test.run();
