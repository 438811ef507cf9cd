// Loaded into a node by --import: every sync and every batch of the ledger store takes longer, as on a slow disk.
// SLOW_DISK_MS is LEAST-MOST, in milliseconds.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Level } from 'level';

const [leastMs, mostMs] = process.env['SLOW_DISK_MS']!.split('-').map(Number) as [number, number];

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, leastMs + Math.random() * (mostMs - leastMs)));
}

type SyncCall = (fd: number, done: fs.NoParamCallback) => void;

function slowed(sync: SyncCall): SyncCall {
  return (fd, done) => sync(fd, (error) => void pause().then(() => done(error)));
}

interface ChainedBatch {
  _write(options: object): Promise<void>;
}
interface LevelInside {
  _chainedBatch(): ChainedBatch;
}

Object.assign(fs, { fsync: slowed(fs.fsync), fdatasync: slowed(fs.fdatasync) });
syncBuiltinESMExports();

const level = Level.prototype as unknown as LevelInside;
const makeBatch = level._chainedBatch;
level._chainedBatch = function (this: LevelInside) {
  const batch = makeBatch.call(this);
  const write = batch._write;
  batch._write = async function (this: ChainedBatch, options) {
    await write.call(this, options);
    await pause();
  };
  return batch;
};
