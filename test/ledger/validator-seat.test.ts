// Seats of the validators: who may change them, when a change is in force, and that no key comes back.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { nobleSigner, type Signer } from '../../src/crypto/signer.ts';
import type { Action, ValidatorAdd, ValidatorRotate } from '../../src/ledger/action.ts';
import type { Header } from '../../src/ledger/block.ts';
import { validatorSets } from '../../src/ledger/block-execution.ts';
import { eligiblePrimaries, primaryOf } from '../../src/ledger/proposer-skip.ts';
import { READY_HEIGHTS_MAX, readyPreimage } from '../../src/ledger/readiness.ts';
import { CURRENT_VALIDATORS_KEY, FAMILIES, SCHEDULED_VALIDATORS_KEY, SINGLE_KEY } from '../../src/ledger/state.ts';
import { faultyMax, makeValidatorSet, VALIDATORS_MAX } from '../../src/ledger/validator-set.ts';
import {
  doctor,
  east,
  genesisDocument,
  hospitals,
  north,
  type Person,
  regulator,
  SampleLedger,
  validatorSigners,
} from './sample-ledger.ts';

const APPROVERS: readonly Person[] = [...hospitals.slice(0, 3), regulator];
const [first, second] = validatorSigners as [Signer, Signer, ...Signer[]];

function candidate(name: string): Signer {
  return nobleSigner(sha256(utf8(`candidate ${name}`)));
}

function readyOf(
  ledger: SampleLedger,
  signer: Signer,
  change: { organisation?: Uint8Array; replaces?: Uint8Array | null; height?: number } = {},
) {
  const { organisation = north.address, replaces = null, height = ledger.parent.height } = change;
  const preimage = readyPreimage(ledger.genesisHash, { publicKey: signer.publicKey, organisation, replaces, height });
  return { height, signature: signer.sign(preimage) };
}

function toleranceOf(ledger: SampleLedger, step: number) {
  const n = ledger.view.read(FAMILIES.validators, CURRENT_VALIDATORS_KEY)!.length;
  // Of no validators nothing is asked: that change is refused.
  return { before: faultyMax(n), after: Math.max(0, faultyMax(n + step)) };
}

function addAction(ledger: SampleLedger, signer: Signer, change: Partial<ValidatorAdd> = {}): ValidatorAdd {
  const organisation = change.organisation ?? north.address;
  return {
    kind: 'validator.add',
    publicKey: signer.publicKey,
    organisation,
    addresses: ['/ip4/192.0.2.5/tcp/4001'],
    ready: readyOf(ledger, signer, { organisation }),
    tolerance: toleranceOf(ledger, 1),
    ...change,
  };
}

function removeAction(ledger: SampleLedger, publicKey: Uint8Array): Action {
  return { kind: 'validator.remove', publicKey, tolerance: toleranceOf(ledger, -1) };
}

function rotateAction(
  ledger: SampleLedger,
  publicKey: Uint8Array,
  signer: Signer,
  organisation: Uint8Array,
  change: Partial<ValidatorRotate> = {},
): ValidatorRotate {
  const ready = readyOf(ledger, signer, { organisation, replaces: publicKey });
  return {
    kind: 'validator.rotate',
    publicKey,
    newPublicKey: signer.publicKey,
    addresses: [],
    ready,
    ...change,
  };
}

let salts = 0;
function approved(ledger: SampleLedger, action: Action, by: readonly Person[] = APPROVERS) {
  salts += 1;
  return ledger.transaction(action, by, { salt: `seat ${salts}` });
}

function verdict(ledger: SampleLedger, action: Action, by?: readonly Person[]): string {
  return ledger.verdict(approved(ledger, action, by));
}

/** Hashes in hexadecimal of the sets of the next two heights. */
function setsAfter(ledger: SampleLedger): readonly [string, string] {
  const { current, scheduled } = validatorSets(ledger.view);
  return [toHex(current.hash), toHex(scheduled.hash)];
}

/** Whose organisation holds this validator key in the sample ledger. */
function organisationOf(ledger: SampleLedger, publicKey: Uint8Array): Uint8Array {
  return ledger.view.read(FAMILIES.tenure, publicKey)!.organisation;
}

test('a validator is added two heights after the block that says so', () => {
  const ledger = new SampleLedger();
  const newcomer = candidate('fifth');
  const [before] = setsAfter(ledger);
  const block = ledger.advance([approved(ledger, addAction(ledger, newcomer))]);
  const [next, afterNext] = setsAfter(ledger);
  assert.is(next, before);
  assert.is(toHex(block.header.nextValidatorsHash), before);
  assert.is.not(afterNext, before);
  const { header } = ledger.advance();
  assert.is(header.height, 2);
  assert.is(toHex(header.validatorsHash), before);
  assert.is(toHex(header.nextValidatorsHash), afterNext);
  assert.equal(setsAfter(ledger), [afterNext, afterNext]);
  const third = ledger.advance();
  assert.is(toHex(third.header.validatorsHash), afterNext);
  const { validators } = validatorSets(ledger.view).current;
  assert.is(validators.length, 5);
  assert.ok(validators.some(({ publicKey }) => equalBytes(publicKey, newcomer.publicKey)));
  assert.equal(ledger.view.read(FAMILIES.tenure, newcomer.publicKey), {
    organisation: north.address,
    seat: newcomer.publicKey,
    addresses: ['/ip4/192.0.2.5/tcp/4001'],
    fromHeight: 3,
    untilHeight: null,
  });
});

test('one change of seats is in flight: none in the same block, none in the next, one in the block after that', () => {
  const ledger = new SampleLedger();
  const [a, b] = [candidate('a'), candidate('b')];
  const { block, refused } = ledger.build([
    approved(ledger, addAction(ledger, a)),
    approved(ledger, addAction(ledger, b)),
  ]);
  assert.is(block.header.txCount, 1);
  assert.is(refused[0]?.rejection.code, 'seatChangeInFlight');
  ledger.commit(block);
  for (const change of [
    addAction(ledger, b),
    removeAction(ledger, first.publicKey),
    rotateAction(ledger, first.publicKey, b, organisationOf(ledger, first.publicKey)),
  ])
    assert.is(verdict(ledger, change), 'seatChangeInFlight');
  ledger.advance();
  assert.is(verdict(ledger, addAction(ledger, b)), 'applied');
});

test('two thirds of the active members and the regulator approve, no fewer', () => {
  const ledger = new SampleLedger();
  const newcomer = candidate('approved');
  const changes = [
    addAction(ledger, newcomer),
    removeAction(ledger, first.publicKey),
    rotateAction(ledger, first.publicKey, newcomer, organisationOf(ledger, first.publicKey)),
  ];
  for (const change of changes) {
    assert.is(verdict(ledger, change, [...hospitals.slice(0, 3), regulator]), 'applied');
    assert.is(verdict(ledger, change, hospitals), 'unsigned');
    assert.is(verdict(ledger, change, [...hospitals.slice(0, 2), regulator]), 'unsigned');
    assert.is(verdict(ledger, change, []), 'unsigned');
    assert.is(verdict(ledger, change, [...APPROVERS, doctor]), 'surplusSignature');
  }
});

test('a key needs its own word: of this ledger, for this seat and organisation, and recent', () => {
  const ledger = new SampleLedger();
  for (let i = 0; i < 3; i += 1) ledger.advance();
  const newcomer = candidate('possessed');
  const add = (change: Partial<ValidatorAdd>) => verdict(ledger, addAction(ledger, newcomer, change));
  const other = candidate('another');
  assert.is(add({}), 'applied');
  assert.is(add({ ready: { ...readyOf(ledger, newcomer), height: 2 } }), 'badSignature');
  assert.is(add({ ready: readyOf(ledger, newcomer, { organisation: east.address }) }), 'badSignature');
  assert.is(add({ ready: readyOf(ledger, newcomer, { replaces: first.publicKey }) }), 'badSignature');
  assert.is(add({ publicKey: other.publicKey }), 'badSignature');
  const foreign = new SampleLedger(genesisDocument({ heartbeatMs: 29_000 }));
  assert.is(add({ ready: readyOf(foreign, newcomer, { height: 3 }) }), 'badSignature');
  assert.is(add({ ready: readyOf(ledger, newcomer, { height: 4 }) }), 'candidateNotReady');
  assert.is(add({ ready: readyOf(ledger, newcomer, { height: 0 }) }), 'applied');
  ledger.parent = { ...ledger.parent, height: READY_HEIGHTS_MAX - 1 };
  assert.is(add({ ready: readyOf(ledger, newcomer, { height: 0 }) }), 'applied');
  ledger.parent = { ...ledger.parent, height: READY_HEIGHTS_MAX };
  assert.is(add({ ready: readyOf(ledger, newcomer, { height: 0 }) }), 'candidateNotReady');
});

test('the word that a key gave for taking over a seat takes no other', () => {
  const ledger = new SampleLedger();
  const newcomer = candidate('taker');
  const organisation = organisationOf(ledger, first.publicKey);
  const forSecond = readyOf(ledger, newcomer, { organisation, replaces: second.publicKey });
  const rotate = rotateAction(ledger, first.publicKey, newcomer, organisation, { ready: forSecond });
  assert.is(verdict(ledger, rotate), 'badSignature');
});

test('a key that is no sound point, or no key of its own, is refused', () => {
  const ledger = new SampleLedger();
  ledger.parts.checks.isSignatureValid = () => true;
  const add = (publicKey: Uint8Array) => verdict(ledger, addAction(ledger, candidate('any'), { publicKey }));
  assert.is(add(new Uint8Array(32)), 'inadmissibleKey');
  assert.is(add(new Uint8Array(32).fill(0xff)), 'inadmissibleKey');
  const organisation = organisationOf(ledger, first.publicKey);
  const rotate = (newPublicKey: Uint8Array) =>
    verdict(ledger, rotateAction(ledger, first.publicKey, candidate('any'), organisation, { newPublicKey }));
  assert.is(rotate(new Uint8Array(32)), 'inadmissibleKey');
  assert.is(rotate(first.publicKey), 'invalidAction');
});

test('the seat belongs to an active member organisation', () => {
  const ledger = new SampleLedger();
  const add = (organisation: Uint8Array) => verdict(ledger, addAction(ledger, candidate('seated'), { organisation }));
  assert.is(add(new Uint8Array(32)), 'unknownAccount');
  assert.is(add(doctor.address), 'wrongRole');
  assert.is(add(regulator.address), 'wrongRole');
  const overlay = ledger.view;
  const account = overlay.read(FAMILIES.account, north.address)!;
  overlay.write(FAMILIES.account, north.address, { ...account, status: 'suspended' });
  ledger.state.apply(overlay.changes());
  const by = [...hospitals.slice(1), regulator];
  assert.is(verdict(ledger, addAction(ledger, candidate('seated')), by), 'inactiveAccount');
  const [seat] = validatorSets(ledger.view).current.validators.filter(({ organisation }) =>
    equalBytes(organisation, north.address),
  );
  assert.is(
    verdict(ledger, rotateAction(ledger, seat!.publicKey, candidate('x'), north.address), by),
    'inactiveAccount',
  );
  assert.is(verdict(ledger, removeAction(ledger, seat!.publicKey), by), 'applied');
});

test('addresses are few, short and begin like multiaddrs', () => {
  const ledger = new SampleLedger();
  const add = (addresses: readonly string[]) =>
    verdict(ledger, addAction(ledger, candidate('addressed'), { addresses }));
  assert.is(add([]), 'applied');
  assert.is(add(new Array(4).fill(`/${'a'.repeat(127)}`)), 'applied');
  for (const wrong of ['', 'ip4/192.0.2.5', '/', '/ip4/192.0.2.5 /tcp/1', '/dns4/é/tcp/1'])
    assert.is(add([wrong]), 'invalidAction');
  assert.throws(() => add(new Array(5).fill('/ip4/192.0.2.5')), /more than 4/);
  assert.throws(() => add([`/${'a'.repeat(128)}`]), /at most 128 bytes/);
});

test('a key that left is never admitted again, by whatever way, nor is one that is there', () => {
  const ledger = new SampleLedger();
  const newcomer = candidate('visitor');
  const organisation = organisationOf(ledger, first.publicKey);
  const change = (action: Action) => {
    ledger.advance([approved(ledger, action)]);
    ledger.advance();
  };
  const refusedEverywhere = (signer: Signer, from: Uint8Array) => {
    assert.is(verdict(ledger, addAction(ledger, signer)), 'keySpent');
    const held = organisationOf(ledger, from);
    assert.is(verdict(ledger, rotateAction(ledger, from, signer, held)), 'keySpent');
  };
  refusedEverywhere(second, first.publicKey);
  change(rotateAction(ledger, first.publicKey, newcomer, organisation));
  refusedEverywhere(first, second.publicKey);
  refusedEverywhere(first, newcomer.publicKey);
  change(removeAction(ledger, newcomer.publicKey));
  refusedEverywhere(newcomer, second.publicKey);
  change(addAction(ledger, candidate('replacement')));
  refusedEverywhere(first, second.publicKey);
  refusedEverywhere(newcomer, second.publicKey);
  assert.is(verdict(ledger, removeAction(ledger, first.publicKey)), 'unknownValidator');
  assert.is(
    verdict(ledger, rotateAction(ledger, newcomer.publicKey, candidate('z'), organisation)),
    'unknownValidator',
  );
});

test('a change says how many faulty validators the ledger bears before and after, or is refused', () => {
  const ledger = new SampleLedger();
  const remove = (before: number, after: number): Action => ({
    kind: 'validator.remove',
    publicKey: first.publicKey,
    tolerance: { before, after },
  });
  assert.is(verdict(ledger, remove(1, 1)), 'toleranceMisstated');
  assert.is(verdict(ledger, remove(0, 0)), 'toleranceMisstated');
  const add = addAction(ledger, candidate('t'), { tolerance: { before: 1, after: 2 } });
  assert.is(verdict(ledger, add), 'toleranceMisstated');
  const [receipt] = ledger.advance([approved(ledger, remove(1, 0))]).receipts;
  assert.ok(receipt?.kind === 'validator.remove');
  assert.equal([receipt.tolerance, receipt.fromHeight], [{ before: 1, after: 0 }, 3]);
  ledger.advance();
  const rotated = rotateAction(ledger, second.publicKey, candidate('r'), organisationOf(ledger, second.publicKey));
  const [rotation] = ledger.advance([approved(ledger, rotated)]).receipts;
  assert.equal(rotation?.kind === 'validator.rotate' && rotation.tolerance, { before: 0, after: 0 });
});

test('the last validator stays, and a ledger has at most 64', () => {
  const ledger = new SampleLedger();
  for (const { publicKey } of validatorSigners.slice(1)) {
    ledger.advance([approved(ledger, removeAction(ledger, publicKey))]);
    ledger.advance();
  }
  assert.is(validatorSets(ledger.view).current.validators.length, 1);
  const last: Action = {
    kind: 'validator.remove',
    publicKey: first.publicKey,
    tolerance: { before: 0, after: 0 },
  };
  assert.is(verdict(ledger, last), 'validatorCount');
  const document = genesisDocument();
  const many = Array.from({ length: VALIDATORS_MAX }, (_, i) => candidate(`of many ${i}`));
  const full = new SampleLedger({
    ...document,
    validators: many.map(({ publicKey }) => ({ publicKey, organisation: north.address })),
  });
  assert.is(verdict(full, addAction(full, candidate('65th'))), 'validatorCount');
  assert.is(verdict(full, rotateAction(full, many[0]!.publicKey, candidate('65th'), north.address)), 'applied');
});

test('a rotated seat keeps its place in the skip table, a removed one leaves none', () => {
  const ledger = new SampleLedger();
  const skipOf = (publicKey: Uint8Array) =>
    ledger.view.read(FAMILIES.skip, SINGLE_KEY)?.find((entry) => equalBytes(entry.publicKey, publicKey));
  const skippedKey = () => {
    const entries = ledger.view.read(FAMILIES.skip, SINGLE_KEY)!;
    return entries[0]!.publicKey;
  };
  ledger.advance([], { view: 1 });
  const missed = skippedKey();
  const before = skipOf(missed)!;
  const newcomer = candidate('fresh key');
  ledger.advance([approved(ledger, rotateAction(ledger, missed, newcomer, organisationOf(ledger, missed)))]);
  assert.ok(skipOf(missed) !== undefined && skipOf(newcomer.publicKey) === undefined, 'not in force yet');
  ledger.advance();
  assert.is(skipOf(missed), undefined);
  assert.equal(skipOf(newcomer.publicKey), { ...before, publicKey: newcomer.publicKey });
  const place = validatorSets(ledger.view).current.validators.findIndex(({ publicKey }) =>
    equalBytes(publicKey, newcomer.publicKey),
  );
  assert.not.ok(eligiblePrimaries(ledger.view, 4).includes(place), 'the seat is passed over under its new key');
  ledger.advance([approved(ledger, removeAction(ledger, newcomer.publicKey))]);
  ledger.advance();
  assert.equal(ledger.view.read(FAMILIES.skip, SINGLE_KEY) ?? [], []);
});

test('places shift when a seat comes or goes; what is held against a seat stays with its key', () => {
  // Keys on both sides of the one that missed its turn: each insertion or removal below it moves its index.
  for (let round = 0; round < 8; round += 1) {
    const ledger = new SampleLedger();
    ledger.advance([], { view: 1 });
    const missed = ledger.view.read(FAMILIES.skip, SINGLE_KEY)![0]!.publicKey;
    const others = validatorSets(ledger.view).current.validators.filter((v) => !equalBytes(v.publicKey, missed));
    const change =
      round % 2 === 0
        ? addAction(ledger, candidate(`shift ${round}`))
        : removeAction(ledger, others[round % others.length]!.publicKey);
    ledger.advance([approved(ledger, change)]);
    ledger.advance();
    const { current } = validatorSets(ledger.view);
    const place = current.validators.findIndex(({ publicKey }) => equalBytes(publicKey, missed));
    const eligible = eligiblePrimaries(ledger.view, 4);
    const faulty = faultyMax(current.validators.length);
    assert.is(eligible.length, current.validators.length - faulty);
    assert.is(eligible.includes(place), faulty === 0);
  }
});

interface Wish {
  readonly kind: 'add' | 'remove' | 'rotate' | 'none';
  readonly place: number;
  readonly view: number;
}

const wish: fc.Arbitrary<Wish> = fc.record({
  kind: fc.constantFrom('add', 'remove', 'rotate', 'none'),
  place: fc.nat(7),
  view: fc.nat(3),
});

function actionOf(ledger: SampleLedger, { kind, place }: Wish, name: string): Action | undefined {
  const { validators } = validatorSets(ledger.view).current;
  const { publicKey, organisation } = validators[place % validators.length]!;
  if (kind === 'add') return addAction(ledger, candidate(name));
  if (kind === 'remove') return removeAction(ledger, publicKey);
  return kind === 'rotate' ? rotateAction(ledger, publicKey, candidate(name), organisation) : undefined;
}

test('every header names the set that the header before it announced, whatever the members change', () => {
  let changes = 0;
  fc.assert(
    fc.property(fc.array(wish, { minLength: 4, maxLength: 14 }), (wishes) => {
      const ledger = new SampleLedger();
      let previous: Header | undefined;
      const left = new Set<string>();
      for (const [step, one] of wishes.entries()) {
        const action = actionOf(ledger, one, `step ${step}`);
        const { validators } = validatorSets(ledger.view).current;
        const height = ledger.parent.height + 1;
        const before = setsAfter(ledger);
        const { block } = ledger.build(action === undefined ? [] : [approved(ledger, action)], { view: one.view });
        assert.is(
          ledger.check(block, {}, { kind: 'fresh', view: one.view, nowMs: block.header.timestampMs }).kind,
          'valid',
        );
        const { header } = block;
        assert.is(header.proposer, primaryOf(eligiblePrimaries(ledger.view, height), height, one.view));
        assert.ok(header.proposer < validators.length);
        ledger.commit(block);
        if (header.txCount > 0) changes += 1;
        if (previous !== undefined) assert.equal(header.validatorsHash, previous.nextValidatorsHash);
        assert.equal([toHex(header.validatorsHash), toHex(header.nextValidatorsHash)], before);
        const [current, scheduled] = [CURRENT_VALIDATORS_KEY, SCHEDULED_VALIDATORS_KEY].map(
          (key) => ledger.view.read(FAMILIES.validators, key)!,
        );
        assert.is(toHex(makeValidatorSet(current!).hash), before[1]);
        // At most one seat differs from one height to the next, and who has left does not come back.
        const keys = new Set(current!.map(({ publicKey }) => toHex(publicKey)));
        const come = scheduled!.filter(({ publicKey }) => !keys.has(toHex(publicKey)));
        assert.ok(come.length <= 1 && Math.abs(scheduled!.length - current!.length) <= 1);
        for (const { publicKey } of validators) if (!keys.has(toHex(publicKey))) left.add(toHex(publicKey));
        for (const key of keys) assert.not.ok(left.has(key));
        const seats = new Set(current!.map(({ publicKey }) => toHex(publicKey)));
        for (const { publicKey } of ledger.view.read(FAMILIES.skip, SINGLE_KEY) ?? [])
          assert.ok(seats.has(toHex(publicKey)), 'the skip table is of the set in force');
        previous = header;
      }
    }),
    { numRuns: 40 },
  );
  assert.ok(changes > 50, 'the runs say something');
});

test.run();
