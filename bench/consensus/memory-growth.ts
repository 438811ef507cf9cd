import { median } from '../latency.ts';

/** Memory of one node at one moment, bytes. */
export interface MemorySample {
  /** Since the phase began. */
  readonly atMs: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** How one kind of memory changed over a phase. */
export interface Growth {
  /** Medians of the first and of the second half, bytes. */
  readonly firstBytes: number;
  readonly secondBytes: number;
  /** The second over the first. */
  readonly ratio: number;
  /** Of the line of least squares, bytes a second. */
  readonly slopeBytesPerSecond: number;
}

/** The growth of a series over its time; NaN of fewer than two samples in a half. */
export function growthOf(series: readonly (readonly [atMs: number, bytes: number])[]): Growth {
  const [begin, end] = [series[0]?.[0] ?? 0, series.at(-1)?.[0] ?? 0];
  const middle = (begin + end) / 2;
  const half = (isIn: (atMs: number) => boolean) => {
    const values = series.filter(([atMs]) => isIn(atMs)).map(([, bytes]) => bytes);
    return values.length < 2 ? Number.NaN : median(values);
  };
  const firstBytes = half((atMs) => atMs < middle);
  const secondBytes = half((atMs) => atMs >= middle);
  return { firstBytes, secondBytes, ratio: secondBytes / firstBytes, slopeBytesPerSecond: 1_000 * slopeOf(series) };
}

/** Slope of the line of least squares, units of y over units of x. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY));
  return covariance / mean(([x]) => (x - meanX) ** 2);
}
