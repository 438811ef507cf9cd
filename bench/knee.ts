import { median } from './latency.ts';

/** One repeat of one rate, as far as it bears on whether the rate is sustained. */
export interface RepeatOutcome {
  /** Transactions planned a second. */
  readonly offeredPerSecond: number;
  readonly committedPerSecond: number;
  readonly p99Ms: number;
  /** Transactions of the interval whose commit was never seen. */
  readonly lost: number;
}

/** Least share of the offered rate that commits within the interval at a sustained rate. */
const SUSTAINED_SHARE = 0.95;
/** Longest 99th percentile, in milliseconds, at a sustained rate. */
const SUSTAINED_P99_MS = 1_000;

/** In words, for every report: what `isSustained` and `kneeOf` say. */
export const KNEE_DEFINITION =
  `A rate is sustained when no repeat lost a transaction and, in the median of the repeats, at least ` +
  `${SUSTAINED_SHARE * 100} % of the offered rate commits within the measured interval with a 99th percentile of at ` +
  `most ${SUSTAINED_P99_MS} ms. The knee is the highest rate before the first that is not.`;

/** Whether the ledger keeps up with a rate. */
export function isSustained(repeats: readonly RepeatOutcome[]): boolean {
  if (repeats.length === 0 || repeats.some(({ lost }) => lost > 0)) return false;
  const share = median(
    repeats.map(({ committedPerSecond, offeredPerSecond }) => committedPerSecond / offeredPerSecond),
  );
  return share >= SUSTAINED_SHARE && median(repeats.map(({ p99Ms }) => p99Ms)) <= SUSTAINED_P99_MS;
}

/** The knee among steps of rising rate; undefined when not even the first is sustained. */
export function kneeOf<S extends { readonly repeats: readonly RepeatOutcome[] }>(steps: readonly S[]): S | undefined {
  const broken = steps.findIndex(({ repeats }) => !isSustained(repeats));
  return broken < 0 ? steps.at(-1) : steps[broken - 1];
}
