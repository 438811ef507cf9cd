import type { Chance } from './seeded-chance.ts';

/**
 * When each transaction of a step is to be sent, milliseconds from the step's start, ascending: arrivals of a Poisson
 * process that are exactly `rate` · `lengthMs` many. They do not depend on how the ledger answers, so that a stall
 * delays, and counts against, everything that was planned meanwhile (no coordinated omission).
 */
export function plannedTimes(rate: number, lengthMs: number, chance: Chance): Float64Array {
  const count = Math.round((rate * lengthMs) / 1_000);
  // Given their number, the arrivals of a Poisson process are uniform and independent.
  return Float64Array.from({ length: count }, () => chance() * lengthMs).sort();
}

/** How transactions are collected into requests. */
export interface Collecting {
  /** A request leaves this long after its first transaction was planned, in milliseconds; 0 sends each by itself. */
  readonly windowMs: number;
  /** A request leaves at once when it holds this many. */
  readonly transactionsMax: number;
}

/** One request of a step: which transactions it carries, by their place in the plan, and when it is to leave. */
export interface PlannedBatch {
  readonly first: number;
  readonly count: number;
  readonly sendAtMs: number;
}

/**
 * The requests that a gateway would send that collects arriving transactions: each transaction in exactly one, in
 * order, none before it was planned.
 */
export function planBatches(times: Float64Array, { windowMs, transactionsMax }: Collecting): readonly PlannedBatch[] {
  const batches: PlannedBatch[] = [];
  let first = 0;
  while (first < times.length) {
    const closesMs = times[first]! + windowMs;
    let next = first + 1;
    while (windowMs > 0 && next < times.length && next - first < transactionsMax && times[next]! <= closesMs) next += 1;
    const isFull = next - first >= transactionsMax || windowMs === 0;
    batches.push({ first, count: next - first, sendAtMs: isFull ? times[next - 1]! : closesMs });
    first = next;
  }
  return batches;
}

/** What was planned in a step and when its commit was seen; times in milliseconds from the step's start. */
export interface StepTimes {
  readonly plannedMs: Float64Array;
  /** NaN where no commit was seen. */
  readonly committedMs: Float64Array;
  /** Load before the measured interval, not measured. */
  readonly rampMs: number;
  readonly intervalMs: number;
}

/** The measured interval of a step. */
export interface IntervalReading {
  /** Transactions planned in the interval, and those of them whose commit was never seen. */
  readonly planned: number;
  readonly lost: number;
  /** Commits seen within the interval, a second. */
  readonly committedPerSecond: number;
  /** From planned time to commit seen, of those planned in the interval, microseconds. */
  readonly latenciesUs: readonly number[];
  /** Commits seen in each second since the step's start, the ramp included. */
  readonly commitsBySecond: readonly number[];
}

/** What a step showed: latencies of what was planned in its interval, throughput of what committed in it. */
export function readInterval({ plannedMs, committedMs, rampMs, intervalMs }: StepTimes): IntervalReading {
  const endMs = rampMs + intervalMs;
  const latenciesUs: number[] = [];
  const commitsBySecond: number[] = [];
  let planned = 0;
  let committed = 0;
  for (const [place, plannedAt] of plannedMs.entries()) {
    const committedAt = committedMs[place] ?? Number.NaN;
    if (committedAt >= rampMs && committedAt < endMs) committed += 1;
    if (!Number.isNaN(committedAt)) countIn(commitsBySecond, Math.floor(committedAt / 1_000));
    if (plannedAt < rampMs || plannedAt >= endMs) continue;
    planned += 1;
    if (!Number.isNaN(committedAt)) latenciesUs.push(Math.max(0, Math.round((committedAt - plannedAt) * 1_000)));
  }
  return {
    planned,
    lost: planned - latenciesUs.length,
    committedPerSecond: (committed * 1_000) / intervalMs,
    latenciesUs,
    commitsBySecond: Array.from(commitsBySecond, (count) => count ?? 0),
  };
}

function countIn(counts: number[], place: number): void {
  counts[place] = (counts[place] ?? 0) + 1;
}
