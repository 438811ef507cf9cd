import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, equalBytes, toHex } from '../../src/codec/bytes.ts';
import { encodeCursor } from '../../src/index/outer/cursor.ts';
import { dateInterval } from '../../src/index/outer/date-interval.ts';
import { type OuterIndex, openOuterIndex } from '../../src/index/outer/outer-index.ts';
import type { OuterQuery } from '../../src/index/outer/query.ts';
import type { BlockRows, RecordRow } from '../../src/index/outer/rows.ts';
import { randomFrom, sampleBlocks, sampleBytes, sampleRecord } from './sample-rows.ts';

const SHAPE = { patients: 60, codes: 25 };
const BLOCKS = 40;
const PER_BLOCK = 50;
const COMBINED = ['patient', 'author', 'organisation', 'kind', 'code', 'department', 'region'] as const;

interface Context {
  folder: string;
  index: OuterIndex;
  /** What the index is to hold, by record id. */
  records: readonly RecordRow[];
}

const test = suite<Context>('outer query');

/** Blocks that create, then some that amend, close and dispose of what there is. */
function history(): readonly BlockRows[] {
  const random = randomFrom(77);
  const blocks = sampleBlocks(3, BLOCKS, PER_BLOCK, SHAPE);
  const pick = () => blocks[Math.floor(random() * BLOCKS)]!.records[Math.floor(random() * PER_BLOCK)]!;
  const more = Array.from({ length: 10 }, (_, i): BlockRows => {
    const height = BLOCKS + 1 + i;
    const amended = Array.from({ length: 20 }, () => {
      const old = pick();
      const { fields } = sampleRecord(random, 0, height, SHAPE);
      return { ...old, version: 1 + height, height, index: 3, txId: sampleBytes(7, height), fields };
    });
    return {
      height,
      hash: sampleBytes(6, height),
      records: amended,
      closed: [pick().recordId, pick().recordId, sampleBytes(9, i).slice(0, 16)],
      disposed: [pick().recordId, pick().recordId, sampleBytes(9, i).slice(0, 16)],
    };
  });
  return [...blocks, ...more];
}

function expectedRecords(blocks: readonly BlockRows[]): readonly RecordRow[] {
  const records = new Map<string, RecordRow>();
  for (const block of blocks) {
    for (const row of block.records) {
      const old = records.get(toHex(row.recordId));
      if (old === undefined || old.version <= row.version) records.set(toHex(row.recordId), row);
    }
    for (const id of block.closed) {
      const old = records.get(toHex(id));
      if (old !== undefined) records.set(toHex(id), { ...old, fields: null });
    }
    for (const id of block.disposed) records.delete(toHex(id));
  }
  return [...records.values()];
}

const dates = new Map<string, number>();

function dateOf(row: RecordRow): number {
  const text = row.fields?.date ?? '';
  let date = dates.get(text);
  if (date === undefined) {
    date = dateInterval(text)?.firstMs ?? Number.NEGATIVE_INFINITY;
    dates.set(text, date);
  }
  return date;
}

function matches(row: RecordRow, query: OuterQuery): boolean {
  for (const name of ['patient', 'author', 'organisation'] as const)
    if (query[name] !== undefined && !equalBytes(query[name], row[name])) return false;
  for (const name of ['kind', 'department', 'region'] as const)
    if (query[name] !== undefined && row.fields?.[name] !== query[name]) return false;
  const { code, from, to, organisations } = query;
  if (
    code !== undefined &&
    !row.fields?.codes.some((c) => c === code || (!code.includes('|') && c.endsWith(`|${code}`)))
  )
    return false;
  if (organisations !== undefined && !organisations.some((address) => equalBytes(address, row.organisation)))
    return false;
  if ((from !== undefined || to !== undefined) && !Number.isFinite(dateOf(row))) return false;
  if (from !== undefined && dateOf(row) < dateInterval(from)!.firstMs) return false;
  return to === undefined || dateOf(row) <= dateInterval(to)!.lastMs;
}

function naive(records: readonly RecordRow[], query: OuterQuery): readonly RecordRow[] {
  const found = records.filter((row) => matches(row, query));
  return found.sort((a, b) => (dateOf(a) === dateOf(b) ? compareBytes(a.recordId, b.recordId) : dateOf(a) - dateOf(b)));
}

function namesOf(rows: readonly RecordRow[]): string {
  return rows.map((row) => `${toHex(row.recordId)} ${row.version}`).join();
}

async function allPages(index: OuterIndex, query: OuterQuery): Promise<RecordRow[]> {
  const hits: RecordRow[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await index.query(cursor === undefined ? query : { ...query, cursor });
    assert.ok(page.hits.length <= query.limit);
    assert.ok(page.cursor === null || page.hits.length === query.limit);
    hits.push(...page.hits);
    cursor = page.cursor;
  }
  return hits;
}

test.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'outer-query-'));
  context.index = await openOuterIndex(join(context.folder, 'index.db'));
  const blocks = history();
  await context.index.apply(blocks);
  context.records = expectedRecords(blocks);
});

test.after(async (context) => {
  await context.index.close();
  rmSync(context.folder, { recursive: true });
});

function codeOf(record: RecordRow, bare: boolean): string {
  const code = record.fields!.codes[0] ?? 'none';
  return bare ? code.slice(code.indexOf('|') + 1) : code;
}

async function finds(index: OuterIndex, records: readonly RecordRow[], query: OuterQuery): Promise<number> {
  const hits = await allPages(index, query);
  const expected = naive(records, query);
  // Not assert.is: on a failure it would draw the difference of two long texts for minutes.
  const isEqual = namesOf(hits) === namesOf(expected);
  assert.ok(isEqual, `found ${hits.length}, expected ${expected.length}: ${JSON.stringify(query)}`);
  assert.equal(hits.slice(0, 20), expected.slice(0, 20));
  return hits.length;
}

test('every combination of fields finds what a filter over all rows finds, in order, page by page', async (context) => {
  const { index, records } = context;
  const samples = records.filter((row) => row.fields !== null && row.fields.codes.length > 0);
  for (let combination = 0; combination < 2 ** 7; combination += 1) {
    const sample = samples[combination * 9]!;
    const values = { ...sample, ...sample.fields!, code: codeOf(sample, combination % 3 === 0) };
    const named = COMBINED.filter((_, place) => (combination >> place) % 2 === 1).map((name) => [name, values[name]]);
    const query: OuterQuery = { ...Object.fromEntries(named), limit: 20 };
    assert.ok((await finds(index, records, query)) > 0, 'the record itself at least');
    await finds(index, records, { ...query, from: '2017-05', organisations: [sample.organisation] });
  }
});

test('values, dates and scopes drawn apart find what a filter over all rows finds', async ({ index, records }) => {
  // For fast-check, `freq` 2 leaves out every second value, and 1 every value.
  const oneOf = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
  const row = fc.constantFrom(...records.filter((record) => record.fields !== null));
  const field = <T>(pick: (row: RecordRow) => T) => oneOf(row.map(pick));
  const date = oneOf(fc.constantFrom('2016', '2017-05', '2018-03-09', '2019-01-01T12:00:00Z', '2022', '2023-06-30'));
  const drawn = fc.record({
    organisation: field((record) => record.organisation),
    kind: field((record) => record.fields!.kind),
    code: oneOf(fc.tuple(row, fc.boolean()).map(([record, bare]) => codeOf(record, bare))),
    department: field((record) => record.fields!.department),
    region: field((record) => record.fields!.region),
    from: date,
    to: date,
    organisations: oneOf(fc.subarray([0, 1, 2, 3].map((number) => sampleBytes(4, number)))),
    limit: fc.constantFrom(20, 100, 1000),
  });
  // Most records have other patients and authors than the one drawn: with these, hardly anything would match.
  const people = fc.record({ patient: field((record) => record.patient), author: field((record) => record.author) });
  let found = 0;
  await fc.assert(
    fc.asyncProperty(drawn, fc.oneof(fc.constant({}), people), async (query, added) => {
      const given = Object.entries({ ...query, ...added }).filter(([, value]) => value !== undefined);
      found += await finds(index, records, { limit: query.limit, ...Object.fromEntries(given) });
    }),
    { numRuns: 200 },
  );
  assert.ok(found > 500);
});

test('each field alone finds what a filter finds', async ({ index, records }) => {
  const sample = records.find((row) => row.fields !== null && row.fields.codes.length > 0)!;
  const { kind, department, region, codes } = sample.fields!;
  const values = { patient: sample.patient, author: sample.author, organisation: sample.organisation };
  for (const [name, value] of Object.entries({ ...values, kind, department, region, code: codes[0]! })) {
    const query: OuterQuery = { [name]: value, limit: 1000 };
    assert.ok(naive(records, query).length > 0);
    assert.equal(await allPages(index, query), naive(records, query), name);
  }
});

test('pages of one hit together are all records, each once', async ({ index, records }) => {
  const query = { organisation: sampleBytes(4, 3), limit: 1 };
  assert.equal(await allPages(index, query), naive(records, query));
});

test('a limit outside 1 to 1,000, a malformed date and a short address are refused', async ({ index }) => {
  const faults: readonly Partial<OuterQuery>[] = [
    { limit: 0 },
    { limit: 1001 },
    { limit: 1.5 },
    { from: 'yesterday' },
    { to: '2024-02-30' },
    { patient: new Uint8Array(31) },
    { code: 'x'.repeat(513) },
    { organisations: Array.from({ length: 1025 }, () => new Uint8Array(32)) },
  ];
  for (const fault of faults) assert.is(await codeOfFailure(index.query({ limit: 10, ...fault })), 'query');
});

test('a cursor serves its own query alone, and must be as it was given', async ({ index }) => {
  const query = { kind: 'Kind0', limit: 5 };
  const cursor = (await index.query(query)).cursor!;
  assert.is((await index.query({ ...query, limit: 9, cursor })).hits.length, 9);
  for (const other of [{ kind: 'Kind1' }, { region: 'R1' }, { from: '2020' }])
    assert.is(await codeOfFailure(index.query({ ...query, ...other, cursor })), 'cursor');
  const changed = [cursor.slice(1), `${cursor}A`, `${cursor}=`, `${cursor.slice(0, -4)}+/+/`, '', 'x'.repeat(100_000)];
  for (const bad of changed) assert.is(await codeOfFailure(index.query({ ...query, cursor: bad })), 'cursor');
  // The sign of a date is one byte: midnight of 1970 has one sign only.
  const midnight = Buffer.from(encodeCursor(query, { dateMs: 0, recordId: new Uint8Array(16) }), 'base64url');
  assert.is((await index.query({ ...query, cursor: midnight.toString('base64url') })).hits.length, 5);
  midnight[9] = 1;
  assert.is(await codeOfFailure(index.query({ ...query, cursor: midnight.toString('base64url') })), 'cursor');
});

test('a cursor made for a place outside the range of dates is refused', async ({ index }) => {
  const query = { from: '2018', to: '2019', limit: 5 };
  for (const date of ['2017-12-31T23:59:59.999Z', '2020-01-01T00:00:00Z']) {
    const cursor = encodeCursor(query, { dateMs: Date.parse(date), recordId: new Uint8Array(16) });
    assert.is(await codeOfFailure(index.query({ ...query, cursor })), 'cursor');
  }
});

test('SQL in a value is a value', async ({ index }) => {
  for (const text of ["' OR 1=1 --", '"; DROP TABLE record; --', '%', '_', '?']) {
    const query = { kind: text, code: text, department: text, region: text, limit: 10 };
    assert.equal((await index.query(query)).hits, []);
  }
});

test('one code in two systems counts once by its bare form, and a system is not a prefix', async (context) => {
  const file = join(context.folder, 'codes.db');
  const index = await openOuterIndex(file);
  const [block] = sampleBlocks(9, 1, 1, SHAPE);
  const sample = { ...block!.records[0]!, fields: { ...FIELDS, codes: ['a|5', 'b|5', 'a|5', '7', 'a|x|y'] } };
  await index.apply([{ ...block!, records: [sample] }]);
  const count = async (code: string) => (await index.query({ code, limit: 10 })).hits.length;
  for (const code of ['5', 'a|5', 'b|5', '7', '|7', 'a|x|y', 'x|y']) {
    // A token with a bar names its system: "x|y" is code y of system x, which the record does not have.
    assert.is(await count(code), code === 'x|y' ? 0 : 1, code);
    const combined = await index.query({ code, patient: sample.patient, region: 'R', limit: 10 });
    assert.is(combined.hits.length, code === 'x|y' ? 0 : 1, code);
  }
  for (const code of ['c|5', 'a|', 'a', '|5', 'a|7']) assert.is(await count(code), 0, code);
  await index.close();
});

test('pages go on where they were while records are added, and find every record that stood before', async (context) => {
  const index = await openOuterIndex(join(context.folder, 'growing.db'));
  const blocks = sampleBlocks(12, 20, 30, SHAPE);
  await index.apply(blocks.slice(0, 10));
  const query = { from: '2015', limit: 11 };
  const before = naive(
    blocks.slice(0, 10).flatMap((block) => block.records),
    query,
  );
  const seen: string[] = [];
  let added = 10;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await index.query(cursor === undefined ? query : { ...query, cursor });
    assert.is(page.indexedHeight, added);
    seen.push(...page.hits.map((hit) => toHex(hit.recordId)));
    cursor = page.cursor;
    if (added < 20) {
      await index.apply([blocks[added]!]);
      added += 1;
    }
  }
  assert.is(new Set(seen).size, seen.length, 'no record twice');
  for (const row of before) assert.ok(seen.includes(toHex(row.recordId)));
  await index.close();
});

const FIELDS = { kind: 'K', codes: [], date: '2024-05-06', department: 'D', region: 'R', title: 'T' };

async function codeOfFailure(answer: Promise<unknown>): Promise<unknown> {
  const error: unknown = await answer.then(
    () => undefined,
    (reason) => reason,
  );
  return error instanceof Error && 'code' in error ? error.code : error;
}

test.run();
