/** A figure against the threshold that is set for it. */
export interface Verdict {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly bound: 'atMost' | 'atLeast';
  readonly threshold: number;
  readonly passes: boolean;
}

/** Holds a figure against its threshold; one that was not measured does not pass. */
export function judge(what: string, value: number, unit: string, bound: Verdict['bound'], threshold: number): Verdict {
  const passes = bound === 'atMost' ? value <= threshold : value >= threshold;
  return { what, unit, value, bound, threshold, passes };
}

/** The verdict in words, as it stands in the report. */
export function verdictText({ what, unit, value, bound, threshold, passes }: Verdict): string {
  const measured = Number.isFinite(value) ? `${rounded(value)} ${unit}` : 'not measured';
  return `${passes ? 'PASS' : 'MISS'}: ${what}: ${measured}, ${bound === 'atMost' ? 'at most' : 'at least'} ${rounded(threshold)} ${unit}.`;
}

function rounded(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
