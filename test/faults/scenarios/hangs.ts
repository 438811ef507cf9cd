import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tearJournal } from '../../cluster/torn-journal.ts';
import { assertInterruption, caughtUp, PATIENCE_MS, pause, type Trial } from '../trial.ts';

const FROZEN_MS = 25_000;

/** A node that hangs for longer than pings and view timeouts last, and then goes on as if nothing had been. */
export async function hang(trial: Trial): Promise<string> {
  const { cluster, load, numbers, prng } = trial;
  const number = prng.pick(numbers);
  const frozenMs = performance.now();
  cluster.signal(number, 'SIGSTOP');
  await pause(FROZEN_MS);
  cluster.signal(number, 'SIGCONT');
  const gapMs = assertInterruption(load, frozenMs);
  const caughtUpMs = await caughtUp(trial, number);
  await load.more(30, PATIENCE_MS);
  return `SIGSTOP for ${FROZEN_MS / 1_000} s: gap ${gapMs.toFixed(0)} ms, caught up in ${caughtUpMs.toFixed(0)} ms`;
}

/** All nodes die at once, one of them in the middle of an append to its journal: they go on from their disks. */
export async function killAll(trial: Trial): Promise<string> {
  const { cluster, load, numbers, prng } = trial;
  await cluster.kill();
  const { folder, logFile } = cluster.nodes[prng.pick(numbers)]!;
  const cutBytes = tearJournal(folder);
  const startedMs = performance.now();
  cluster.start();
  await cluster.ready();
  await load.more(60, PATIENCE_MS);
  const first = load.acknowledged.find(({ atMs }) => atMs > startedMs)!;
  assert.match(readFileSync(logFile, 'utf8'), new RegExp(`"bytes":${cutBytes},"msg":"a torn end of the journal`));
  return `${cutBytes} bytes cut; first commit ${(first.atMs - startedMs).toFixed(0)} ms after the start`;
}
