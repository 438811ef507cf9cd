import type { TransactionStatusView } from '../api/contract/schemas.ts';
import { toHex } from '../codec/bytes.ts';
import type { SignedTransaction } from './build-transaction.ts';
import type { NodeClient } from './node-client.ts';
import { NodeProblem, NodeUnreachable } from './node-error.ts';

/** How a transaction ended. */
export type FinalStatus = Extract<TransactionStatusView, { status: 'Committed' | 'Rejected' | 'Expired' }>;

/** How to end a submission early, and who hears of its rounds. */
export interface SubmitOptions {
  /** Ends the attempt; what was sent may still be committed. */
  readonly signal?: AbortSignal;
  /** Hears of each round that left something open, and why: for progress and logs. */
  readonly onRetry?: (open: number, reason: string) => void;
}

/** Longest that one request waits for commits. */
const ROUND_WAIT_MS = 20_000;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 5_000;

/**
 * Submits transactions and sends the same bytes again until each is Committed, Rejected for a reason that no later
 * state can change, or Expired; only then may anything new be signed in their place. Resolves with one status for
 * each, in order. At most 1,000 at a time. Rejects on an abort and on a refusal of the whole request that repeating it
 * would not change.
 */
export async function submitUntilFinal(
  node: RoundNode,
  transactions: readonly SignedTransaction[],
  options: SubmitOptions = {},
): Promise<readonly FinalStatus[]> {
  const final = new Map<string, FinalStatus>();
  let pauseMs = PAUSE_MS_MIN;
  for (;;) {
    const open = transactions.filter(({ txId }) => !final.has(toHex(txId)));
    if (open.length === 0) break;
    const round = await submitRound(node, open, options.signal);
    for (const [id, status] of round.final) final.set(id, status);
    if (final.size === transactions.length) break;
    if (round.final.size > 0) pauseMs = PAUSE_MS_MIN;
    options.onRetry?.(open.length - round.final.size, round.reason);
    await pause(Math.max(round.retryAfterMs, pauseMs * (0.5 + Math.random())), options.signal);
    pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2);
  }
  return transactions.map(({ txId }) => final.get(toHex(txId))!);
}

/** What of a node client submitting needs. */
type RoundNode = Pick<NodeClient, 'submit' | 'transactionStatus' | 'block'>;

interface Round {
  /** Hexadecimal transaction id → how it ended. */
  readonly final: ReadonlyMap<string, FinalStatus>;
  readonly reason: string;
  readonly retryAfterMs: number;
}

async function submitRound(
  node: RoundNode,
  open: readonly SignedTransaction[],
  signal: AbortSignal | undefined,
): Promise<Round> {
  const final = new Map<string, FinalStatus>();
  let reason = 'not committed yet';
  try {
    const statuses = await node.submit(open, ROUND_WAIT_MS, signal);
    for (const [place, transaction] of open.entries()) {
      const status = await resolved(node, transaction, statuses[place], signal);
      const { txId } = transaction;
      if (status?.status === 'Rejected' && status.retryable) reason = `${status.code}: ${status.detail}`;
      else if (isFinal(status)) final.set(toHex(txId), status);
    }
    return { final, reason, retryAfterMs: 0 };
  } catch (error) {
    if (error instanceof NodeUnreachable) return { final, reason: error.message, retryAfterMs: 0 };
    if (error instanceof NodeProblem && error.problem.retryable)
      return { final, reason: error.message, retryAfterMs: error.retryAfterMs ?? 0 };
    throw error;
  }
}

/**
 * `duplicateId` says that an earlier sending was applied: the status then tells where. `badSignature` is also said of
 * what was signed before the ledger was restarted, and may have been applied then. `expired` is one node's opinion of
 * the next block; only a committed block later than validUntilMs proves it (ledger.md §4).
 */
async function resolved(
  node: RoundNode,
  { txId, validUntilMs }: SignedTransaction,
  status: TransactionStatusView | undefined,
  signal: AbortSignal | undefined,
): Promise<TransactionStatusView | undefined> {
  if (status?.status !== 'Rejected' || !ASKED_ABOUT.has(status.code)) return status;
  const known = await node.transactionStatus(txId, signal);
  if (status.code === 'duplicateId' || known.status === 'Committed') return known;
  if (status.code === 'badSignature') return status;
  const { timestampMs } = await node.block('latest', signal);
  return timestampMs > validUntilMs ? { txId: toHex(txId), status: 'Expired' } : undefined;
}

/** Refusals of what may stand on the ledger all the same. */
const ASKED_ABOUT: ReadonlySet<string> = new Set(['duplicateId', 'expired', 'badSignature']);

function isFinal(status: TransactionStatusView | undefined): status is FinalStatus {
  if (status?.status === 'Rejected') return !status.retryable;
  return status?.status === 'Committed' || status?.status === 'Expired';
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
