import { ADDRESS_BYTES } from '../../ledger/account.ts';
import { dateInterval } from './date-interval.ts';
import { OuterIndexError } from './outer-index-error.ts';
import type { RecordRow } from './rows.ts';

/** Any combination of single values and one range of dates; what is left out does not restrict. */
export interface OuterQuery {
  readonly patient?: Uint8Array;
  readonly author?: Uint8Array;
  readonly organisation?: Uint8Array;
  readonly kind?: string;
  /** `system|code`, or a bare code, which matches in any system. */
  readonly code?: string;
  readonly department?: string;
  readonly region?: string;
  /** First and last encounter date, inclusive, each to its own precision (see `dateInterval`). */
  readonly from?: string;
  readonly to?: string;
  /** Organisations whose records may be seen; without it, all. At most 1,024. */
  readonly organisations?: readonly Uint8Array[];
  /** 1 to 1,000. */
  readonly limit: number;
  /** As the page before gave it, for the same query. */
  readonly cursor?: string;
}

/** Records in their latest version, ordered by (encounter date, record id), those without a date first. */
export interface OuterPage {
  readonly hits: readonly RecordRow[];
  /** For the next page; null when this is the last. */
  readonly cursor: string | null;
  /** Height up to which every block was applied when the page was read; 0 before the first. */
  readonly indexedHeight: number;
}

const LIMIT_MAX = 1000;
const ORGANISATIONS_MAX = 1024;
const TEXT_CHARACTERS_MAX = 512;

/** The date of records that have none; below every real date. */
export const UNDATED_MS = Number.MIN_SAFE_INTEGER;

/** First and last encounter date of a query in milliseconds, inclusive; undated records only match without dates. */
export interface DateRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The range of dates that a query asks for. Throws an OuterIndexError `query` when the query is out of bounds. */
export function checkedRange(query: OuterQuery): DateRange {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > LIMIT_MAX)
    refuse(`limit is 1 to ${LIMIT_MAX}`);
  for (const name of ['patient', 'author', 'organisation'] as const) {
    const address = query[name];
    if (address !== undefined && address.length !== ADDRESS_BYTES) refuse(`${name} is an address of 32 bytes`);
  }
  for (const name of ['kind', 'code', 'department', 'region'] as const) {
    if ((query[name]?.length ?? 0) > TEXT_CHARACTERS_MAX)
      refuse(`${name} has at most ${TEXT_CHARACTERS_MAX} characters`);
  }
  if ((query.organisations?.length ?? 0) > ORGANISATIONS_MAX) refuse(`more than ${ORGANISATIONS_MAX} organisations`);
  const noDates = query.from === undefined && query.to === undefined;
  return {
    fromMs: query.from === undefined ? (noDates ? UNDATED_MS : UNDATED_MS + 1) : intervalOf('from', query.from).firstMs,
    toMs: query.to === undefined ? Number.MAX_SAFE_INTEGER : intervalOf('to', query.to).lastMs,
  };
}

function intervalOf(name: string, text: string): { readonly firstMs: number; readonly lastMs: number } {
  return dateInterval(text) ?? refuse(`${name} is a date such as 2024, 2024-05, 2024-05-31 or 2024-05-31T10:00:00Z`);
}

function refuse(fault: string): never {
  throw new OuterIndexError('query', fault);
}
