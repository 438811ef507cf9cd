/** First and last millisecond since the Unix epoch of a span of time. */
export interface DateSpan {
  readonly startMs: number;
  readonly endMs: number;
}

const FORM = /^(\d{4})(-\d\d)?(-\d\d)?(T\d\d:\d\d)?(:\d\d)?(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;

/**
 * The span that a FHIR date or date-time covers at the precision it is written in: a UTC year, month or day, or a
 * minute, second or millisecond (a time without an offset is UTC). Undefined when it is no date of the calendar.
 */
export function dateSpan(text: string): DateSpan | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, time, second, fraction, offset] = parts;
  const given = [year, month, day, time, second, fraction].map((part) => part !== undefined);
  // Parts are left out from the end only, and an offset belongs to a time.
  if (given.some((isGiven, index) => isGiven && !given.slice(0, index).every(Boolean))) return undefined;
  if (offset !== undefined && time === undefined) return undefined;
  const date = `${year}${month ?? '-01'}${day ?? '-01'}`;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse rolls 30 February over to March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return undefined;
  const milliseconds = fraction === undefined ? '' : fraction.padEnd(4, '0').slice(0, 4);
  const startMs = Date.parse(`${date}${time ?? 'T00:00'}${second ?? ':00'}${milliseconds}${offset ?? 'Z'}`);
  if (Number.isNaN(startMs)) return undefined;
  const next = new Date(startMs);
  if (month === undefined) next.setUTCFullYear(next.getUTCFullYear() + 1);
  else if (day === undefined) next.setUTCMonth(next.getUTCMonth() + 1);
  else if (time === undefined) next.setUTCDate(next.getUTCDate() + 1);
  else if (second === undefined) next.setUTCMinutes(next.getUTCMinutes() + 1);
  else next.setUTCMilliseconds(next.getUTCMilliseconds() + (fraction === undefined ? 1000 : 1));
  return { startMs, endMs: next.getTime() - 1 };
}
