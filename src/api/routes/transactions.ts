import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { fromHex, toHex } from '../../codec/bytes.ts';
import { ATTACHMENT_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../../ledger/transaction.ts';
import type { NodePorts, Submission, SubmissionOutcome, TransactionStatus } from '../../node/ports.ts';
import { ENDPOINTS, WAIT_MS_DEFAULT } from '../contract/endpoints.ts';
import { isProblemCode } from '../contract/problem.ts';
import { ProblemError } from '../problem-response.ts';
import { routeOf } from '../route.ts';
import { readSubmissions } from '../submission-body.ts';
import { transactionStatusView } from '../views.ts';
import type { RouteContext } from './route-context.ts';

/** Submission of signed transactions and their status. They carry their own signatures, so no request is signed. */
export function transactionRoutes(scope: FastifyInstance, { ports, auth, closing }: RouteContext): void {
  scope.addContentTypeParser('application/cbor', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body);
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, scope.getDefaultJsonParser('error', 'error'));
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();

  app.route({
    ...routeOf('submit', ENDPOINTS.submit, auth),
    handler: async (request, reply) => {
      const submissions = readSubmissions(request.body);
      const missing = ports.notReady();
      if (missing.length > 0) throw new ProblemError('notReady', `Missing: ${missing.join('; ')}.`);
      const { wait, timeoutMs } = request.query;
      let outcomes = await submit(ports, submissions);
      refuseSingle(outcomes);
      if (wait === 'committed') {
        outcomes = await settle(ports, outcomes, timeoutMs ?? WAIT_MS_DEFAULT, closing);
        refuseSingle(outcomes);
      }
      return answerOutcomes(reply, outcomes);
    },
  });

  app.route({
    ...routeOf('transaction', ENDPOINTS.transaction, auth),
    handler: async (request) => {
      const txId = fromHex(request.params.id);
      const status = await ports.transactionStatus(txId);
      if (status.kind === 'Unknown' && (await ports.wasAppliedBeforeHistory(txId)))
        throw new ProblemError('beforeHistory', 'The transaction was applied.');
      return transactionStatusView(txId, status);
    },
  });
}

/** Hands in what is within the size limits; the rest is rejected here, each at its place. */
async function submit(ports: NodePorts, submissions: readonly Submission[]): Promise<readonly SubmissionOutcome[]> {
  const oversized = submissions.map(oversizedOutcome);
  const fitting = submissions.filter((_, place) => oversized[place] === undefined);
  const outcomes = fitting.length === 0 ? [] : await ports.submit(fitting);
  let next = 0;
  return oversized.map((outcome) => {
    const answered = outcome ?? outcomes[next++];
    if (answered === undefined) throw new Error('the node gave fewer outcomes than there were transactions');
    return answered;
  });
}

function oversizedOutcome({ encoded, attachment }: Submission): SubmissionOutcome | undefined {
  const transactionFits = encoded.length <= TRANSACTION_BYTES_MAX;
  if (transactionFits && (attachment?.length ?? 0) <= ATTACHMENT_BYTES_MAX) return undefined;
  const [part, bytes, max] = transactionFits
    ? ['attachment', attachment?.length, ATTACHMENT_BYTES_MAX]
    : ['transaction', encoded.length, TRANSACTION_BYTES_MAX];
  const detail = `The ${part} has ${bytes} bytes; at most ${max} are taken.`;
  return { txId: null, status: { kind: 'Rejected', code: 'oversized', detail, retryable: false } };
}

/** The outcomes once each pending one is final, the time is up, or the server closes. */
async function settle(
  ports: NodePorts,
  outcomes: readonly SubmissionOutcome[],
  timeoutMs: number,
  closing: AbortSignal,
): Promise<readonly SubmissionOutcome[]> {
  let giveUp = () => {};
  const closed = new Promise<void>((resolve) => {
    giveUp = () => resolve();
    if (closing.aborted) resolve();
    else closing.addEventListener('abort', giveUp);
  });
  const settleOne = async ({ txId, status }: SubmissionOutcome): Promise<SubmissionOutcome> => {
    if (txId === null || isFinal(status)) return { txId, status };
    const settled = await Promise.race([ports.waitForTransaction(txId, timeoutMs), closed]);
    return { txId, status: settled ?? (await ports.transactionStatus(txId)) };
  };
  try {
    return await Promise.all(outcomes.map(settleOne));
  } finally {
    closing.removeEventListener('abort', giveUp);
  }
}

function isFinal(status: TransactionStatus): boolean {
  return status.kind !== 'Pending' && status.kind !== 'Unknown';
}

/** A transaction that came alone and was rejected is answered with the problem of its own code. */
function refuseSingle(outcomes: readonly SubmissionOutcome[]): void {
  const [only] = outcomes;
  if (outcomes.length !== 1 || only === undefined) return;
  const { status, txId } = only;
  if (status.kind === 'Expired') throw new ProblemError('expired', '');
  if (status.kind !== 'Rejected') return;
  if (!isProblemCode(status.code)) throw new Error('a transaction was rejected with a code outside the closed list');
  const name = txId === null ? '' : `Transaction ${toHex(txId)}: `;
  throw new ProblemError(status.code, `${name}${status.detail}`, status.retryable);
}

function answerOutcomes(reply: FastifyReply, outcomes: readonly SubmissionOutcome[]): FastifyReply {
  const views = outcomes.map(({ txId, status }) => transactionStatusView(txId, status));
  const [only] = views;
  if (views.length === 1 && only?.txId) reply.header('location', `/v1/transactions/${only.txId}`);
  const isSettled = outcomes.every(({ status }) => isFinal(status));
  return reply.code(isSettled ? 200 : 202).send({ outcomes: views });
}
