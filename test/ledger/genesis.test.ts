import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, toHex } from '../../src/codec/bytes.ts';
import { signingKeyFault } from '../../src/crypto/key-admission.ts';
import {
  decodeGenesis,
  encodeGenesis,
  type GenesisAccount,
  type GenesisDocument,
  genesisHash,
  genesisState,
} from '../../src/ledger/genesis.ts';
import { genesisFault } from '../../src/ledger/genesis-check.ts';
import { DEFAULT_PARAMETERS, PARAMETER_BOUNDS, parametersFault } from '../../src/ledger/parameters.ts';
import type { Requirement } from '../../src/ledger/requirement.ts';
import { FAMILIES, SINGLE_KEY } from '../../src/ledger/state.ts';
import {
  child,
  doctor,
  east,
  genesisDocument,
  hospitals,
  north,
  patient,
  person,
  SampleLedger,
} from './sample-ledger.ts';

const usual = genesisDocument();

function faultOf(change: Partial<GenesisDocument>): string {
  return genesisFault({ ...usual, ...change }, signingKeyFault) ?? 'none';
}

test('the sample document is without fault and survives encoding', () => {
  assert.is(faultOf({}), 'none');
  const encoded = encodeGenesis(usual);
  assert.equal(decodeGenesis(encoded), usual);
  assert.equal(encodeGenesis(decodeGenesis(encoded)), encoded);
});

test('any difference gives another ledger', () => {
  const hash = (change: Partial<GenesisDocument>) => toHex(genesisHash(encodeGenesis({ ...usual, ...change })));
  assert.is.not(hash({}), hash({ createdMs: usual.createdMs + 1 }));
  assert.is.not(hash({}), hash({ regulator: null }));
  assert.is.not(hash({}), hash({ parameters: { ...DEFAULT_PARAMETERS, precisionMs: 501 } }));
});

test('the state starts with all accounts, members in order, and what consensus reads', () => {
  const { view } = new SampleLedger(usual);
  assert.is(view.read(FAMILIES.account, doctor.address)?.role, 'doctor');
  assert.is(view.read(FAMILIES.account, person('regulator').address)?.role, 'regulator');
  assert.is(view.read(FAMILIES.account, child.address)?.control.kind, 'guardian');
  assert.is(view.read(FAMILIES.organisation, east.address)?.name, 'East');
  const members = view.read(FAMILIES.members, SINGLE_KEY)!;
  assert.equal(members, [...hospitals.map(({ address }) => address)].sort(compareBytes));
  assert.equal(view.read(FAMILIES.parameters, SINGLE_KEY), DEFAULT_PARAMETERS);
  const { changes } = genesisState(usual);
  for (let i = 1; i < changes.length; i += 1) assert.ok(compareBytes(changes[i - 1]!.key, changes[i]!.key) < 0);
});

test('the order in which organisations and validators are listed makes no other state', () => {
  const reversed = { ...usual, validators: [...usual.validators].reverse() };
  assert.equal(genesisState(reversed).changes, genesisState(usual).changes);
});

test('documents that no ledger can start from are refused in words', () => {
  const [first, second] = usual.organisations;
  const [seat] = usual.validators;
  const identity = new Uint8Array(32).fill(0, 1);
  identity[0] = 1;
  const cases: readonly (readonly [RegExp, Partial<GenesisDocument>])[] = [
    [/version 2/, { version: 2 }],
    [/no name/, { ledger: ' ' }],
    [/at least one organisation/, { organisations: [] }],
    [/has no name/, { organisations: [{ ...first!, name: '' }] }],
    [/two organisations are called North/, { organisations: [first!, { ...second!, name: 'North' }] }],
    [/two accounts/, { organisations: [first!, { ...first!, name: 'Double' }] }],
    [/two accounts/, { regulator: { name: 'Regulator', keyDocument: first!.keyDocument } }],
    [/1 to 64 members/, { validators: [] }],
    [/same public key/, { validators: [seat!, seat!] }],
    [/smallOrder/, { validators: [{ ...seat!, publicKey: identity }] }],
    [/no organisation of this genesis/, { validators: [{ ...seat!, organisation: doctor.address }] }],
    [/parameter heartbeatMs is 0/, { parameters: { ...DEFAULT_PARAMETERS, heartbeatMs: 0 } }],
    [/must stand for account.register, record.create, record.amend/, { requirements: usual.requirements.slice(1) }],
    [/in this order/, { requirements: [...usual.requirements].reverse() }],
  ];
  for (const [words, change] of cases) assert.match(faultOf(change), words);
});

test('accounts of a genesis keep to the rules of registration', () => {
  const [account] = usual.accounts;
  const ward: GenesisAccount = { ...account!, role: 'patient' };
  const untilMs = usual.createdMs + 1;
  const withAccount = (change: Partial<GenesisAccount>) => {
    const added = { ...ward, keyDocument: person('added').keyDocument, ...change };
    return faultOf({ accounts: [...usual.accounts, added] });
  };
  assert.is(withAccount({}), 'none');
  assert.match(withAccount({ role: 'organisation' }), /list of its own/);
  assert.match(withAccount({ organisation: doctor.address }), /no organisation/);
  assert.match(withAccount({ role: 'doctor', control: { kind: 'custodial', organisation: north.address } }), /only a/);
  assert.is(withAccount({ control: { kind: 'custodial', organisation: north.address } }), 'none');
  assert.match(withAccount({ control: { kind: 'custodial', organisation: east.address } }), /custodian/);
  assert.is(withAccount({ control: { kind: 'guardian', account: patient.address, untilMs } }), 'none');
  assert.match(withAccount({ control: { kind: 'guardian', account: doctor.address, untilMs } }), /guardian/);
  assert.match(withAccount({ control: { kind: 'guardian', account: child.address, untilMs } }), /guardian/);
  assert.match(
    withAccount({ control: { kind: 'guardian', account: patient.address, untilMs: usual.createdMs } }),
    /term is over/,
  );
  const high = person('high', 1, { routine: 2, sensitive: 1, keys: 1 });
  assert.match(withAccount({ keyDocument: high.keyDocument }), /can not be met/);
});

test('requirements of a genesis are within bounds and can be met', () => {
  const withRequirement = (requirement: Requirement) =>
    faultOf({ requirements: usual.requirements.map((entry) => ({ ...entry, requirement })) });
  const named = (address: Uint8Array): Requirement => ({ kind: 'account', address });
  assert.is(withRequirement(named(doctor.address)), 'none');
  assert.match(withRequirement({ kind: 'atLeast', count: 1, of: [named(new Uint8Array(32))] }), /not in the genesis/);
  assert.match(withRequirement({ kind: 'atLeast', count: 2, of: [named(doctor.address)] }), /can not be met/);
  const role = (address: Uint8Array): Requirement => ({
    kind: 'role',
    role: 'doctor',
    organisation: { kind: 'address', address },
    count: 1,
  });
  assert.is(withRequirement(role(north.address)), 'none');
  assert.match(withRequirement(role(doctor.address)), /not in the genesis/);
  // The deepest requirement allowed still fits the depth that the codec allows within the document.
  const deepest = [1, 2, 3].reduce<Requirement>((of) => ({ kind: 'atLeast', count: 1, of: [of] }), role(north.address));
  const document = { ...usual, requirements: usual.requirements.map((entry) => ({ ...entry, requirement: deepest })) };
  assert.is(genesisFault(document, signingKeyFault), undefined);
  assert.equal(decodeGenesis(encodeGenesis(document)), document);
});

test('every parameter has bounds that its default keeps', () => {
  assert.is(parametersFault(DEFAULT_PARAMETERS), undefined);
  assert.equal(Object.keys(PARAMETER_BOUNDS), Object.keys(DEFAULT_PARAMETERS));
  for (const [name, [least, , most]] of Object.entries(PARAMETER_BOUNDS)) {
    for (const value of [least - 1, most + 1, least + 0.5])
      assert.match(parametersFault({ ...DEFAULT_PARAMETERS, [name]: value }) ?? '', new RegExp(`parameter ${name} `));
  }
  assert.match(parametersFault({ ...DEFAULT_PARAMETERS, viewTimeoutMaxMs: 999 }) ?? '', /smaller than viewTimeoutMs/);
});

test.run();
