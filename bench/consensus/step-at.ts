import type { LoadStep } from '../load/messages.ts';

/** Up to this rate every transaction is a request of its own; above, some are collected as a gateway would. */
const SINGLE_RATE_MAX = 100;
const COLLECTED = { windowMs: 5, transactionsMax: 200 } as const;
const SINGLE = { windowMs: 0, transactionsMax: 1 } as const;

/** A step of records without attachments. */
export function stepAt(rate: number, label: string, rampMs: number, intervalMs: number): LoadStep {
  return { line: 'action', rate, label, rampMs, intervalMs, collecting: rate <= SINGLE_RATE_MAX ? SINGLE : COLLECTED };
}
