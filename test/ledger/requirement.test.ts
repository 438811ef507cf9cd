import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import type { Account, Control, Role } from '../../src/ledger/account.ts';
import {
  actingAccount,
  type Bindings,
  evaluate,
  type Requirement,
  type RequirementFacts,
  requirementFault,
  requirementSchema,
} from '../../src/ledger/requirement.ts';
import { hospitals, person } from './sample-ledger.ts';

const keys = person('keys', 3, { routine: 2, sensitive: 3, keys: 3 }).keyDocument;
const [home, other] = [hospitals[0]!.address, hospitals[1]!.address];

function address(n: number): Uint8Array {
  return new Uint8Array(32).fill(n);
}

function account(role: Role, change: Partial<Account> = {}): Account {
  const self: Control = { kind: 'self' };
  return { role, organisation: home, status: 'active', control: self, keyDocument: keys, registeredAt: 0, ...change };
}

/** Facts where the accounts stand at addresses 1, 2, … and those in `weights` signed with that weight. */
function facts(
  accounts: readonly Account[],
  weights: Readonly<Record<number, number>>,
  change: Partial<RequirementFacts> = {},
): RequirementFacts {
  const at = (where: Uint8Array) => accounts.find((_, i) => equalBytes(address(i + 1), where));
  const signers = Object.entries(weights).map(([n, weight]) => ({
    address: address(Number(n)),
    account: accounts[Number(n) - 1]!,
    weight,
  }));
  return { actionClass: 'routine', timestampMs: 100, signers, account: at, activeMembers: () => [], ...change };
}

const author: Requirement = { kind: 'variable', name: 'author' };
const doctorsOfHome: Requirement = {
  kind: 'role',
  role: 'doctor',
  organisation: { kind: 'variable', name: 'organisation' },
  count: 2,
};
const bound: Bindings = { author: address(1), organisation: home };

test('an account counts when its weight reaches its own threshold for the class', () => {
  const accounts = [account('doctor')];
  const met = (weight: number, actionClass: RequirementFacts['actionClass']) =>
    evaluate(author, bound, facts(accounts, { 1: weight }, { actionClass })).isSatisfied;
  assert.equal(
    [met(1, 'routine'), met(2, 'routine'), met(2, 'sensitive'), met(3, 'sensitive')],
    [false, true, false, true],
  );
  const short = evaluate(author, bound, facts(accounts, { 1: 1 }));
  assert.is(short.missing, `$author, account ${toHex(address(1))}, with signatures of weight 1 of 2`);
  assert.equal(short.isCountable, [true], 'below its threshold it is still one that could count');
});

test('a suspended account neither counts nor could', () => {
  const evaluation = evaluate(author, bound, facts([account('doctor', { status: 'suspended' })], { 1: 3 }));
  assert.is(evaluation.isSatisfied, false);
  assert.equal(evaluation.isCountable, [false]);
  assert.match(evaluation.missing, /suspended/);
});

test('an unbound variable is not satisfied', () => {
  const evaluation = evaluate(author, {}, facts([account('doctor')], { 1: 3 }));
  assert.is(evaluation.isSatisfied, false);
  assert.match(evaluation.missing, /does not name/);
  assert.is(evaluate(doctorsOfHome, {}, facts([account('doctor')], { 1: 3 })).isSatisfied, false);
});

test('a role asks for distinct accounts of that role in that organisation', () => {
  const accounts = [
    account('doctor'),
    account('doctor'),
    account('doctor', { organisation: other }),
    account('patient'),
  ];
  const met = (weights: Record<number, number>) => evaluate(doctorsOfHome, bound, facts(accounts, weights));
  assert.is(met({ 1: 2, 2: 2 }).isSatisfied, true);
  assert.is(met({ 1: 2, 2: 1 }).isSatisfied, false);
  assert.is(met({ 1: 3, 3: 3, 4: 3 }).isSatisfied, false);
  assert.equal(met({ 1: 3, 3: 3, 4: 3 }).isCountable, [true, false, false]);
  assert.match(met({ 1: 3 }).missing, /^1 more active doctor of organisation/);
});

test('a share of the members is rounded up', () => {
  const twoThirds: Requirement = { kind: 'members', numerator: 2, denominator: 3 };
  const needed = (members: number): number => {
    const accounts = Array.from({ length: members }, () => account('organisation'));
    const all = accounts.map((_, i) => address(i + 1));
    for (let signed = 0; ; signed += 1) {
      const weights = Object.fromEntries(Array.from({ length: signed }, (_, i) => [i + 1, 2]));
      const given = facts(accounts, weights, { activeMembers: () => all });
      if (evaluate(twoThirds, {}, given).isSatisfied) return signed;
    }
  };
  assert.equal([1, 2, 3, 4, 5, 6, 7].map(needed), [1, 2, 2, 3, 4, 4, 5]);
  const nobody = facts([account('doctor')], { 1: 3 });
  assert.is(evaluate(twoThirds, {}, nobody).isSatisfied, false, 'without members nothing is met');
});

test('one signer may count for several leaves', () => {
  const both: Requirement = { kind: 'atLeast', count: 2, of: [author, { ...doctorsOfHome, count: 1 }] };
  assert.is(evaluate(both, bound, facts([account('doctor')], { 1: 2 })).isSatisfied, true);
});

test('of a node as many parts must be met as it says, and the words name the rest', () => {
  const of: Requirement[] = [1, 2, 3].map((n) => ({ kind: 'account', address: address(n) }));
  const accounts = [account('doctor'), account('doctor')];
  const two: Requirement = { kind: 'atLeast', count: 2, of };
  assert.is(evaluate(two, {}, facts(accounts, { 1: 2, 2: 2 })).isSatisfied, true);
  const open = evaluate(two, {}, facts(accounts, { 1: 2 }));
  assert.is(open.isSatisfied, false);
  assert.match(open.missing, /^1 of \(account 02.* weight 0 of 2; account 03.*, which is not registered\)$/);
  assert.match(evaluate({ ...two, count: 3 }, {}, facts(accounts, { 1: 2 })).missing, /; and account 03/);
});

test('$patient is whoever controls the patient at that time', () => {
  const accounts = (control: Control) => [account('patient', { control }), account('patient'), account('organisation')];
  const acting = (control: Control, timestampMs: number) =>
    actingAccount('patient', { patient: address(1) }, facts(accounts(control), {}, { timestampMs }))?.[0];
  assert.is(acting({ kind: 'self' }, 5), 1);
  assert.is(acting({ kind: 'guardian', account: address(2), untilMs: 5 }, 5), 2);
  assert.is(acting({ kind: 'guardian', account: address(2), untilMs: 5 }, 6), 1);
  assert.is(acting({ kind: 'custodial', organisation: address(3) }, 5), 3);
  assert.is(acting({ kind: 'self' }, 5), 1);
  assert.is(actingAccount('patient', {}, facts([], {})), undefined);
});

test('requirements out of bounds are refused, at the bound they are not', () => {
  const nest = (depth: number): Requirement =>
    depth === 1 ? author : { kind: 'atLeast', count: 1, of: [nest(depth - 1)] };
  assert.is(requirementFault(nest(4)), undefined);
  assert.match(requirementFault(nest(5)) ?? '', /deeper/);
  const wide = (n: number): Requirement => ({ kind: 'atLeast', count: 1, of: Array.from({ length: n }, () => author) });
  assert.is(requirementFault(wide(32)), undefined);
  assert.match(requirementFault({ kind: 'atLeast', count: 2, of: [wide(32), author] }) ?? '', /33 leaves/);
  for (const bad of [
    { kind: 'atLeast', count: 0, of: [author] },
    { kind: 'atLeast', count: 2, of: [author] },
    { kind: 'atLeast', count: 0, of: [] },
    { ...doctorsOfHome, count: 0 },
    { kind: 'members', numerator: 0, denominator: 3 },
    { kind: 'members', numerator: 3, denominator: 2 },
    { kind: 'members', numerator: 0, denominator: 0 },
  ] as Requirement[])
    assert.type(requirementFault(bad), 'string');
});

const { requirement: anyRequirement } = fc.letrec<{ requirement: Requirement }>((tie) => ({
  requirement: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Requirement[]>(
      author,
      { kind: 'variable', name: 'patient' },
      { kind: 'account', address: address(2) },
      { ...doctorsOfHome, count: 1 },
      { kind: 'role', role: 'doctor', organisation: { kind: 'address', address: other }, count: 1 },
      { kind: 'members', numerator: 1, denominator: 2 },
    ),
    fc
      .array(tie('requirement'), { minLength: 1, maxLength: 3 })
      .chain((of) =>
        fc.integer({ min: 1, max: of.length }).map((count): Requirement => ({ kind: 'atLeast', count, of })),
      ),
  ),
}));

test('a requirement survives encoding, and more signatures never unsatisfy it', () => {
  const accounts = [
    account('doctor'),
    account('doctor', { organisation: other }),
    account('organisation'),
    account('patient'),
  ];
  const members = { activeMembers: () => [address(3)] };
  const bindings: Bindings = { ...bound, patient: address(4) };
  void fc.assert(
    fc.property(anyRequirement, fc.subarray([1, 2, 3, 4]), (requirement, signed) => {
      assert.is(requirementFault(requirement), undefined);
      assert.equal(decode(requirementSchema, encode(requirementSchema, requirement), 8192), requirement);
      const evaluated = (who: readonly number[]) =>
        evaluate(requirement, bindings, facts(accounts, Object.fromEntries(who.map((n) => [n, 2])), members));
      const some = evaluated(signed);
      assert.is(some.missing === '', some.isSatisfied);
      const all = evaluated([1, 2, 3, 4]);
      assert.ok(all.isSatisfied || !some.isSatisfied);
      // Those who could not count make no difference.
      assert.is(evaluated(signed.filter((_, place) => some.isCountable[place])).isSatisfied, some.isSatisfied);
    }),
    { numRuns: 300 },
  );
});

test.run();
