import { build } from 'hdr-histogram-js';

/** A distribution of durations, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Non-empty cells of the histogram: [highest value in milliseconds, how many]. */
  readonly cells: readonly (readonly [valueMs: number, count: number])[];
}

const LONGEST_US = 600_000_000;
const SIGNIFICANT_DIGITS = 3;

/** Percentiles by an HDR histogram of three significant digits, from durations in microseconds up to ten minutes. */
export function latenciesOf(durationsUs: Iterable<number>): Latencies {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    useWebAssembly: false,
  });
  const cells = new Map<number, number>();
  for (const durationUs of durationsUs) {
    const value = Math.min(LONGEST_US, Math.round(durationUs));
    histogram.recordValue(value);
    const cell = roundedToDigits(value);
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1_000;
  const isEmpty = histogram.totalCount === 0;
  return {
    count: histogram.totalCount,
    mean: isEmpty ? 0 : histogram.mean / 1_000,
    p50: at(50),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: isEmpty ? 0 : histogram.maxValue / 1_000,
    cells: [...cells].sort(([a], [b]) => a - b).map(([valueUs, count]) => [valueUs / 1_000, count]),
  };
}

/** The number of two significant digits: enough to draw, small enough to keep. */
function roundedToDigits(value: number): number {
  if (value < 100) return value;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}

/** The middle one of these numbers, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return lower === undefined || upper === undefined ? Number.NaN : (lower + upper) / 2;
}
