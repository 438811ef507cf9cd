import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { admitMessage } from '../../src/consensus/admission.ts';
import { NEXT_HEIGHT_MESSAGES_MAX } from '../../src/consensus/parameters.ts';
import { Bench, kindsOf } from './bench.ts';

test('the next height keeps eight messages and one proposal of each validator, and hands them on when it is entered', () => {
  const bench = new Bench({ n: 4 });
  for (let view = 0; view < 20; view += 1) bench.receive(3, `Commit height=2 view=${view} block=A`);
  for (const as of [1, 2]) bench.receive(as, 'PrePrepare height=2 view=0 block=A');
  bench.receive(1, 'PrePrepare height=2 view=0 block=A');
  const { next } = bench.core.height;
  assert.is(next.others.get(3)?.messages.length, NEXT_HEIGHT_MESSAGES_MAX);
  assert.is(next.others.size, 1);
  assert.is(next.prePrepares.size, 2);
  bench.give({ kind: 'Applied', context: { ...bench.context, height: 2 }, certificate: bench.certificate(0) });
  // Validator 1 is no primary of height 2; validator 2 is, but A is a block of height 1: that ends view 0.
  assert.is(bench.core.height.view, 1);
  assert.equal([...bench.core.height.commits.keys()], [0, 1, 2, 3]);
  assert.is(bench.core.counters.get('notPrimary'), 1);
});

test('beyond the next height a message says only that we may be behind', () => {
  const bench = new Bench({ n: 4 });
  const message = bench.forge(1, 'Commit height=9 view=0 block=A');
  const admission = admitMessage(bench.core, message);
  assert.ok(admission.kind === 'take' && admission.direct === null);
  const effects = bench.give({ kind: 'Message', from: bench.keyOf(1), message, verified: false });
  assert.equal(kindsOf(effects), ['Behind']);
  assert.is(bench.core.height.next.others.size, 0);
});

test('a message that nobody verified is no vote, even if its height has come near meanwhile', () => {
  const bench = new Bench({ n: 4 });
  for (const height of [1, 2]) {
    const message = bench.forge(1, `Commit height=${height} view=0 block=A`);
    bench.give({ kind: 'Message', from: bench.keyOf(1), message, verified: false });
  }
  assert.is(bench.core.height.commits.size, 0);
  assert.is(bench.core.height.next.others.size, 0);
  assert.is(bench.core.counters.get('unverified'), 2);
});

test('votes are kept for the views around ours only', () => {
  const bench = new Bench({ n: 4 });
  for (let view = 0; view < 50; view += 1) {
    bench.receive(3, `Prepare view=${view} block=A`);
    bench.receive(3, `Commit view=${view} block=A`);
  }
  assert.equal([...bench.core.height.prepares.keys()], [0, 1, 2]);
  assert.equal([...bench.core.height.commits.keys()], [0, 1, 2]);
  for (const as of [1, 2]) bench.receive(as, 'ViewChange view=30');
  for (let view = 0; view < 50; view += 1) {
    bench.receive(3, `Prepare view=${view} block=A`);
    bench.receive(3, `Commit view=${view} block=A`);
  }
  assert.is(bench.core.height.view, 30);
  assert.equal([...bench.core.height.prepares.keys()], [28, 29, 30, 31, 32]);
  assert.is(bench.core.height.commits.size, 19);
});

test('duplicates are told by payload before any signature is verified, an unknown signer too', () => {
  const bench = new Bench({ n: 4 });
  bench.receive(3, 'Prepare view=0 block=A');
  const again = { ...bench.forge(3, 'Prepare view=0 block=A'), signature: new Uint8Array(64).fill(1) };
  assert.equal(admitMessage(bench.core, again), { kind: 'drop', reason: 'duplicate' });
  const unknown = { ...bench.forge(3, 'Prepare view=0 block=A'), signer: 4 } as typeof again;
  assert.equal(admitMessage(bench.core, unknown), { kind: 'drop', reason: 'unknownSigner' });
  const other = admitMessage(bench.core, bench.forge(3, 'Prepare view=0 block=B'));
  assert.is(other.kind, 'take');
});

test('two different votes in one slot are evidence once, and the first one stands', () => {
  const bench = new Bench({ n: 4 });
  bench.receive(3, 'Commit view=0 block=A');
  assert.ok(kindsOf(bench.receive(3, 'Commit view=0 block=B')).includes('Evidence'));
  assert.not(kindsOf(bench.receive(3, 'Commit view=0 block=C')).includes('Evidence'));
  assert.is(bench.core.height.commits.get(0)?.size, 1);
});

test.run();
