import type { RecordFields } from '../src/ledger/attachment.ts';
import { madeUpFields } from './load/record-fields.ts';
import { seededChance } from './seeded-chance.ts';

/** Three fields that are searched together. */
interface CombinedSearch {
  readonly code: string;
  readonly department: string;
  readonly region?: string;
  readonly from?: string;
  readonly to?: string;
}

/** A search with the number of records that it must find. */
export interface CombinedQuestion {
  readonly search: CombinedSearch;
  readonly hits: number;
}

/** What is asked of a filled ledger; every answer is checked. */
export interface Questions {
  readonly lookups: readonly Uint8Array[];
  readonly byRegion: readonly CombinedQuestion[];
  readonly byMonth: readonly CombinedQuestion[];
  /** The same kinds of questions, asked first and not measured. */
  readonly warmUp: Omit<Questions, 'warmUp'>;
}

/** Most records that a combined query of the benchmark finds. */
export const HITS_MAX = 20;
const RECORD_ID_BYTES = 16;
const DRAWS_PER_QUESTION_MAX = 100;

/** Questions about records 0 to `records` − 1, drawn evenly; those with more than HITS_MAX hits are left out. */
export function makeQuestions(
  recordIds: Uint8Array,
  records: number,
  seed: number,
  counts: { readonly lookups: number; readonly queries: number; readonly warmUps: number },
): Questions {
  const chance = seededChance(seed, 'questions');
  const fields = Array.from({ length: records }, (_, number) => madeUpFields(seed, number));
  const draw = () => Math.floor(chance() * records);
  const ids = (count: number) =>
    Array.from({ length: count }, () => {
      const at = draw() * RECORD_ID_BYTES;
      return recordIds.slice(at, at + RECORD_ID_BYTES);
    });
  const ask = (count: number, searchOf: (fields: RecordFields) => CombinedSearch) => {
    const hits = countBy(fields, (each) => JSON.stringify(searchOf(each)));
    const questions: CombinedQuestion[] = [];
    for (let draws = 0; questions.length < count && draws < count * DRAWS_PER_QUESTION_MAX; draws += 1) {
      const search = searchOf(fields[draw()]!);
      const found = hits.get(JSON.stringify(search)) ?? 0;
      if (found <= HITS_MAX) questions.push({ search, hits: found });
    }
    if (questions.length < count) throw new Error(`too few searches of at most ${HITS_MAX} hits among these records`);
    return questions;
  };
  const all = (lookups: number, queries: number) => ({
    lookups: ids(lookups),
    byRegion: ask(queries, regionSearch),
    byMonth: ask(queries, monthSearch),
  });
  return { ...all(counts.lookups, counts.queries), warmUp: all(counts.warmUps, counts.warmUps) };
}

function regionSearch({ codes, department, region }: RecordFields): CombinedSearch {
  return { code: codes[0]!, department, region };
}

function monthSearch({ codes, department, date }: RecordFields): CombinedSearch {
  const month = date.slice(0, 7);
  return { code: codes[0]!, department, from: month, to: month };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
