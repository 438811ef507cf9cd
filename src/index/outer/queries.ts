import type { Position } from './cursor.ts';
import type { DateRange, OuterQuery } from './query.ts';

/*
 * All SQL of the outer index stands in this file, and only here. It is SQLite's; another server gets a file with the
 * same exports. What differs by dialect: PRAGMAs, UPSERT, row values, INDEXED BY, json_each, WITHOUT ROWID.
 */

/** Marks the file as this program's index ("MEDL"), and its layout. Any change of SCHEMA raises the version. */
export const APPLICATION_ID = 0x4d45444c;
/** Version of the tables; an index of another version is built anew. */
export const SCHEMA_VERSION = 2;

/**
 * Set on every connection. The exclusive lock keeps a second process out; secure_delete overwrites what is deleted,
 * so that a disposed record leaves no readable bytes in the file. A commit does not wait for the disk: after a power
 * failure the file stands after an earlier one, and the feed goes on from there. A page that many commits change is
 * written to the file once for all of them: 8,192 pages are half of what the log may keep.
 */
export const CONNECTION_SETTINGS: readonly string[] = [
  'PRAGMA locking_mode = EXCLUSIVE',
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = NORMAL',
  'PRAGMA wal_autocheckpoint = 8192',
  'PRAGMA secure_delete = ON',
  'PRAGMA cache_size = -65536',
  'PRAGMA journal_size_limit = 67108864',
];

/**
 * Every value a query may name has an index that goes on with (date_ms, record_id), the order of the answer, so that a
 * page is read from where it starts and not sorted. Pairs that are much narrower than either half have their own.
 * record_author carries the fields it is combined with: one author may have thousands of records, each on another page
 * of the table, and what does not match is passed over without reading them.
 * record_code repeats date, id and region of its record for the same reason; `repeat` counts the rows of one code in
 * different systems, 0 being the first, so that a search for the bare code meets each record once. record_version has
 * every version applied, of which record keeps the newest alone.
 */
const SCHEMA = `
  CREATE TABLE applied (height INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
  CREATE TABLE record (
    number INTEGER PRIMARY KEY,
    record_id BLOB NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    patient BLOB NOT NULL,
    author BLOB NOT NULL,
    organisation BLOB NOT NULL,
    class INTEGER NOT NULL,
    status TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    height INTEGER NOT NULL,
    tx_index INTEGER NOT NULL,
    tx_id BLOB NOT NULL,
    date_ms INTEGER NOT NULL,
    kind TEXT,
    codes TEXT,
    date TEXT,
    department TEXT,
    region TEXT,
    title TEXT
  ) STRICT;
  CREATE INDEX record_date ON record (date_ms, record_id);
  CREATE INDEX record_patient ON record (patient, date_ms, record_id);
  CREATE INDEX record_author ON record (author, date_ms, record_id, organisation, kind, department, region);
  CREATE INDEX record_organisation ON record (organisation, date_ms, record_id);
  CREATE INDEX record_kind ON record (kind, date_ms, record_id) WHERE kind IS NOT NULL;
  CREATE INDEX record_department ON record (department, date_ms, record_id) WHERE department IS NOT NULL;
  CREATE INDEX record_region ON record (region, date_ms, record_id) WHERE region IS NOT NULL;
  CREATE INDEX record_organisation_department ON record (organisation, department, date_ms, record_id)
    WHERE department IS NOT NULL;
  CREATE INDEX record_kind_department ON record (kind, department, date_ms, record_id) WHERE kind IS NOT NULL;
  CREATE INDEX record_kind_region ON record (kind, region, date_ms, record_id) WHERE kind IS NOT NULL;
  CREATE TABLE record_code (
    code TEXT NOT NULL,
    date_ms INTEGER NOT NULL,
    record_id BLOB NOT NULL,
    repeat INTEGER NOT NULL,
    system TEXT NOT NULL,
    region TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (code, date_ms, record_id, repeat)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX record_code_region ON record_code (region, code, date_ms, record_id, repeat, system, number);
  CREATE TABLE record_version (
    record_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    height INTEGER NOT NULL,
    tx_index INTEGER NOT NULL,
    PRIMARY KEY (record_id, version)
  ) STRICT, WITHOUT ROWID;
`;

/** Creates all tables in an empty file, in one transaction with the marks that say so. */
export const CREATE_SCHEMA = `
  BEGIN IMMEDIATE;
  ${SCHEMA}
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
  COMMIT;
`;

/** What a file says of itself before anything is done to it. */
export const READ_APPLICATION_ID = 'PRAGMA application_id';
/** The version of its tables. */
export const READ_SCHEMA_VERSION = 'PRAGMA user_version';
/** How many tables it has: none where it was just made. */
export const COUNT_TABLES = 'SELECT count(*) AS tables FROM sqlite_schema';

/** Transactions: one for each batch of blocks. */
export const BEGIN = 'BEGIN IMMEDIATE';
/** Keeps what the transaction changed. */
export const COMMIT = 'COMMIT';
/** Undoes it. */
export const ROLLBACK = 'ROLLBACK';
/** Empties the write-ahead log, so that what was deleted is not left readable there. */
export const TRUNCATE_LOG = 'PRAGMA wal_checkpoint(TRUNCATE)';

/** How far the index is. */
export const APPLIED_HEIGHT = 'SELECT coalesce(max(height), 0) AS height FROM applied';
/** Which block of a height is in it. */
export const APPLIED_HASH = 'SELECT hash FROM applied WHERE height = ?';
/** Marks a block as applied. */
export const INSERT_APPLIED = 'INSERT INTO applied (height, hash) VALUES (?, ?)';

/** What of a record has to be known to replace or delete it. */
export const SELECT_FOR_CHANGE = 'SELECT number, version, date_ms, codes FROM record WHERE record_id = ?';
/** Deletes a code of a record. */
export const DELETE_CODE = 'DELETE FROM record_code WHERE code = ? AND date_ms = ? AND record_id = ?';
/** Deletes the row of a record; its codes and versions have their own. */
export const DELETE_RECORD = 'DELETE FROM record WHERE number = ?';
/** Deletes what was readable of a record that can no longer be opened. */
export const CLOSE_RECORD = `UPDATE record SET date_ms = ?, kind = NULL, codes = NULL, date = NULL, department = NULL,
  region = NULL, title = NULL WHERE number = ?`;
/** Adds a code of a record. */
export const INSERT_CODE = `INSERT INTO record_code (code, date_ms, record_id, repeat, system, region, number)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
/** Adds a record in its newest version; changes nothing where it is there already: most are new, and need no look. */
export const INSERT_RECORD = `INSERT INTO record (record_id, version, patient, author, organisation, class, status,
  time_ms, height, tx_index, tx_id, date_ms, kind, codes, date, department, region, title)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record_id) DO NOTHING`;

/** The same version comes again when its fields can be opened later; its place in the chain stays. */
export const PUT_VERSION = `INSERT INTO record_version (record_id, version, height, tx_index) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET height = excluded.height, tx_index = excluded.tx_index`;
/** Forgets where the versions of a disposed record stand. */
export const DELETE_VERSIONS = 'DELETE FROM record_version WHERE record_id = ?';
/** The newest, up to a limit, in descending order. */
export const SELECT_VERSIONS = `SELECT version, height, tx_index FROM record_version WHERE record_id = ?
  ORDER BY version DESC LIMIT ?`;

/** A value bound to a parameter of a statement. */
type Bound = string | number | Uint8Array;

/** A statement with what is bound to it; the text holds no value, so it can be prepared once. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly Bound[];
}

/** An index by which the candidates of a query can be read in order. */
export interface AccessPath {
  readonly index: string;
  /** Fields of the query that the index fixes; the others are checked row by row. */
  readonly fixes: readonly Field[];
}

const FIELDS = ['patient', 'author', 'organisation', 'kind', 'department', 'region', 'code'] as const;
type Field = (typeof FIELDS)[number];

/** Narrower ones first: of two that look equal, the first is taken. */
const PATHS: readonly AccessPath[] = [
  { index: 'record_patient', fixes: ['patient'] },
  { index: 'record_author', fixes: ['author'] },
  { index: 'record_code_region', fixes: ['region', 'code'] },
  { index: 'record_code', fixes: ['code'] },
  { index: 'record_kind_department', fixes: ['kind', 'department'] },
  { index: 'record_kind_region', fixes: ['kind', 'region'] },
  { index: 'record_organisation_department', fixes: ['organisation', 'department'] },
  { index: 'record_department', fixes: ['department'] },
  { index: 'record_region', fixes: ['region'] },
  { index: 'record_kind', fixes: ['kind'] },
  { index: 'record_organisation', fixes: ['organisation'] },
  { index: 'record_date', fixes: [] },
];

/** The access paths open to a query, without those that another one narrows further. */
export function accessPaths(query: OuterQuery): readonly AccessPath[] {
  const possible = PATHS.filter((path) => path.fixes.every((field) => query[field] !== undefined));
  return possible.filter(
    (path) =>
      !possible.some(
        (other) => other.fixes.length > path.fixes.length && path.fixes.every((field) => other.fixes.includes(field)),
      ),
  );
}

/** Counts the candidates of a path from `after` to the end of the range, up to `max`. */
export function countCandidates(
  path: AccessPath,
  query: OuterQuery,
  after: Position,
  range: DateRange,
  max: number,
): Statement {
  const where = pathConditions(path, query, after, range);
  return {
    sql: `SELECT count(*) AS candidates FROM (SELECT 1 FROM ${source(path)} WHERE ${where.sql} LIMIT ?)`,
    values: [...where.values, max],
  };
}

/** Selects up to `limit` rows of a query after `after`, in order, by one path. */
export function selectRecords(
  path: AccessPath,
  query: OuterQuery,
  after: Position,
  range: DateRange,
  limit: number,
): Statement {
  const where = pathConditions(path, query, after, range);
  const rest = FIELDS.filter((field) => query[field] !== undefined && !path.fixes.includes(field));
  const conditions = [where.sql];
  const values = [...where.values];
  for (const field of rest) {
    const condition = field === 'code' ? codeProbe(query.code!) : { sql: `r.${field} = ?`, values: [query[field]!] };
    conditions.push(condition.sql);
    values.push(...condition.values);
  }
  if (query.organisations !== undefined) {
    conditions.push('r.organisation IN (SELECT unhex(value) FROM json_each(?))');
    values.push(JSON.stringify(query.organisations.map((address) => Buffer.from(address).toString('hex'))));
  }
  // CROSS JOIN keeps SQLite from turning the two tables round.
  const join = isCodePath(path) ? 'CROSS JOIN record r ON r.number = p.number' : '';
  const alias = isCodePath(path) ? 'p' : 'r';
  return {
    sql: `SELECT r.* FROM ${source(path)} ${join} WHERE ${conditions.join(' AND ')}
      ORDER BY ${alias}.date_ms, ${alias}.record_id LIMIT ?`,
    values: [...values, limit],
  };
}

/** The system and code of a token; the system is empty for a bare code. */
export function splitCode(token: string): { readonly system: string; readonly code: string } {
  const bar = token.indexOf('|');
  return bar < 0 ? { system: '', code: token } : { system: token.slice(0, bar), code: token.slice(bar + 1) };
}

function isCodePath(path: AccessPath): boolean {
  return path.fixes.includes('code');
}

function source(path: AccessPath): string {
  if (path.index === 'record_code') return 'record_code p NOT INDEXED';
  return isCodePath(path) ? `record_code p INDEXED BY ${path.index}` : `record r INDEXED BY ${path.index}`;
}

function pathConditions(path: AccessPath, query: OuterQuery, after: Position, range: DateRange): Statement {
  const alias = isCodePath(path) ? 'p' : 'r';
  const conditions: string[] = [];
  const values: Bound[] = [];
  for (const field of path.fixes) {
    const condition =
      field === 'code' ? codeCondition('p', query.code!) : { sql: `${alias}.${field} = ?`, values: [query[field]!] };
    conditions.push(condition.sql);
    values.push(...condition.values);
  }
  conditions.push(`(${alias}.date_ms, ${alias}.record_id) > (?, ?)`, `${alias}.date_ms <= ?`);
  values.push(after.dateMs, after.recordId, range.toMs);
  return { sql: conditions.join(' AND '), values };
}

function codeCondition(alias: string, token: string): Statement {
  const { system, code } = splitCode(token);
  return token.includes('|')
    ? { sql: `${alias}.code = ? AND ${alias}.system = ?`, values: [code, system] }
    : { sql: `${alias}.code = ? AND ${alias}.repeat = 0`, values: [code] };
}

function codeProbe(token: string): Statement {
  const { sql, values } = codeCondition('c', token);
  return {
    sql: `EXISTS (SELECT 1 FROM record_code c WHERE ${sql} AND c.date_ms = r.date_ms AND c.record_id = r.record_id)`,
    values,
  };
}
