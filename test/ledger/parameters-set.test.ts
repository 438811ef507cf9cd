// Changes of the parameters: who may, what is taken, and from which height a change counts.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import type { ParametersSet } from '../../src/ledger/action.ts';
import { LEAST_BY_CHANGE } from '../../src/ledger/actions/parameters-set.ts';
import { executeBlock } from '../../src/ledger/block-execution.ts';
import { decodeGenesis, encodeGenesis } from '../../src/ledger/genesis.ts';
import { genesisFault } from '../../src/ledger/genesis-check.ts';
import {
  DEFAULT_PARAMETERS,
  PARAMETER_BOUNDS,
  PARAMETER_NAMES,
  type Parameters,
  parametersSchema,
  protocolVersionAt,
} from '../../src/ledger/parameters.ts';
import { PARAMETER_SLOTS, slotsOf } from '../../src/ledger/slots.ts';
import {
  createAction,
  doctor,
  east,
  genesisDocument,
  hospitals,
  north,
  type Person,
  regulator,
  SampleLedger,
} from './sample-ledger.ts';

const APPROVERS: readonly Person[] = [...hospitals.slice(0, 3), regulator];

let salts = 0;
function change(
  ledger: SampleLedger,
  values: Partial<Parameters>,
  by: readonly Person[] = APPROVERS,
  expected = slotsOf(ledger.view, PARAMETER_SLOTS).current,
) {
  salts += 1;
  const action: ParametersSet = { kind: 'parameters.set', expected, parameters: { ...expected, ...values } };
  const validUntilMs = ledger.parent.timestampMs + 15_000;
  return ledger.transaction(action, by, { salt: `parameters ${salts}`, validUntilMs });
}

function verdict(ledger: SampleLedger, values: Partial<Parameters>, by?: readonly Person[]): string {
  return ledger.verdict(change(ledger, values, by));
}

function creations(ledger: SampleLedger, count: number) {
  return Array.from({ length: count }, () => {
    salts += 1;
    return ledger.transaction(createAction(), [doctor, north], { salt: `record ${salts}` });
  });
}

/** A ledger whose build knows versions up to `newestVersion`. */
function ledgerKnowing(newestVersion: number): SampleLedger {
  const ledger = new SampleLedger();
  Object.assign(ledger.parts, { newestVersion });
  return ledger;
}

test('what block h changes is in force at h + 2: block h + 1 keeps to the old cap, block h + 2 to the new', () => {
  const ledger = new SampleLedger();
  const { header } = ledger.advance([change(ledger, { blockTransactionsMax: 2 })]);
  assert.is(header.height, 1);
  assert.is(slotsOf(ledger.view, PARAMETER_SLOTS).current.blockTransactionsMax, 2_000);
  assert.is(slotsOf(ledger.view, PARAMETER_SLOTS).scheduled.blockTransactionsMax, 2);
  assert.is(ledger.advance(creations(ledger, 3)).header.txCount, 3);
  const { block } = ledger.build(creations(ledger, 3));
  assert.is(block.header.txCount, 2);
  const { timestampMs, proposer } = block.header;
  const over = executeBlock(
    ledger.ledgerState,
    { parent: ledger.parent, timestampMs, proposer },
    creations(ledger, 3),
    ledger.parts,
  );
  assert.equal(over, { kind: 'full', index: 2, cap: 'transactions' });
});

test('how far ahead a transaction may be valid follows at the same height', () => {
  const ledger = new SampleLedger();
  ledger.advance([change(ledger, { maxValidityMs: 60_000 })]);
  const far = (stepMs: number) => {
    salts += 1;
    const validUntilMs = ledger.parent.timestampMs + 1_000 + stepMs;
    return ledger.transaction(createAction(), [doctor, north], { salt: `far ${salts}`, validUntilMs });
  };
  ledger.advance([far(600_000)]);
  assert.is(ledger.verdict(far(60_001)), 'validityTooFar');
  assert.is(ledger.verdict(far(60_000)), 'applied');
});

test('an id applied under a longer validity is remembered until it expires, whatever the parameters are then', () => {
  const ledger = new SampleLedger();
  const early = ledger.transaction(createAction(), [doctor, north], {
    validUntilMs: ledger.parent.timestampMs + 600_000,
  });
  ledger.advance([early, change(ledger, { maxValidityMs: 60_000 })]);
  ledger.advance();
  // Long after its 60 seconds, and within 60 seconds of its own end: only its memory keeps it out.
  const timestampMs = early.transaction.validUntilMs - 30_000;
  assert.is(ledger.verdict(early, timestampMs), 'duplicateId');
});

test('one change is in flight: none in the same block, none in the next, one in the block after that', () => {
  const ledger = new SampleLedger();
  const { block, refused } = ledger.build([
    change(ledger, { heartbeatMs: 1_000 }),
    change(ledger, { heartbeatMs: 2_000 }),
  ]);
  assert.is(block.header.txCount, 1);
  assert.is(refused[0]?.rejection.code, 'parameterChangeInFlight');
  ledger.commit(block);
  assert.is(verdict(ledger, { heartbeatMs: 3_000 }), 'parameterChangeInFlight');
  ledger.advance();
  assert.is(verdict(ledger, { heartbeatMs: 3_000 }), 'applied');
});

test('of two changes approved side by side the second is refused, as it follows what is no more', () => {
  const ledger = new SampleLedger();
  const first = change(ledger, { heartbeatMs: 1_000 });
  const second = change(ledger, { viewTimeoutMs: 2_000 });
  ledger.advance([first]);
  ledger.advance();
  assert.is(ledger.verdict(second), 'parametersConflict');
  assert.is(slotsOf(ledger.view, PARAMETER_SLOTS).current.heartbeatMs, 1_000);
});

test('each bound is held at the bound', () => {
  const ledger = new SampleLedger();
  for (const name of PARAMETER_NAMES) {
    const [least, , most] = PARAMETER_BOUNDS[name];
    // What is no unsigned integer has no encoding at all.
    for (const value of [least - 1, most + 1])
      if (value >= 0 && value <= Number.MAX_SAFE_INTEGER && name !== 'protocolVersion')
        assert.is(verdict(ledger, { [name]: value }), 'invalidAction', `${name} ${value}`);
  }
  assert.is(verdict(ledger, { viewTimeoutMaxMs: 999 }), 'invalidAction');
  assert.is(verdict(ledger, {}), 'invalidAction');
});

test('a change takes nothing so low that it could not be taken back; who was founded lower stays there', () => {
  const ledger = new SampleLedger();
  const low = new SampleLedger(genesisDocument({ viewTimeoutMs: 20, viewTimeoutMaxMs: 200, maxValidityMs: 20_000 }));
  for (const [name, least] of Object.entries(LEAST_BY_CHANGE)) {
    assert.is(verdict(ledger, { [name]: least - 1 }), 'invalidAction', name);
    assert.is(verdict(ledger, { [name]: least }), 'applied', name);
    assert.is(verdict(low, { [name]: 19_000 - (name === 'viewTimeoutMaxMs' ? 18_900 : 0) }), 'invalidAction', name);
  }
  assert.is(verdict(low, { heartbeatMs: 500 }), 'applied');
  assert.is(verdict(low, { viewTimeoutMaxMs: 300 }), 'applied');
});

test('two thirds of the members and the regulator approve, nobody less', () => {
  const ledger = new SampleLedger();
  assert.is(verdict(ledger, { heartbeatMs: 1_000 }, hospitals.slice(0, 3)), 'unsigned');
  assert.is(verdict(ledger, { heartbeatMs: 1_000 }, [north, east, regulator]), 'unsigned');
  assert.is(verdict(ledger, { heartbeatMs: 1_000 }, [...APPROVERS, doctor]), 'surplusSignature');
  assert.is(verdict(ledger, { heartbeatMs: 1_000 }), 'applied');
});

test('a ledger that was founded before the action asks for it what it asks for the end of a seat', () => {
  const whole = genesisDocument();
  const document = { ...whole, requirements: whole.requirements.slice(0, 7) };
  const fault = (count: number) =>
    genesisFault({ ...whole, requirements: whole.requirements.slice(0, count) }, () => undefined);
  assert.is(fault(7), undefined);
  assert.match(fault(6) ?? '', /must stand for/);
  const ledger = new SampleLedger(document);
  assert.is(verdict(ledger, { heartbeatMs: 1_000 }, hospitals.slice(0, 3)), 'unsigned');
  assert.is(verdict(ledger, { heartbeatMs: 1_000 }), 'applied');
});

test('documents of the first builds keep their bytes: version 1 is left out, a later one is not', () => {
  assert.is(encode(parametersSchema, DEFAULT_PARAMETERS)[0], 0x8c);
  const later = { ...DEFAULT_PARAMETERS, protocolVersion: 2, protocolVersionFrom: 9 };
  assert.is(encode(parametersSchema, later)[0], 0x8e);
  const document = genesisDocument();
  assert.equal(decodeGenesis(encodeGenesis(document)), document);
  const spelled = Object.values(DEFAULT_PARAMETERS);
  assert.throws(() => parametersSchema.fromItem(spelled, 'parameters'), /left out/);
  assert.match(
    genesisFault(genesisDocument({ protocolVersion: 2 }), () => undefined) ?? '',
    /this build knows 1: update it/,
  );
  assert.match(
    genesisFault(genesisDocument({ protocolVersionFrom: 5 }), () => undefined) ?? '',
    /protocolVersionFrom is not 0/,
  );
});

test('a version is announced one at a time, for a height not reached yet, whatever this build knows', () => {
  const ledger = new SampleLedger();
  const fromHeight = ledger.parent.height + 3;
  assert.is(verdict(ledger, { protocolVersion: 2, protocolVersionFrom: fromHeight - 1 }), 'versionOutOfTurn');
  assert.is(verdict(ledger, { protocolVersion: 3, protocolVersionFrom: 100 }), 'versionOutOfTurn');
  assert.is(verdict(ledger, { protocolVersionFrom: 100 }), 'invalidAction');
  assert.is(verdict(ledger, { protocolVersion: 2, protocolVersionFrom: fromHeight }), 'applied');
});

test('what is announced can be put off and taken back until it is in force, and other parameters change meanwhile', () => {
  const ledger = ledgerKnowing(2);
  const apply = (values: Partial<Parameters>) => {
    ledger.advance([change(ledger, values)]);
    ledger.advance();
  };
  apply({ protocolVersion: 2, protocolVersionFrom: 6 });
  assert.is(verdict(ledger, { protocolVersion: 3, protocolVersionFrom: 50 }), 'versionOutOfTurn');
  apply({ protocolVersionFrom: 9 });
  apply({ heartbeatMs: 1_000 });
  assert.is(ledger.parent.height, 6);
  assert.is(verdict(ledger, { protocolVersion: 1, protocolVersionFrom: 0 }), 'applied');
  ledger.advance();
  // A change in block 8 counts from 10 on, and 9 is of version 2 then.
  assert.is(verdict(ledger, { protocolVersion: 1, protocolVersionFrom: 0 }), 'versionOutOfTurn');
  assert.is(ledger.advance().header.version, 1);
  assert.is(ledger.advance().header.version, 2);
  assert.is(verdict(ledger, { protocolVersion: 1, protocolVersionFrom: 0 }), 'versionOutOfTurn');
  assert.is(verdict(ledger, { protocolVersionFrom: 200 }), 'versionOutOfTurn');
  assert.is(verdict(ledger, { protocolVersion: 3, protocolVersionFrom: 200 }), 'applied');
});

test('the header of a height has the version in force there, and another one is refused', () => {
  const ledger = ledgerKnowing(2);
  ledger.advance([change(ledger, { protocolVersion: 2, protocolVersionFrom: 3 })]);
  for (const [height, version, other] of [
    [2, 1, 2],
    [3, 2, 1],
  ] as const) {
    const { block } = ledger.build([]);
    assert.equal([block.header.height, block.header.version], [height, version]);
    assert.is(ledger.check(block).kind, 'valid');
    const check = ledger.check(block, { version: other });
    assert.is(check.kind === 'invalid' && check.fault.code, 'version');
    ledger.commit(block);
  }
});

test('a build that does not know a version agrees on every block before it, and neither makes nor judges one of it', () => {
  const [old, young] = [new SampleLedger(), ledgerKnowing(2)];
  for (const ledger of [old, young]) {
    const expected = DEFAULT_PARAMETERS;
    const parameters = { ...expected, protocolVersion: 2, protocolVersionFrom: 4 };
    const action: ParametersSet = { kind: 'parameters.set', expected, parameters };
    ledger.advance([ledger.transaction(action, APPROVERS, { salt: 'announced' })]);
    ledger.advance();
    ledger.advance();
  }
  assert.is(toHex(old.parent.hash), toHex(young.parent.hash));
  assert.throws(() => old.build([]), /block 4 is of protocol version 2: update the node/);
  const check = old.check(young.build([]).block);
  assert.match(check.kind === 'invalid' ? check.fault.detail : '', /this build knows 1: update the node/);
});

test('whatever is announced and taken back, the versions of a ledger rise one by one and every height has one', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 14 })), { maxLength: 12 });
  fc.assert(
    fc.property(steps, (changes) => {
      const ledger = ledgerKnowing(9);
      const announced = new Map<number, number>();
      let last = 1;
      for (const [protocolVersion, protocolVersionFrom] of changes) {
        const transaction = change(ledger, { protocolVersion: protocolVersion + 1, protocolVersionFrom });
        const { block } = ledger.build([transaction]);
        const { height, version } = block.header;
        assert.ok(version === last || version === last + 1, `${version} after ${last}`);
        assert.is(version, announced.get(height) ?? version);
        last = version;
        ledger.commit(block);
        const { current } = slotsOf(ledger.view, PARAMETER_SLOTS);
        announced.set(height + 1, protocolVersionAt(current, height + 1));
      }
    }),
    { numRuns: 40 },
  );
});

test.run();
