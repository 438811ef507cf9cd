import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { OuterIndexError, outerIndexError } from './outer-index-error.ts';
import * as sql from './queries.ts';

/**
 * Opens the SQLite file of an index, creating it when absent. Throws an OuterIndexError: `corrupt` or `schema` when it
 * can not be used, `locked` while another process has it open.
 */
export function openIndexFile(file: string): DatabaseSync {
  try {
    // It holds clinical fields: created for the owner alone, before SQLite would with wider rights.
    closeSync(openSync(file, 'a', 0o600));
    const database = new DatabaseSync(file);
    try {
      for (const setting of sql.CONNECTION_SETTINGS) database.exec(setting);
      if (database.prepare(sql.COUNT_TABLES).get()!['tables'] === 0) database.exec(sql.CREATE_SCHEMA);
      checkLayout(database, file);
      // A process that died after a deletion may have left the deleted rows in the log.
      database.exec(sql.TRUNCATE_LOG);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw outerIndexError(error, file);
  }
}

/** An empty index in the place of whatever is there; throws `locked` while another process has it open. */
export function recreateIndexFile(file: string): DatabaseSync {
  try {
    openIndexFile(file).close();
  } catch (error) {
    if (!(error instanceof OuterIndexError) || (error.code !== 'corrupt' && error.code !== 'schema')) throw error;
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  return openIndexFile(file);
}

function checkLayout(database: DatabaseSync, file: string): void {
  const applicationId = database.prepare(sql.READ_APPLICATION_ID).get()!['application_id'];
  const version = database.prepare(sql.READ_SCHEMA_VERSION).get()!['user_version'];
  if (applicationId === sql.APPLICATION_ID && version === sql.SCHEMA_VERSION) return;
  throw new OuterIndexError('schema', `The search index ${file} has another layout: run medledger reindex`);
}
