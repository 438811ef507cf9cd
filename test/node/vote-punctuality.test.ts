// Whose COMMIT comes late or not at all, over the last 32 heights.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VotePunctuality } from '../../src/node/vote-punctuality.ts';

const key = (n: number) => new Uint8Array(32).fill(n);
const KEYS = [0, 1, 2, 3].map(key);

/** Heights decided by validators 0 to 2; what the last one does is up to the test. */
function watched() {
  const clock = { ms: 1_000 };
  const punctuality = new VotePunctuality(() => clock.ms);
  const decide = (height: number, keys = KEYS) => {
    for (const signer of [0, 1, 2]) punctuality.voted(height, keys[signer]!);
    punctuality.decided(height, keys, [0, 1, 2]);
  };
  return { clock, punctuality, decide };
}

test('nothing is known before a height was decided', () => {
  const { punctuality } = watched();
  assert.equal(punctuality.of(KEYS[0]!), { lagMs: null, missedHeights: 0 });
});

test('a vote within the quorum has no lag, one after the decision that of its coming', () => {
  const { clock, punctuality, decide } = watched();
  decide(1);
  clock.ms += 70;
  punctuality.votedLate(1, 3, KEYS[3]!);
  assert.equal(punctuality.of(KEYS[0]!), { lagMs: 0, missedHeights: 0 });
  assert.equal(punctuality.of(KEYS[3]!), { lagMs: 70, missedHeights: 0 });
});

test('a vote beyond the quorum that came before the decision was seen is not late', () => {
  const { punctuality, decide } = watched();
  punctuality.voted(1, KEYS[3]!);
  decide(1);
  assert.is(punctuality.of(KEYS[3]!).lagMs, 0);
});

test('a vote that comes again does not count again, and a verified one after the decision counts as late', () => {
  const { clock, punctuality, decide } = watched();
  decide(1);
  clock.ms += 20;
  punctuality.voted(1, KEYS[3]!);
  clock.ms += 500;
  punctuality.votedLate(1, 3, KEYS[3]!);
  punctuality.votedLate(1, 0, KEYS[0]!);
  assert.is(punctuality.of(KEYS[3]!).lagMs, 20);
  assert.is(punctuality.of(KEYS[0]!).lagMs, 0);
});

test('a late vote counts only where its signer brought it, for a height that is known', () => {
  const { punctuality, decide } = watched();
  decide(1);
  punctuality.votedLate(1, 3, KEYS[2]!);
  punctuality.votedLate(1, 3, key(9));
  punctuality.votedLate(2, 3, KEYS[3]!);
  punctuality.votedLate(1, 200, KEYS[3]!);
  assert.is(punctuality.of(KEYS[3]!).lagMs, null);
});

test('the lag is the median of the heights voted at', () => {
  const { clock, punctuality, decide } = watched();
  for (const [height, lagMs] of [10, 5_000, 30].entries()) {
    decide(height + 1);
    clock.ms += lagMs;
    punctuality.votedLate(height + 1, 3, KEYS[3]!);
  }
  assert.is(punctuality.of(KEYS[3]!).lagMs, 30);
});

test('a height is missed once the next is decided, and no more when the vote comes after all', () => {
  const { clock, punctuality, decide } = watched();
  decide(1);
  assert.is(punctuality.of(KEYS[3]!).missedHeights, 0);
  decide(2);
  assert.is(punctuality.of(KEYS[3]!).missedHeights, 1);
  clock.ms += 300;
  punctuality.votedLate(1, 3, KEYS[3]!);
  assert.equal(punctuality.of(KEYS[3]!), { lagMs: 300, missedHeights: 0 });
});

test('only the last 32 heights count', () => {
  const { punctuality, decide } = watched();
  for (let height = 1; height <= 100; height += 1) decide(height);
  assert.is(punctuality.of(KEYS[3]!).missedHeights, 31);
  punctuality.votedLate(68, 3, KEYS[3]!);
  assert.is(punctuality.of(KEYS[3]!).lagMs, null, 'height 68 is forgotten');
  punctuality.votedLate(69, 3, KEYS[3]!);
  assert.equal(punctuality.of(KEYS[3]!), { lagMs: 0, missedHeights: 30 });
});

test('a rotated key starts anew', () => {
  const { punctuality, decide } = watched();
  for (const height of [1, 2, 3]) decide(height);
  const rotated = KEYS.with(3, key(8));
  assert.equal(punctuality.of(KEYS[3]!), { lagMs: null, missedHeights: 2 });
  decide(4, rotated);
  assert.equal(punctuality.of(rotated[3]!), { lagMs: null, missedHeights: 0 });
  decide(5, rotated);
  assert.equal(punctuality.of(rotated[3]!), { lagMs: null, missedHeights: 1 });
});

test('a height whose votes did not come here says nothing about anybody', () => {
  const { punctuality, decide } = watched();
  punctuality.decided(1, KEYS, [0, 1, 2]);
  punctuality.voted(2, KEYS[0]!);
  punctuality.decided(2, KEYS, [0, 1, 2]);
  decide(3);
  assert.is(punctuality.of(KEYS[1]!).missedHeights, 0);
  assert.is(punctuality.of(KEYS[3]!).missedHeights, 0);
});

test('votes for heights that are never decided here do not pile up, and do not hide the current one', () => {
  const { punctuality, decide } = watched();
  for (let height = 1; height <= 1_000; height += 1) punctuality.voted(height, KEYS[3]!);
  decide(1_001);
  decide(1_002);
  assert.equal(punctuality.of(KEYS[0]!), { lagMs: 0, missedHeights: 0 });
  assert.is(punctuality.of(KEYS[3]!).missedHeights, 1);
});

test.run();
