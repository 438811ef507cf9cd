import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from '../../src/consensus/journal-record.ts';
import type { ViewChange } from '../../src/consensus/messages.ts';
import { journalVerdict } from '../../src/consensus/recovery.ts';
import { maySign } from '../../src/consensus/state.ts';
import { Bench, kindsOf } from './bench.ts';

const hash = new Uint8Array(32);
const birth: JournalRecord = { kind: 'Birth' };
const truncated = (height: number): JournalRecord => ({ kind: 'Truncated', height, blockHash: hash });

test('journal verdict: a birth record alone and an empty store is fresh, everything else unmatched is amnesia', () => {
  assert.is(journalVerdict([birth], 0, 0), 'fresh');
  assert.is(journalVerdict([birth], 1, 0), 'amnesia');
  assert.is(journalVerdict([], 0, 0), 'amnesia');
  assert.is(journalVerdict([truncated(7)], 7, 0), 'intact');
  assert.is(journalVerdict([truncated(7)], 8, 0), 'intact');
  assert.is(journalVerdict([truncated(7)], 9, 0), 'amnesia');
  assert.is(journalVerdict([truncated(9)], 7, 0), 'intact');
});

test('amnesia: T is the highest tip of n + f + 1 − q validators other than ourselves', () => {
  const bench = new Bench({ n: 4, journal: 'amnesia' });
  assert.ok(kindsOf(bench.started).includes('AskTips'));
  bench.give({ kind: 'TipShown', peer: bench.keyOf(0), height: 99 });
  bench.give({ kind: 'TipShown', peer: bench.keyOf(1), height: 10 });
  assert.is(bench.core.silence.through, 0);
  assert.not(maySign(bench.core));
  bench.give({ kind: 'TipShown', peer: bench.keyOf(2), height: 9 });
  assert.is(bench.core.silence.through, 0);
  bench.give({ kind: 'TipShown', peer: bench.keyOf(3), height: 0 });
  assert.is(bench.core.silence.through, 12);
  assert.not(maySign(bench.core));
});

test('amnesia of one who is at T: heights T + 1 and T + 2 are silent, T + 3 is not', () => {
  const bench = new Bench({ n: 4, journal: 'amnesia', context: { height: 11 } });
  for (const peer of [1, 2, 3]) bench.give({ kind: 'TipShown', peer: bench.keyOf(peer), height: 10 });
  const certificate = bench.certificate(0);
  assert.not(maySign(bench.core));
  bench.give({ kind: 'Applied', context: { ...bench.context, height: 12 }, certificate });
  assert.not(maySign(bench.core));
  bench.give({ kind: 'Applied', context: { ...bench.context, height: 13 }, certificate });
  assert.ok(maySign(bench.core));
});

test('amnesia outlives a restart until its heights are past', () => {
  const bench = new Bench({ n: 4, context: { height: 11 } });
  const found = bench.receive(0, 'Prepare view=0 block=X');
  const records = found.flatMap((effect) => (effect.kind === 'Persist' ? effect.records : []));
  assert.is(journalVerdict([truncated(10), ...records], 10, 0), 'amnesia');
  assert.is(journalVerdict([...records, truncated(13)], 13, 0), 'intact');
  for (const peer of [1, 2, 3]) bench.give({ kind: 'TipShown', peer: bench.keyOf(peer), height: 10 });
  const certificate = bench.certificate(0);
  const truncates = [12, 13].map((height) =>
    kindsOf(bench.give({ kind: 'Applied', context: { ...bench.context, height }, certificate })).includes('Truncate'),
  );
  assert.equal(truncates, [false, true]);
});

test('amnesia with n ≤ 2 ends by the operator alone, and loudly', () => {
  const bench = new Bench({ n: 2, journal: 'amnesia' });
  bench.give({ kind: 'TipShown', peer: bench.keyOf(1), height: 0 });
  assert.not(maySign(bench.core));
  const overridden = new Bench({ n: 2, journal: 'override' });
  assert.ok(maySign(overridden.core));
  assert.ok(overridden.started.some((effect) => effect.kind === 'Report' && effect.level === 'alarm'));
});

test('a store older than its journal signs nothing at heights that the journal has cut', () => {
  const bench = new Bench({ n: 1, records: [truncated(5)], context: { height: 5 } });
  assert.not(maySign(bench.core));
  assert.ok(maySign(new Bench({ n: 1, records: [truncated(5)], context: { height: 6 } }).core));
});

test('slots of heights above the store stay filled until they are reached', () => {
  const message = new Bench({ n: 1, context: { height: 7 } }).forge(0, 'ViewChange view=4') as ViewChange;
  const bench = new Bench({ n: 1, records: [birth, { kind: 'ViewChanged', message }], context: { height: 6 } });
  assert.is(bench.core.height.view, 0);
  bench.give({ kind: 'Applied', context: { ...bench.context, height: 7 }, certificate: bench.certificate(0) });
  assert.is(bench.core.height.view, 4);
});

test('a prepared certificate of a lower view never replaces one of a higher, after a restart neither', () => {
  const bench = new Bench({ n: 4 });
  const records = [3, 1].map((view): JournalRecord => ({ kind: 'Prepared', certificate: bench.certificate(view) }));
  const restarted = new Bench({ n: 4, records: [birth, ...records] });
  assert.is(restarted.core.height.prepared?.view, 3);
});

test('views never go back after a restart', () => {
  const message = new Bench({ n: 4 }).forge(0, 'ViewChange view=6') as ViewChange;
  const bench = new Bench({ n: 4, records: [birth, { kind: 'ViewChanged', message }] });
  assert.is(bench.core.height.view, 6);
  bench.receive(1, 'PrePrepare view=0 block=A');
  assert.is(bench.core.height.view, 6);
  assert.is(bench.core.height.held, null);
});

test('journal records survive their encoding', () => {
  const bench = new Bench({ n: 4 });
  const message = bench.forge(0, 'ViewChange view=1 prepared=0/A signers=0,1,2') as ViewChange;
  for (const record of [birth, truncated(3), { kind: 'Amnesia' } as const, { kind: 'ViewChanged', message } as const])
    assert.equal(decodeJournalRecord(encodeJournalRecord(record)), record);
});

test.run();
