import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from '../../../src/storage/data-folder.ts';
import { isInsideWorld } from '../namespace-network.ts';
import { slowDisk } from '../preload.ts';
import { assertInterruption, caughtUp, PATIENCE_MS, type Trial } from '../trial.ts';

/** Size of the disk that is to fill up, and what is left of it when the rest is taken. */
const DISK_BYTES = 96 * 2 ** 20;
const LEFT_BYTES = 192 * 1024;
/** How far files may grow beyond the journal's length where the limit is one of file sizes. */
const GROWTH_BYTES = 64 * 1024;
/** POSIX: the unit of `ulimit -f`. */
const LIMIT_UNIT_BYTES = 512;

/** One node with a slow disk keeps nobody back; all of them slow: slower, and on. */
export async function slowDisks(trial: Trial): Promise<string> {
  const { cluster, load, numbers, prng } = trial;
  const slow = prng.pick(numbers);
  assert.deepEqual(await cluster.terminate([slow]), [0]);
  cluster.start([slow], slowDisk(200, 300));
  await cluster.ready([slow]);
  const oneMs = performance.now();
  await load.more(200, PATIENCE_MS);
  const oneRate = 200_000 / (performance.now() - oneMs);
  const gapMs = assertInterruption(load, oneMs);
  await caughtUp(trial, slow);
  for (const number of numbers) {
    assert.deepEqual(await cluster.terminate([number]), [0]);
    cluster.start([number], slowDisk(50, 150));
    await cluster.ready([number]);
  }
  const allMs = performance.now();
  await load.more(100, PATIENCE_MS);
  const allRate = 100_000 / (performance.now() - allMs);
  return `one at 200–300 ms a sync: ${oneRate.toFixed(0)} tx/s, gap ${gapMs.toFixed(0)} ms; all at 50–150 ms: ${allRate.toFixed(0)} tx/s`;
}

/** A node whose disk fills up stops with an error, signs nothing more, and comes back once there is room. */
export async function fullDisk(trial: Trial): Promise<string> {
  const { cluster, load, numbers, prng } = trial;
  const number = prng.pick(numbers);
  assert.deepEqual(await cluster.terminate([number]), [0]);
  const startMs = performance.now();
  const disk = isInsideWorld() ? mountedDisk(trial, number) : limitedFiles(trial, number);
  const status = await disk.fill();
  assert.equal(status, 1, `a node with a full disk ended with ${status}`);
  assertComplaint(cluster.nodes[number]!.logFile, disk.complaint);
  await load.more(60, PATIENCE_MS);
  const gapMs = assertInterruption(load, startMs);
  disk.free();
  cluster.start([number]);
  await cluster.ready([number]);
  const caughtUpMs = await caughtUp(trial, number);
  await load.more(60, PATIENCE_MS);
  return `${disk.name}: exit status 1, gap ${gapMs.toFixed(0)} ms; with room again it caught up in ${caughtUpMs.toFixed(0)} ms`;
}

interface Disk {
  readonly name: string;
  /** What the cause of its end is called. */
  readonly complaint: RegExp;
  /** Takes the room away from a stopped node that it starts; resolves with the exit status that follows. */
  fill(): Promise<number | null>;
  free(): void;
}

/** A small file system of its own for the node's data, filled by a file of nobody's. */
function mountedDisk({ cluster, cleanups, load }: Trial, number: number): Disk {
  const { folder } = cluster.nodes[number]!;
  const copy = `${folder}.copy`;
  const ballast = path.join(folder, 'ballast');
  execFileSync('cp', ['--archive', folder, copy]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'tmpfs', folder]);
  cleanups.push(() => execFileSync('umount', ['--lazy', folder]));
  execFileSync('cp', ['--archive', `${copy}/.`, folder]);
  rmSync(copy, { recursive: true });
  return {
    name: 'ENOSPC on a file system of its own',
    complaint: /ENOSPC|No space left/,
    async fill() {
      cluster.start([number]);
      await cluster.ready([number]);
      await load.more(20, PATIENCE_MS);
      const exit = cluster.exit(number);
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize - LEFT_BYTES));
      return exit;
    },
    free: () => rmSync(ballast),
  };
}

/** A limit on the length of files, for which no privileges are needed: the journal soon reaches it. */
function limitedFiles({ cluster }: Trial, number: number): Disk {
  const { size } = statSync(dataFolder(cluster.nodes[number]!.folder).journal);
  const limit = Math.ceil((size + GROWTH_BYTES) / LIMIT_UNIT_BYTES);
  return {
    name: 'EFBIG by a limit on file sizes',
    complaint: /EFBIG|File too large/,
    fill() {
      cluster.start([number], { prefix: ['sh', '-c', `ulimit -f ${limit}; exec "$0" "$@"`] });
      return cluster.exit(number);
    },
    free: () => undefined,
  };
}

/** The last thing of weight that a node wrote says what failed, why, and what to do. */
function assertComplaint(logFile: string, cause: RegExp): void {
  const fatal = readFileSync(logFile, 'utf8')
    .split('\n')
    .findLast((line) => line.startsWith('{"level":60'));
  assert(fatal !== undefined, 'it ended without a word');
  const { err } = JSON.parse(fatal) as { err: { code: string; message: string } };
  assert.equal(err.code, 'WriteFailed');
  assert.match(err.message, cause);
  assert.match(err.message, /Free space/);
}
