// The log says that nothing commits, seldom, and that commits go on.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StallLog } from '../../src/node/stall-log.ts';

/** A node that was told nothing yet: `line` after each look, with T0 of a second. */
function watched() {
  const now = { ms: 100_000, pending: 0, committedMs: 100_000 as number | null };
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  const stallLog = new StallLog({
    viewTimeoutMs: () => 1_000,
    height: () => 7,
    transactionsPending: () => now.pending,
    lastCommitAgeMs: () => (now.committedMs === null ? null : now.ms - now.committedMs),
    explanation: () => ['because'],
    nowMs: () => now.ms,
    log: { info: write('info'), warn: write('warn') } as never,
  });
  /** Looks each second for so long; what was written meanwhile. */
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      now.ms += 1_000;
      stallLog.look();
    }
    return lines.splice(0);
  };
  return { now, pass };
}

test('an idle ledger stalls nothing, and what comes after long idling has its time', () => {
  const { now, pass } = watched();
  assert.equal(pass(60), []);
  now.pending = 1;
  assert.equal(pass(4), []);
});

test('a stall is told after three timeouts, again each half minute, and its end once', () => {
  const { now, pass } = watched();
  now.pending = 2;
  assert.equal(pass(4), []);
  const told = (stalledMs: number) =>
    `warn nothing commits {"height":7,"pending":2,"stalledMs":${stalledMs},"explanation":["because"]}`;
  assert.equal(pass(1), [told(4_000)]);
  assert.equal(pass(29), []);
  assert.equal(pass(1), [told(34_000)]);
  now.committedMs = now.ms;
  assert.equal(pass(1), ['info commits go on {"height":7,"stalledMs":34000}']);
  now.pending = 0;
  assert.equal(pass(60), []);
});

test('each commit gives the rest its time anew', () => {
  const { now, pass } = watched();
  now.pending = 1;
  for (let block = 0; block < 20; block += 1) {
    assert.equal(pass(3), []);
    now.committedMs = now.ms;
  }
});

test('before the first commit of the process the stall begins with what waits', () => {
  const { now, pass } = watched();
  now.committedMs = null;
  now.pending = 1;
  assert.equal(pass(4), []);
  assert.equal(pass(1).length, 1);
});

test.run();
