import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { fromBinaryString, toBinaryString } from '../../src/ledger/binary-string.ts';
import { MemoryState } from '../../src/ledger/memory-state.ts';
import {
  FAMILIES,
  patientLogKey,
  requirementKey,
  SINGLE_KEY,
  type StateChange,
  stateKey,
} from '../../src/ledger/state.ts';
import { StateOverlay } from '../../src/ledger/state-overlay.ts';

function id(n: number): Uint8Array {
  return new Uint8Array(32).fill(n);
}

function recentId(n: number, validUntilMs: number | undefined): StateChange {
  const { schema } = FAMILIES.recentId;
  const value = validUntilMs === undefined ? undefined : encode(schema, validUntilMs);
  return { key: stateKey(FAMILIES.recentId, id(n)), value };
}

test('no two families share a code', () => {
  const codes = Object.values(FAMILIES).map(({ code }) => code);
  assert.is(new Set(codes).size, codes.length);
});

test('keys of one family are distinct for distinct things', () => {
  const logs = (['records', 'rights', 'access'] as const).map((log) => toHex(patientLogKey(id(1), log)));
  assert.is(new Set(logs).size, 3);
  assert.is(toHex(requirementKey('record.create', null)), '0002');
  assert.is(toHex(requirementKey('record.create', id(3))), `0002${'03'.repeat(32)}`);
});

test('an overlay reads its own writes and leaves the base as it is', () => {
  const base = new MemoryState();
  base.apply([recentId(1, 100)]);
  const overlay = new StateOverlay(base);
  assert.is(overlay.read(FAMILIES.recentId, id(1)), 100);
  overlay.write(FAMILIES.recentId, id(1), 200);
  overlay.remove(FAMILIES.recentId, id(2));
  assert.is(overlay.read(FAMILIES.recentId, id(1)), 200);
  assert.is(new StateOverlay(base).read(FAMILIES.recentId, id(1)), 100);
  overlay.remove(FAMILIES.recentId, id(1));
  assert.is(overlay.read(FAMILIES.recentId, id(1)), undefined);
  const changes = overlay.changes().map(({ key, value }) => ({ key, value }));
  assert.equal(changes, [recentId(1, undefined), recentId(2, undefined)]);
});

test('what is only read is no change', () => {
  const base = new MemoryState();
  base.apply([recentId(1, 100)]);
  const overlay = new StateOverlay(base);
  overlay.read(FAMILIES.recentId, id(1));
  overlay.read(FAMILIES.members, SINGLE_KEY);
  assert.equal(overlay.changes(), []);
});

test('a damaged value is an error, not an absence', () => {
  const base = new MemoryState();
  base.apply([{ key: stateKey(FAMILIES.account, id(1)), value: Uint8Array.of(0xff) }]);
  assert.throws(
    () => new StateOverlay(base).read(FAMILIES.account, id(1)),
    (error: Error) => error.name === 'DecodeError',
  );
});

test('expired ids are exactly those below the time, in order of expiry and id', () => {
  const operation = fc.tuple(
    fc.integer({ min: 0, max: 9 }),
    fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }),
  );
  void fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 40 }),
      fc.integer({ min: 0, max: 5_001 }),
      (operations, timestampMs) => {
        const state = new MemoryState();
        const model = new Map<number, number>();
        for (const [n, validUntilMs] of operations) {
          state.apply([recentId(n, validUntilMs)]);
          if (validUntilMs === undefined) model.delete(n);
          else model.set(n, validUntilMs);
        }
        const expected = [...model]
          .filter(([, validUntilMs]) => validUntilMs < timestampMs)
          .sort(([a, aMs], [b, bMs]) => aMs - bMs || compareBytes(id(a), id(b)))
          .map(([n]) => id(n));
        assert.equal(state.recentIdsExpiredBefore(timestampMs), expected);
      },
    ),
    { numRuns: 200 },
  );
});

test('bytes as text are the same bytes', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(fromBinaryString(toBinaryString(all)), all);
  assert.is(toBinaryString(all).length, 256);
});

test.run();
