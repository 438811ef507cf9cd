import { Worker } from 'node:worker_threads';
import { packBatch, packedBytes, type SignatureCheck } from './signature-batch.ts';

/** Most signatures, and packed bytes, that wait for an answer in all threads of a pool together. */
const WAITING_SIGNATURES_MAX = 65_536;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** Size of a pool. */
export interface VerifierPoolOptions {
  /** Threads, 1 to 64. One is enough for most nodes; each costs about 15 MB. */
  readonly workers: number;
}

/** Verifies signatures in worker threads, by the rule of the ledger. */
export interface VerifierPool {
  /**
   * Whether each signature is valid, in order; malformed ones are false. Throws (rejects with) a VerifierPoolError when
   * no answer could be had, which says nothing about the signatures. The byte arrays are copied before it returns.
   */
  verify(batch: readonly SignatureCheck[]): Promise<boolean[]>;
  /** Stops the threads; what still waits is rejected. */
  close(): Promise<void>;
}

/** `busy`: too much waits already, verify later or refuse work; `crashed`: the thread died; `closed`: the pool is. */
export class VerifierPoolError extends Error {
  override readonly name = 'VerifierPoolError';
  readonly code: 'busy' | 'crashed' | 'closed';

  constructor(code: VerifierPoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

interface Waiting {
  readonly signatures: number;
  readonly bytes: number;
  resolve(results: boolean[]): void;
  reject(error: VerifierPoolError): void;
}

/** One thread and the batches it has been given, oldest first: it answers in that order. */
interface Lane {
  readonly worker: Worker;
  readonly waiting: Waiting[];
  signatures: number;
}

/**
 * Starts a pool. A batch goes to the thread with the fewest signatures waiting. When a thread dies, the batches it had
 * are rejected and the next batch starts another in its place. `startWorker` replaces the thread's entry in tests.
 */
export function createVerifierPool(
  options: VerifierPoolOptions,
  startWorker: () => Worker = startVerifyWorker,
): VerifierPool {
  const { workers } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > 64)
    throw new RangeError(`${workers} verifier threads: choose 1 to 64`);
  let closed = false;
  let signaturesWaiting = 0;
  let bytesWaiting = 0;
  const lanes: (Lane | undefined)[] = Array.from({ length: workers }, () => startLane());

  function settle(lane: Lane, waiting: Waiting): void {
    lane.signatures -= waiting.signatures;
    signaturesWaiting -= waiting.signatures;
    bytesWaiting -= waiting.bytes;
  }

  function fail(lane: Lane, error: VerifierPoolError): void {
    const place = lanes.indexOf(lane);
    if (place >= 0) lanes[place] = undefined;
    for (const waiting of lane.waiting.splice(0)) {
      settle(lane, waiting);
      waiting.reject(error);
    }
  }

  function startLane(): Lane {
    const lane: Lane = { worker: startWorker(), waiting: [], signatures: 0 };
    lane.worker.on('message', (results: Uint8Array) => {
      const waiting = lane.waiting.shift();
      if (waiting === undefined) return;
      settle(lane, waiting);
      waiting.resolve(Array.from(results, (result) => result === 1));
    });
    lane.worker.on('error', (cause) => {
      fail(lane, new VerifierPoolError('crashed', 'a signature verifier thread failed; verify again', { cause }));
    });
    lane.worker.on('exit', (code) => {
      fail(lane, new VerifierPoolError('crashed', `a signature verifier thread ended (status ${code}); verify again`));
    });
    return lane;
  }

  function leastLoaded(): Lane {
    let best = 0;
    for (let i = 1; i < lanes.length; i += 1)
      if ((lanes[i]?.signatures ?? 0) < (lanes[best]?.signatures ?? 0)) best = i;
    lanes[best] ??= startLane();
    return lanes[best]!;
  }

  return {
    async verify(batch) {
      if (closed) throw new VerifierPoolError('closed', 'the signature verifier is closed');
      if (batch.length === 0) return [];
      const bytes = packedBytes(batch);
      if (signaturesWaiting + batch.length > WAITING_SIGNATURES_MAX || bytesWaiting + bytes > WAITING_BYTES_MAX)
        throw new VerifierPoolError('busy', `${signaturesWaiting} signatures wait for verification already`);
      const lane = leastLoaded();
      const packed = packBatch(batch);
      signaturesWaiting += batch.length;
      bytesWaiting += bytes;
      lane.signatures += batch.length;
      const answer = new Promise<boolean[]>((resolve, reject) => {
        lane.waiting.push({ signatures: batch.length, bytes, resolve, reject });
      });
      lane.worker.postMessage(packed, [packed]);
      return answer;
    },
    async close() {
      closed = true;
      const open = lanes.filter((lane) => lane !== undefined);
      const error = new VerifierPoolError('closed', 'the signature verifier was closed before it answered');
      for (const lane of open) fail(lane, error);
      await Promise.all(open.map((lane) => lane.worker.terminate()));
    },
  };
}

function startVerifyWorker(): Worker {
  return new Worker(new URL('./verify-worker.ts', import.meta.url), { name: 'verify' });
}
