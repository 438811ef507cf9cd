import type { TransactionStatusView } from '../../src/api/contract/schemas.ts';
import { outcomeText } from './cast.ts';
import type { Answer, HttpSender } from './http-sender.ts';
import type { StepReport } from './messages.ts';
import type { PreparedBatch, PreparedStep } from './prepared-step.ts';

/** Time between the decision to run and the step's start, so that the start itself is not rushed. */
const LEAD_MS = 50;

/** Who is told that the measured interval begins and ends. */
export interface IntervalListener {
  onIntervalBegins(): void;
  onIntervalEnds(): void;
}

type BatchEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'error'; readonly name: string };

/**
 * Sends every request of a step when it is planned, whatever the answers, and resolves when the last is answered.
 * Answers are only kept while the step runs and read afterwards, to take as little CPU time as possible meanwhile.
 */
export async function runStep(
  { step, plannedMs, batches }: PreparedStep,
  sender: HttpSender,
  listener: IntervalListener,
): Promise<StepReport> {
  const startMs = performance.now() + LEAD_MS;
  const sendLagMs = new Float64Array(batches.length);
  const interval = measureInterval(startMs + step.rampMs, step.intervalMs, listener);
  const ends: Promise<BatchEnd>[] = [];
  for (const [place, batch] of batches.entries()) {
    const dueMs = startMs + batch.sendAtMs;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    sendLagMs[place] = performance.now() - dueMs;
    ends.push(sendBatch(sender, batch));
  }
  const [ended, clientCpuSeconds] = await Promise.all([Promise.all(ends), interval]);
  return { plannedMs, sendLagMs, clientCpuSeconds, ...readEnds(batches, ended, plannedMs.length, startMs) };
}

async function measureInterval(beginMs: number, lengthMs: number, listener: IntervalListener): Promise<number> {
  const at = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - performance.now())));
  await at(beginMs);
  listener.onIntervalBegins();
  const before = process.cpuUsage();
  await at(beginMs + lengthMs);
  const { user, system } = process.cpuUsage(before);
  listener.onIntervalEnds();
  return (user + system) / 1e6;
}

async function sendBatch(sender: HttpSender, { puts, submission }: PreparedBatch): Promise<BatchEnd> {
  try {
    const stored = await Promise.all(puts.map((put) => sender.send(put)));
    const refused = stored.find(({ status }) => status !== 204);
    return { kind: 'answered', answer: refused ?? (await sender.send(submission)) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    return { kind: 'error', name: `connection ${code}` };
  }
}

function readEnds(batches: readonly PreparedBatch[], ends: readonly BatchEnd[], transactions: number, startMs: number) {
  const committedMs = new Float64Array(transactions).fill(Number.NaN);
  const failures: Record<string, number> = {};
  const fail = (name: string, count: number) => {
    failures[name] = (failures[name] ?? 0) + count;
  };
  for (const [place, { first, count }] of batches.entries()) {
    const end = ends[place]!;
    if (end.kind === 'error') fail(end.name, count);
    else if (end.answer.status !== 200 && end.answer.status !== 202) fail(problemText(end.answer), count);
    else {
      const { outcomes } = JSON.parse(end.answer.text) as { readonly outcomes: readonly TransactionStatusView[] };
      for (const [offset, outcome] of outcomes.entries()) {
        if (outcome.status === 'Committed') committedMs[first + offset] = end.answer.atMs - startMs;
        else fail(outcomeText(outcome), 1);
      }
    }
  }
  return { committedMs, failures };
}

function problemText({ status, text }: Answer): string {
  try {
    const { code, detail } = JSON.parse(text) as { readonly code?: string; readonly detail?: string };
    return `${status} ${code ?? ''} ${detail ?? ''}`.trim();
  } catch {
    return String(status);
  }
}
