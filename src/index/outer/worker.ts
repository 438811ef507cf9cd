import { parentPort, workerData } from 'node:worker_threads';
import { outerIndexError } from './outer-index-error.ts';
import { Projection } from './projection.ts';
import {
  OPENED_ID,
  type ReplyMessage,
  type RequestMessage,
  type WorkerAnswers,
  type WorkerRequest,
  type WorkerStart,
} from './worker-protocol.ts';

/*
 * The thread that owns the index file: node:sqlite is synchronous, and consensus must never wait for it. Started by
 * outer-index.ts alone.
 */
const port = parentPort;
if (port === null) throw new Error('outer/worker.ts runs as a worker thread');
const { file, fresh } = workerData as WorkerStart;

let projection: Projection | undefined;
reply(OPENED_ID, () => {
  projection = new Projection(file, fresh);
  return null;
});
const opened = projection;
if (opened === undefined) port.close();
else {
  port.on('message', ({ id, request }: RequestMessage) => {
    reply(id, () => answer(opened, request));
    // Nothing is posted once the port is closed, so the answer goes first.
    if (request.kind === 'close') port.close();
  });
}

function answer(index: Projection, request: WorkerRequest): WorkerAnswers[keyof WorkerAnswers] {
  switch (request.kind) {
    case 'appliedHeight':
      return index.appliedHeight();
    case 'apply':
      index.apply(request.blocks);
      return null;
    case 'query':
      return index.query(request.query);
    case 'recordPositions':
      return index.recordPositions(request.recordId);
    case 'reset':
      index.reset(request.start);
      return null;
    case 'close':
      index.close();
      return null;
  }
}

function reply(id: number, work: () => WorkerAnswers[keyof WorkerAnswers]): void {
  let message: ReplyMessage;
  try {
    message = { id, kind: 'done', value: work() };
  } catch (thrown) {
    const error = outerIndexError(thrown, file);
    message = { id, kind: 'failed', code: error.code, message: error.message };
  }
  port?.postMessage(message);
}
