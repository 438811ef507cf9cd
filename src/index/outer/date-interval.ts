/** A span of time: first and last millisecond since the Unix epoch, both inside. */
export interface DateInterval {
  readonly firstMs: number;
  readonly lastMs: number;
}

const DATE_TIME = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const MINUTE_MS = 60_000;

/**
 * The span that a FHIR date or date-time names, to the precision it is given in: a whole UTC year, month or day, a
 * minute, a second or a millisecond. A time without an offset counts as UTC. Undefined when `text` is no such date.
 *
 * One rule for all searches: a record stands at the first millisecond of its date, and a range of dates goes from the
 * first millisecond of `from` to the last of `to`. So "2024" is found by any range that holds 2024-01-01 00:00 UTC.
 */
export function dateInterval(text: string): DateInterval | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const y = Number(year);
  const m = month === undefined ? 1 : Number(month);
  const d = day === undefined ? 1 : Number(day);
  if (m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m)) return undefined;
  if (day === undefined) {
    const next = month === undefined ? utcMs(y + 1, 1, 1) : utcMs(y, m + 1, 1);
    return { firstMs: utcMs(y, m, d), lastMs: next - 1 };
  }
  if (hour === undefined) return { firstMs: utcMs(y, m, d), lastMs: utcMs(y, m, d + 1) - 1 };
  const offsetMinutes = zoneMinutes(zone ?? 'Z');
  // A leap second is written as 60 and counts as the second after.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60 || offsetMinutes === undefined)
    return undefined;
  const milliseconds = fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3));
  const firstMs =
    utcMs(y, m, d) +
    (Number(hour) * 60 + Number(minute) - offsetMinutes) * MINUTE_MS +
    Number(second ?? 0) * 1000 +
    milliseconds;
  const precisionMs = second === undefined ? MINUTE_MS : fraction === undefined ? 1000 : 1;
  return { firstMs, lastMs: firstMs + precisionMs - 1 };
}

/** Start of a UTC day; `month` 13 and a day after the month's last run on into what follows. */
function utcMs(year: number, month: number, day: number): number {
  // Date.UTC takes years below 100 as of the twentieth century.
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function daysInMonth(year: number, month: number): number {
  return (utcMs(year, month + 1, 1) - utcMs(year, month, 1)) / 86_400_000;
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}
