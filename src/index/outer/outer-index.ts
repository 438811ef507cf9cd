import { Worker } from 'node:worker_threads';
import { OuterIndexError } from './outer-index-error.ts';
import type { OuterPage, OuterQuery } from './query.ts';
import { APPLY_BLOCKS_MAX, type AppliedBlock, type BlockRows, type RecordPosition } from './rows.ts';
import {
  OPENED_ID,
  REQUESTS_MAX,
  type ReplyMessage,
  type RequestMessage,
  type WorkerAnswers,
  type WorkerRequest,
  type WorkerStart,
} from './worker-protocol.ts';

/**
 * The searchable projection of the chain in one SQLite file. Never trusted: its hits are positions that the node
 * re-reads and verifies. Every method rejects with an OuterIndexError. Requests are answered in the order of the
 * calls; at most REQUESTS_MAX wait (`busy`).
 */
export interface OuterIndex {
  /** Highest height whose rows are in the file; 0 before the first. */
  appliedHeight(): Promise<number>;
  /**
   * Applies consecutive blocks, at most APPLY_BLOCKS_MAX, in one SQL transaction together with the mark that they are
   * applied: all or nothing, and durable once resolved. Blocks already applied are skipped, so that repeating after a
   * crash applies each exactly once. Rejects with `gap` when a height is left out, and with `diverged` when an applied
   * height had another hash. More blocks at once are a RangeError.
   */
  apply(blocks: readonly BlockRows[]): Promise<void>;
  /** One page of the records that match. Rejects with `query` or `cursor` when these are not well formed. */
  query(query: OuterQuery): Promise<OuterPage>;
  /**
   * Where each version of a record was made, ascending by version; empty when the record is unknown or disposed of.
   * At most RECORD_POSITIONS_MAX, the newest: of a longer history the oldest are left out. Rejects with `query` unless
   * the id has its 16 bytes.
   */
  recordPositions(recordId: Uint8Array): Promise<readonly RecordPosition[]>;
  /** Deletes everything, for building anew from height 1, or from the height after `start`. */
  reset(start?: AppliedBlock): Promise<void>;
  /** Closes the file and ends the thread; what was asked before is still answered. */
  close(): Promise<void>;
}

/** How to open an index. */
export interface OuterIndexOptions {
  /** True to start with an empty index whatever is in the file, damaged or not: what `medledger reindex` does. */
  readonly fresh?: boolean;
}

/**
 * Opens the index in `file`, creating it readable by its owner alone, in a thread of its own. Rejects with `corrupt`
 * or `schema` when the file can not be used, with `locked` when another process uses it.
 */
export async function openOuterIndex(file: string, options: OuterIndexOptions = {}): Promise<OuterIndex> {
  const start: WorkerStart = { file, fresh: options.fresh ?? false };
  const thread = new IndexThread(start);
  await thread.opened;
  let closing: Promise<void> | undefined;
  return {
    appliedHeight: () => thread.ask({ kind: 'appliedHeight' }),
    async apply(blocks) {
      if (blocks.length > APPLY_BLOCKS_MAX)
        throw new RangeError(`at most ${APPLY_BLOCKS_MAX} blocks are applied at once, not ${blocks.length}`);
      const { packed, buffer } = packRows(blocks);
      await thread.ask({ kind: 'apply', blocks: packed }, [buffer]);
    },
    query: (query) => thread.ask({ kind: 'query', query: withOwnBytes(query) }),
    recordPositions: (recordId) => thread.ask({ kind: 'recordPositions', recordId: withOwnBytes(recordId) }),
    async reset(start) {
      await thread.ask({ kind: 'reset', start: start === undefined ? null : withOwnBytes(start) });
    },
    close() {
      closing ??= thread.close();
      return closing;
    },
  };
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: OuterIndexError) => void;
}

/** The worker thread, and who waits for its answers. */
class IndexThread {
  /** Settles when the file is open, or with the reason why it is not. */
  readonly opened: Promise<null>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #nextId = OPENED_ID + 1;
  #stopped: OuterIndexError | undefined;

  constructor(start: WorkerStart) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: start });
    this.opened = new Promise((resolve, reject) => this.#waiting.set(OPENED_ID, { resolve, reject }));
    this.#worker.on('message', (message: ReplyMessage) => this.#settle(message));
    this.#worker.on('error', (error) =>
      this.#stop(`failed (${error instanceof Error ? error.message : error})`, error),
    );
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#stop('has ended', undefined);
        resolve();
      });
    });
  }

  /** `handedOver`: what of the request is not copied but gone here. */
  ask<R extends WorkerRequest>(request: R, handedOver: readonly ArrayBuffer[] = []): Promise<WorkerAnswers[R['kind']]> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    if (this.#waiting.size >= REQUESTS_MAX && request.kind !== 'close')
      return Promise.reject(
        new OuterIndexError('busy', `${REQUESTS_MAX} requests wait for the search index: try again`),
      );
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const message: RequestMessage = { id, request };
      this.#worker.postMessage(message, handedOver);
      this.#waiting.set(id, { resolve, reject });
    });
  }

  async close(): Promise<void> {
    const answered = this.ask({ kind: 'close' });
    this.#stopped ??= new OuterIndexError('stopped', 'The search index is closed');
    await answered.catch((error: OuterIndexError) => {
      if (error.code !== 'stopped') throw error;
    });
    await this.#ended;
  }

  #settle(message: ReplyMessage): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    // The protocol answers each kind of request with the value of that kind.
    if (message.kind === 'done') waiting?.resolve(message.value as never);
    else waiting?.reject(new OuterIndexError(message.code, message.message));
  }

  #stop(reason: string, cause: unknown): void {
    this.#stopped ??= new OuterIndexError('stopped', `The search index thread ${reason}: restart the node`, cause);
    for (const { reject } of this.#waiting.values()) reject(this.#stopped);
    this.#waiting.clear();
  }
}

/**
 * The blocks with copies of all their byte arrays in one buffer, which is handed over: views of one buffer cost
 * far less to post than as many arrays of their own.
 */
function packRows(blocks: readonly BlockRows[]): { packed: readonly BlockRows[]; buffer: ArrayBuffer } {
  let length = 0;
  for (const { hash, records, closed, disposed } of blocks) {
    length += hash.length;
    for (const { recordId, patient, author, organisation, txId } of records)
      length += recordId.length + patient.length + author.length + organisation.length + txId.length;
    for (const recordId of [...closed, ...disposed]) length += recordId.length;
  }
  const bytes = new Uint8Array(length);
  let end = 0;
  const put = (part: Uint8Array) => {
    bytes.set(part, end);
    end += part.length;
    return bytes.subarray(end - part.length, end);
  };
  const packed = blocks.map(({ height, hash, records, closed, disposed }) => ({
    height,
    hash: put(hash),
    records: records.map((row) => ({
      ...row,
      recordId: put(row.recordId),
      patient: put(row.patient),
      author: put(row.author),
      organisation: put(row.organisation),
      txId: put(row.txId),
    })),
    closed: closed.map(put),
    disposed: disposed.map(put),
  }));
  return { packed, buffer: bytes.buffer };
}

/** A copy whose byte arrays own their memory: posting a view of a block would copy the whole block for each. */
function withOwnBytes<T>(value: T): T {
  if (value instanceof Uint8Array) return Uint8Array.from(value) as T;
  if (Array.isArray(value)) return value.map(withOwnBytes) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withOwnBytes(field)])) as T;
}
