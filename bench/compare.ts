import { median } from './latency.ts';
import type { Section } from './report/report.ts';
import type { BenchResult, Measurement } from './results.ts';

/** Largest change of a median that is still called the same, when the spreads of the repeats overlap or not. */
const SAME_SHARE = 0.03;

/** What changed from result `a` to result `b`, measurement by measurement. */
export function compareResults(a: BenchResult, b: BenchResult): Section {
  const byName = new Map(b.measurements.map((measurement) => [measurement.name, measurement]));
  const rows = a.measurements.flatMap((before) => {
    const after = byName.get(before.name);
    return after === undefined ? [] : [changeRow(before, after)];
  });
  const names = (result: BenchResult) => new Set(result.measurements.map(({ name }) => name));
  const onlyIn = (one: BenchResult, other: BenchResult) => [...names(one)].filter((name) => !names(other).has(name));
  const notes = [`A: ${headline(a)}`, `B: ${headline(b)}`];
  if (a.environment.cpu !== b.environment.cpu || a.environment.cores !== b.environment.cores)
    notes.push('The machines differ: the figures do not compare.');
  for (const [label, missing] of [
    ['A', onlyIn(a, b)],
    ['B', onlyIn(b, a)],
  ] as const)
    if (missing.length > 0) notes.push(`Only in ${label}: ${missing.join('; ')}.`);
  const columns = ['measurement', 'unit', 'A', 'B', 'change', 'verdict'];
  return { title: `${a.bench}: A against B`, notes, tables: [{ title: 'Medians', columns, rows }], plots: [] };
}

function changeRow(before: Measurement, after: Measurement): readonly (string | number)[] {
  const [from, to] = [median(before.values), median(after.values)];
  const change = (to - from) / from;
  const percent = Number.isFinite(change) ? `${change >= 0 ? '+' : ''}${(change * 100).toFixed(1)} %` : '–';
  return [before.name, before.unit, from, to, percent, verdictOf(before, after)];
}

/** `better` and `worse` only where the repeats of the two runs do not overlap. */
export function verdictOf(before: Measurement, after: Measurement): 'better' | 'worse' | 'same' | 'unclear' {
  const [from, to] = [median(before.values), median(after.values)];
  if (Math.abs(to - from) <= SAME_SHARE * Math.abs(from)) return 'same';
  const hasRisen = Math.min(...after.values) > Math.max(...before.values);
  const hasFallen = Math.max(...after.values) < Math.min(...before.values);
  if (!hasRisen && !hasFallen) return 'unclear';
  return hasRisen === (before.better === 'higher') ? 'better' : 'worse';
}

function headline({ bench, startedAt, environment, seed }: BenchResult): string {
  const { commit, isModified, cores, cpu } = environment;
  return `${bench}, ${startedAt}, commit ${commit.slice(0, 10)}${isModified ? ' with changes' : ''}, seed ${seed}, ${cores} × ${cpu}`;
}
