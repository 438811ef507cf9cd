import { CLIENT_CORES_MAX, type ClientState, SEND_LAG_P99_MS_MAX } from '../measure-step.ts';
import type { Plot, Section, Table } from '../report/report.ts';
import type { Measurement } from '../results.ts';
import { judge, type Verdict, verdictText } from './verdict.ts';

/** What a part says of itself. */
export interface PartReport {
  readonly section: Section;
  readonly measurements: readonly Measurement[];
  /** None where no threshold is set. */
  readonly verdicts: readonly Verdict[];
}

/** Puts a part's report together: the verdicts come first. */
export function partReport(
  title: string,
  verdicts: readonly Verdict[],
  measurements: readonly Measurement[],
  {
    notes,
    tables,
    plots = [],
  }: { readonly notes: string[]; readonly tables: readonly Table[]; readonly plots?: Plot[] },
): PartReport {
  const judged = verdicts.length === 0 ? ['No threshold is set for this part.'] : verdicts.map(verdictText);
  return { section: { title, notes: [...judged, ...notes], tables, plots }, measurements, verdicts };
}

/** A part that did not come to its end, so that the others are not lost with it: a miss. */
export function failedReport(part: string, message: string): PartReport {
  const verdict = judge(`parts of ${part} measured to the end`, Number.NaN, 'parts', 'atLeast', 1);
  return partReport(`${part}: failed`, [verdict], [], { notes: [message], tables: [] });
}

/** One figure for each repeat. */
export function figure(
  name: string,
  unit: string,
  better: Measurement['better'],
  values: readonly number[],
): Measurement {
  return { name, unit, better, values };
}

/** What is to be said of the load's own part in these figures. */
export function clientNote(states: readonly ClientState[]): string {
  const inState = (state: ClientState) => states.filter((each) => each === state).length;
  const [busy, late] = [inState('busy'), inState('late')];
  const of = states.length === 1 ? '' : ` in ${busy + late} of ${states.length} steps`;
  if (busy > 0) return `The client was the bottleneck${of}: it used more than ${CLIENT_CORES_MAX} cores.`;
  if (late > 0)
    return `The client sent late${of}: the 99th percentile of its delay was above ${SEND_LAG_P99_MS_MAX} ms, the machine having no time for it.`;
  return 'The client was not the bottleneck.';
}
