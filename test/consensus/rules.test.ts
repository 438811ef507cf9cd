import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import { DEFAULT_PARAMETERS, viewTimeoutMs } from '../../src/consensus/parameters.ts';
import { primaryOf } from '../../src/consensus/state.ts';
import { blockHash, decodeHeader, encodeHeader, HEADER_VERSION } from '../../src/ledger/block.ts';
import { Bench, kindsOf } from './bench.ts';
import { forgeMessage } from './forge.ts';

test('quorum is ⌈(n + f + 1) / 2⌉, not 2f + 1', () => {
  const wanted = [1, 2, 2, 3, 4, 4, 5];
  const actual = wanted.map((_, index) => new Bench({ n: index + 1 }).core.height.quorum);
  assert.equal(actual, wanted);
});

test('the primary is E(h)[(h + v) mod |E(h)|]: skipped validators have no view', () => {
  const { context } = new Bench({ n: 4, context: { height: 10, eligible: [0, 2, 3] } });
  assert.equal(
    [0, 1, 2, 3].map((view) => primaryOf(context, view)),
    [2, 3, 0, 2],
  );
  assert.is(primaryOf({ ...context, height: Number.MAX_SAFE_INTEGER }, 0xffffffff), [0, 2, 3][(1 + 0) % 3]);
});

test('the timeout doubles from T0 and stops at Tmax', () => {
  const timeouts = [0, 1, 2, 3, 4, 5, 0xffffffff].map((view) => viewTimeoutMs(DEFAULT_PARAMETERS, view));
  assert.equal(timeouts, [1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000]);
});

test('stale results of outside work are dropped', () => {
  const bench = new Bench({ n: 4, own: 1 });
  const hash = blockHash(bench.blockA.header);
  bench.give({ kind: 'PendingChanged', height: 1, applicable: true });
  for (const as of [2, 3]) bench.receive(as, 'ViewChange view=1');
  assert.is(bench.core.height.view, 1);
  assert.equal(bench.give({ kind: 'Built', height: 1, view: 0, proposal: bench.blockA }), []);
  assert.equal(bench.give({ kind: 'Validated', height: 1, view: 0, blockHash: hash, result: { kind: 'valid' } }), []);
  assert.equal(bench.give({ kind: 'Built', height: 2, view: 0, proposal: bench.blockA }), []);
  assert.equal(bench.give({ kind: 'Fetched', height: 1, blockHash: hash, proposal: bench.blockA }), []);
  assert.equal(bench.give({ kind: 'Timeout', timer: 'view', token: 1 }), []);
  assert.equal(bench.give({ kind: 'Synced', token: 12345 }), []);
  assert.is(bench.core.height.prepare, null);
});

test('a fresh block of an unknown version ends no view: this build may be the old one', () => {
  const bench = new Bench({ n: 4 });
  const header = encodeHeader({ ...decodeHeader(bench.blockA.header), version: HEADER_VERSION + 1 });
  const message = forgeMessage(bench.validators, 1, 1, ['PrePrepare', 'view=0'], () => ({ ...bench.blockA, header }));
  const effects = bench.give({ kind: 'Message', from: bench.keyOf(1), message, verified: true });
  assert.is(bench.core.height.view, 0);
  assert.equal(kindsOf(effects), ['Report', 'SetTimer', 'SetTimer']);
  assert.ok(effects[0]?.kind === 'Report' && effects[0].detail === 'unknownVersion');
});

test('STATUS goes out at the start, to who connects, and every five seconds', () => {
  const bench = new Bench({ n: 4 });
  const statuses = (effects: readonly Effect[]) =>
    effects.filter((effect) => 'message' in effect && effect.message.kind === 'Status').map(({ kind }) => kind);
  assert.equal(statuses(bench.started), ['Broadcast']);
  assert.equal(statuses(bench.give({ kind: 'Connected', peer: bench.keyOf(2) })), ['Send']);
  const timer = bench.started.find((effect) => effect.kind === 'SetTimer' && effect.timer === 'status');
  assert.ok(timer?.kind === 'SetTimer' && timer.afterMs === 5_000);
  const later = bench.give({ kind: 'Timeout', timer: 'status', token: timer.token });
  assert.equal(statuses(later), ['Broadcast']);
  assert.ok(later.some((effect) => effect.kind === 'SetTimer' && effect.timer === 'status'));
});

test('an observer follows decisions and signs nothing', () => {
  const bench = new Bench({ n: 4, own: null });
  bench.give({ kind: 'PendingChanged', height: 1, applicable: true });
  bench.receive(1, 'PrePrepare view=0 block=A');
  const hash = blockHash(bench.blockA.header);
  bench.give({ kind: 'Validated', height: 1, view: 0, blockHash: hash, result: { kind: 'valid' } });
  for (const as of [0, 1]) assert.equal(bench.receive(as, 'Commit view=0 block=A'), []);
  const decided = bench.receive(2, 'Commit view=0 block=A');
  assert.equal(kindsOf(decided), ['Decide']);
  assert.ok(decided[0]?.kind === 'Decide' && toHex(decided[0].blockHash) === toHex(hash));
});

test('a prepare quorum never stands as a commit quorum', () => {
  const bench = new Bench({ n: 4 });
  const certificate = bench.certificate(0);
  const effects = bench.give({
    kind: 'Message',
    from: bench.keyOf(1),
    message: { kind: 'Decided', certificate },
    verified: false,
  });
  assert.equal(effects, []);
  assert.is(bench.core.counters.get('badCertificate/signature'), 1);
});

test.run();
