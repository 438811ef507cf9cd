import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { uintBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { blockHash, encodeHeader, HEADER_VERSION } from '../../src/ledger/block.ts';
import { attachmentHash } from '../../src/ledger/transaction.ts';
import type { BlockCommit } from '../../src/storage/block-commit.ts';
import { StorageError, type StorageErrorCode } from '../../src/storage/storage-error.ts';

export const GENESIS_HASH = sha256(Uint8Array.of(1, 2, 3));

/** Runs `body` with a fresh folder that is removed afterwards. */
export async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'medledger-storage-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The StorageError with this code that `action` throws or rejects with. */
export async function storageError(code: StorageErrorCode, action: () => unknown): Promise<StorageError> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, StorageError);
    assert.is((error as StorageError).code, code);
    return error as StorageError;
  }
  return assert.unreachable(`no error ${code}`) as never;
}

/** `count` bytes that follow from `seed` alone. */
export function bytesOf(seed: string, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0, block = 0; at < count; at += 32, block += 1)
    bytes.set(sha256(Buffer.from(`${seed}/${block}`)).subarray(0, count - at), at);
  return bytes;
}

/** Timestamp of the made-up block at a height. */
function timestampOf(height: number): number {
  return 1_700_000_000_000 + height * 1000;
}

/** How many blocks the child commits at once on a tip of this height: 1 to 4. */
export function groupAfter(height: number): number {
  return 1 + (height % 4);
}

/** A made-up block whose every item follows from its height: 3 transactions, valid for 3 seconds. */
export function makeCommit(height: number): BlockCommit {
  const header = Uint8Array.from(
    encodeHeader({
      version: HEADER_VERSION,
      genesisHash: GENESIS_HASH,
      height,
      previousHash: bytesOf(`previous ${height}`, 32),
      timestampMs: timestampOf(height),
      proposer: 0,
      txRoot: bytesOf('tx', 32),
      indexRoot: bytesOf('index', 32),
      stateRoot: bytesOf('state', 32),
      validatorsHash: bytesOf('validators', 32),
      nextValidatorsHash: bytesOf('validators', 32),
      txCount: 3,
      bodyBytes: 600,
      executionCost: 1,
    }),
  );
  const txIds = [0, 1, 2].map((index) => bytesOf(`id ${height}/${index}`, 32));
  const attachment = bytesOf(`attachment ${height}`, 100);
  return {
    height,
    hash: blockHash(header),
    header,
    certificate: bytesOf(`certificate ${height}`, 300),
    transactions: [100, 0, 500].map((length, index) => bytesOf(`body ${height}/${index}`, length)),
    txIds,
    stateChanges: [
      { key: Uint8Array.of(1), value: uintBytes(height, 8) },
      { key: Uint8Array.of(2, height % 256), value: bytesOf(`value ${height}`, 50) },
      { key: Uint8Array.of(2, (height - 1) % 256), value: null },
    ],
    attachments: [{ hash: attachmentHash(attachment), bytes: attachment }],
    wantedAttachments: [],
    disposedAttachments: [],
    indexPages: bytesOf(`pages ${height}`, 700),
  };
}

/** What the children of these tests run. */
export const CHILD_SCRIPT: string = fileURLToPath(new URL('./storage-child.ts', import.meta.url));

/** A process that does one kind of `work` (storage-child.ts) and reports by lines on its standard output. */
export class Child {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly exited: Promise<unknown>;

  constructor(work: string, folder: string) {
    this.process = spawn(process.execPath, [CHILD_SCRIPT, work, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = once(this.process, 'exit');
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  /** The next line, or undefined when the process has closed its output. */
  async line(): Promise<string | undefined> {
    const next = await this.lines.next();
    return next.done === true ? undefined : next.value;
  }

  /** Ends the process as a power switch would, and returns all lines that it had still written. */
  async kill(): Promise<readonly string[]> {
    this.process.kill('SIGKILL');
    const rest: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) rest.push(line);
    await this.exited;
    return rest;
  }
}
