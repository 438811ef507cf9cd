import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sodiumSigner } from '../src/crypto/node/sign.ts';
import { verifySignature } from '../src/crypto/node/verify.ts';
import { median } from './latency.ts';

/** The machine and the program that a result was measured with. */
export interface Environment {
  readonly commit: string;
  /** Whether files differed from that commit. */
  readonly isModified: boolean;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Load average over one minute when the run began: other work on the machine shows here. */
  readonly loadAverage: number;
  /** Type number of the file system under the data folders (statfs(2)). */
  readonly fileSystem: string;
  /** Median time of a 4 KiB append with fdatasync there, milliseconds. */
  readonly syncMs: number;
  /** Median time of one Ed25519 verification on one thread, microseconds: how fast the processor was just then. */
  readonly verifyMicroseconds: number;
}

const SYNCS = 50;
const VERIFICATIONS = 2_000;

/** Describes this machine, with the disk under `folder`. */
export function describeEnvironment(folder = os.tmpdir()): Environment {
  const git = (...args: string[]) => {
    try {
      return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  };
  return {
    commit: git('rev-parse', 'HEAD'),
    isModified: git('status', '--porcelain') !== '',
    node: process.version,
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    loadAverage: os.loadavg()[0] ?? 0,
    fileSystem: `0x${statfsSync(folder).type.toString(16)}`,
    syncMs: measureSync(folder),
    verifyMicroseconds: measureVerification(),
  };
}

function measureSync(folder: string): number {
  const file = path.join(folder, `medledger-bench-sync-${process.pid}`);
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    const page = Buffer.alloc(4_096, 1);
    const times = Array.from({ length: SYNCS }, () => {
      const begun = performance.now();
      writeSync(descriptor, page);
      fdatasyncSync(descriptor);
      return performance.now() - begun;
    });
    return median(times);
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

function measureVerification(): number {
  const signer = sodiumSigner(new Uint8Array(32));
  const message = new Uint8Array(300);
  const signature = signer.sign(message);
  const times = Array.from({ length: VERIFICATIONS }, () => {
    const begun = performance.now();
    verifySignature(signature, message, signer.publicKey);
    return performance.now() - begun;
  });
  return 1_000 * median(times);
}
