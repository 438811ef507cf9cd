import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
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

function page(n: number, validUntilMs: number | undefined): StateChange {
  const { schema } = FAMILIES.recentIds;
  const value = validUntilMs === undefined ? undefined : encode(schema, { validUntilMs, txIds: id(n) });
  return { key: stateKey(FAMILIES.recentIds, id(n)), value };
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
  base.apply([page(1, 100)]);
  const overlay = new StateOverlay(base);
  const timeOf = (view: StateOverlay) => view.read(FAMILIES.recentIds, id(1))?.validUntilMs;
  assert.is(timeOf(overlay), 100);
  overlay.write(FAMILIES.recentIds, id(1), { validUntilMs: 200, txIds: id(1) });
  overlay.remove(FAMILIES.recentIds, id(2));
  assert.is(timeOf(overlay), 200);
  assert.is(timeOf(new StateOverlay(base)), 100);
  overlay.remove(FAMILIES.recentIds, id(1));
  assert.is(timeOf(overlay), undefined);
  const changes = overlay.changes().map(({ key, value }) => ({ key, value }));
  assert.equal(changes, [page(1, undefined), page(2, undefined)]);
});

test('what is only read, or noted, is no change', () => {
  const base = new MemoryState();
  base.apply([page(1, 100)]);
  const overlay = new StateOverlay(base);
  overlay.read(FAMILIES.recentIds, id(1));
  overlay.read(FAMILIES.members, SINGLE_KEY);
  overlay.noteApplied(id(2));
  assert.equal(overlay.changes(), []);
  assert.equal(
    [1, 2, 3].map((n) => overlay.isRecent(id(n))),
    [true, true, false],
  );
  assert.not(base.isRecent(id(2)));
});

test('a damaged value is an error, not an absence', () => {
  const base = new MemoryState();
  base.apply([{ key: stateKey(FAMILIES.account, id(1)), value: Uint8Array.of(0xff) }]);
  assert.throws(
    () => new StateOverlay(base).read(FAMILIES.account, id(1)),
    (error: Error) => error.name === 'DecodeError',
  );
});

test('bytes as text are the same bytes', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(fromBinaryString(toBinaryString(all)), all);
  assert.is(toBinaryString(all).length, 256);
});

test.run();
