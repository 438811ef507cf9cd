import { parentPort } from 'node:worker_threads';
import { signatureSelfTest } from '../speccheck.ts';
import { verifyPacked } from './signature-batch.ts';
import { verifySignature } from './verify.ts';

// The entry of a verifying thread: a packed batch comes in, one byte an item goes back, in the order of arrival.
const port = parentPort;
if (port === null) throw new Error('verify-worker.ts runs as a worker thread only');

signatureSelfTest(verifySignature);
port.on('message', (packed: ArrayBuffer) => {
  const results = verifyPacked(packed, verifySignature);
  port.postMessage(results, [results.buffer]);
});
