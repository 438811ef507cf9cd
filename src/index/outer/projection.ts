import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { equalBytes, toHex } from '../../codec/bytes.ts';
import { RECORD_ID_BYTES } from '../../ledger/action.ts';
import { decodeCursor, encodeCursor, type Position } from './cursor.ts';
import { dateInterval } from './date-interval.ts';
import { openIndexFile, recreateIndexFile } from './index-file.ts';
import { OuterIndexError, outerIndexError } from './outer-index-error.ts';
import * as sql from './queries.ts';
import { checkedRange, type DateRange, type OuterPage, type OuterQuery, UNDATED_MS } from './query.ts';
import {
  type AppliedBlock,
  type BlockRows,
  type ClinicalFields,
  RECORD_POSITIONS_MAX,
  type RecordPosition,
  type RecordRow,
} from './rows.ts';

/** Prepared statements kept; queries take a few dozen shapes. */
const STATEMENTS_MAX = 256;
/** Candidates counted before one access path is as good as another. */
const CANDIDATES_COUNTED = 2000;
/** So few candidates are read at once rather than looking for a narrower path. */
const CANDIDATES_FEW = 100;

type Row = Record<string, SQLOutputValue>;

/**
 * The index file itself, used by one thread of one process. Every method throws an OuterIndexError; what threw can be
 * repeated.
 */
export class Projection {
  readonly #file: string;
  #database: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  /** True while the write-ahead log may still show what was deleted: until it could be emptied. */
  #logHoldsDeleted = false;

  /** Opens or creates the file; `fresh` deletes what is there, unless another process has it open. */
  constructor(file: string, fresh: boolean) {
    this.#file = file;
    this.#database = fresh ? recreateIndexFile(file) : openIndexFile(file);
  }

  /** Highest height whose rows are in the file; 0 before the first. */
  appliedHeight(): number {
    return this.#guard(() => Number(this.#prepare(sql.APPLIED_HEIGHT).get()!['height']));
  }

  /** Applies blocks in one SQL transaction with the mark that they are applied; see OuterIndex.apply. */
  apply(blocks: readonly BlockRows[]): void {
    this.#guard(() => {
      this.#database.exec(sql.BEGIN);
      try {
        let height = this.appliedHeight();
        for (const block of blocks) {
          if (block.height <= height) {
            this.#checkApplied(block);
            continue;
          }
          if (block.height !== height + 1)
            throw new OuterIndexError('gap', `block ${block.height} can not be applied after block ${height}`);
          this.#applyBlock(block);
          height = block.height;
          this.#logHoldsDeleted ||= block.closed.length > 0 || block.disposed.length > 0;
        }
        this.#database.exec(sql.COMMIT);
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec(sql.ROLLBACK);
        throw error;
      }
      if (!this.#logHoldsDeleted) return;
      this.#database.exec(sql.TRUNCATE_LOG);
      this.#logHoldsDeleted = false;
    });
  }

  /** One page; see OuterIndex.query. */
  query(query: OuterQuery): OuterPage {
    return this.#guard(() => {
      const range = checkedRange(query);
      const start =
        query.cursor === undefined
          ? { dateMs: range.fromMs, recordId: new Uint8Array(0) }
          : decodeCursor(query, range, query.cursor);
      const path = this.#narrowestPath(query, start, range);
      const { sql: text, values } = sql.selectRecords(path, query, start, range, query.limit + 1);
      const rows = this.#prepare(text).all(...values) as Row[];
      const hits = rows.slice(0, query.limit).map(recordRow);
      const last = rows[query.limit - 1];
      const hasMore = rows.length > query.limit && last !== undefined;
      const cursor = hasMore
        ? encodeCursor(query, { dateMs: Number(last['date_ms']), recordId: bytesOf(last, 'record_id') })
        : null;
      return { hits, cursor, indexedHeight: this.appliedHeight() };
    });
  }

  /** Where the versions of a record were made; see OuterIndex.recordPositions. */
  recordPositions(recordId: Uint8Array): readonly RecordPosition[] {
    return this.#guard(() => {
      if (recordId.length !== RECORD_ID_BYTES)
        throw new OuterIndexError('query', `a record id has ${RECORD_ID_BYTES} bytes, not ${recordId.length}`);
      const rows = this.#prepare(sql.SELECT_VERSIONS).all(recordId, RECORD_POSITIONS_MAX) as Row[];
      return rows.reverse().map(recordPosition);
    });
  }

  /** Deletes everything, for building anew from the chain: from its first block, or from the one after `start`. */
  reset(start: AppliedBlock | null = null): void {
    this.close();
    this.#database = this.#guard(() => recreateIndexFile(this.#file));
    if (start !== null) this.#guard(() => this.#prepare(sql.INSERT_APPLIED).run(start.height, start.hash));
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #checkApplied(block: BlockRows): void {
    const hash = this.#prepare(sql.APPLIED_HASH).get(block.height)?.['hash'];
    if (hash instanceof Uint8Array && equalBytes(hash, block.hash)) return;
    throw new OuterIndexError(
      'diverged',
      `The search index ${this.#file} was built from another block ${block.height} than ${toHex(block.hash)}: ` +
        'run medledger reindex',
    );
  }

  #applyBlock(block: BlockRows): void {
    for (const record of block.records) this.#putRecord(record);
    for (const recordId of block.closed) this.#removeFields(recordId, false);
    for (const recordId of block.disposed) {
      this.#removeFields(recordId, true);
      this.#prepare(sql.DELETE_VERSIONS).run(recordId);
    }
    this.#prepare(sql.INSERT_APPLIED).run(block.height, block.hash);
  }

  #putRecord(row: RecordRow): void {
    this.#prepare(sql.PUT_VERSION).run(row.recordId, row.version, row.height, row.index);
    const { fields } = row;
    const dateMs = fields === null ? UNDATED_MS : (dateInterval(fields.date)?.firstMs ?? UNDATED_MS);
    let number = this.#insertRecord(row, dateMs);
    if (number === undefined) {
      const previous = this.#prepare(sql.SELECT_FOR_CHANGE).get(row.recordId)!;
      if (Number(previous['version']) > row.version) return;
      this.#deleteCodes(row.recordId, previous);
      this.#prepare(sql.DELETE_RECORD).run(Number(previous['number']));
      number = this.#insertRecord(row, dateMs)!;
    }
    if (fields === null) return;
    const repeats = new Map<string, number>();
    for (const token of new Set(fields.codes)) {
      const { system, code } = sql.splitCode(token);
      const repeat = repeats.get(code) ?? 0;
      repeats.set(code, repeat + 1);
      this.#prepare(sql.INSERT_CODE).run(code, dateMs, row.recordId, repeat, system, fields.region, number);
    }
  }

  /** The number of the new row; undefined where the record has one. */
  #insertRecord(row: RecordRow, dateMs: number): number | bigint | undefined {
    const { fields } = row;
    const { changes, lastInsertRowid } = this.#prepare(sql.INSERT_RECORD).run(
      row.recordId,
      row.version,
      row.patient,
      row.author,
      row.organisation,
      row.class,
      row.status,
      row.timeMs,
      row.height,
      row.index,
      row.txId,
      dateMs,
      fields?.kind ?? null,
      fields === null ? null : JSON.stringify(fields.codes),
      fields?.date ?? null,
      fields?.department ?? null,
      fields?.region ?? null,
      fields?.title ?? null,
    );
    return changes === 0 ? undefined : lastInsertRowid;
  }

  #removeFields(recordId: Uint8Array, whole: boolean): void {
    const row = this.#prepare(sql.SELECT_FOR_CHANGE).get(recordId);
    if (row === undefined) return;
    this.#deleteCodes(recordId, row);
    if (whole) this.#prepare(sql.DELETE_RECORD).run(Number(row['number']));
    else this.#prepare(sql.CLOSE_RECORD).run(UNDATED_MS, Number(row['number']));
  }

  #deleteCodes(recordId: Uint8Array, row: Row): void {
    if (row['codes'] === null) return;
    const codes = new Set(codesOf(row).map((token) => sql.splitCode(token).code));
    for (const code of codes) this.#prepare(sql.DELETE_CODE).run(code, Number(row['date_ms']), recordId);
  }

  /**
   * The access path with the fewest candidates, counted up to a bound. SQLite plans by averages, and clinical values
   * are far from average: one code stands in a tenth of all records, another in three.
   */
  #narrowestPath(query: OuterQuery, after: Position, range: DateRange): sql.AccessPath {
    const paths = sql.accessPaths(query);
    let best = paths[0]!;
    let fewest = CANDIDATES_COUNTED + 1;
    for (const path of paths.length > 1 ? paths : []) {
      const count = sql.countCandidates(path, query, after, range, Math.min(fewest, CANDIDATES_COUNTED));
      const candidates = Number(this.#prepare(count.sql).get(...count.values)!['candidates']);
      if (candidates < fewest) {
        best = path;
        fewest = candidates;
      }
      if (fewest <= CANDIDATES_FEW) break;
    }
    return best;
  }

  #prepare(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear();
      statement = this.#database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw outerIndexError(error, this.#file);
    }
  }
}

function recordRow(row: Row): RecordRow {
  return {
    recordId: bytesOf(row, 'record_id'),
    version: Number(row['version']),
    patient: bytesOf(row, 'patient'),
    author: bytesOf(row, 'author'),
    organisation: bytesOf(row, 'organisation'),
    class: Number(row['class']),
    status: row['status'] === 'contested' ? 'contested' : 'active',
    timeMs: Number(row['time_ms']),
    height: Number(row['height']),
    index: Number(row['tx_index']),
    txId: bytesOf(row, 'tx_id'),
    fields: fieldsOf(row),
  };
}

function recordPosition(row: Row): RecordPosition {
  return { version: Number(row['version']), height: Number(row['height']), index: Number(row['tx_index']) };
}

function fieldsOf(row: Row): ClinicalFields | null {
  if (row['kind'] === null) return null;
  return {
    kind: String(row['kind']),
    codes: codesOf(row),
    date: String(row['date']),
    department: String(row['department']),
    region: String(row['region']),
    title: String(row['title']),
  };
}

/** The column holds what this program wrote: anything else means that the file was changed. */
function codesOf(row: Row): readonly string[] {
  try {
    const codes: unknown = JSON.parse(String(row['codes']));
    if (Array.isArray(codes) && codes.every((code) => typeof code === 'string')) return codes;
  } catch {
    // Said below.
  }
  throw new OuterIndexError('corrupt', 'The search index holds a damaged row: run medledger reindex');
}

function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new OuterIndexError('corrupt', 'The search index holds a damaged row: run medledger reindex');
}
