/**
 * What went wrong with the outer index:
 * - `corrupt`, `schema`, `diverged`: the file can not be used; `medledger reindex` builds it anew from the chain.
 * - `gap`, `query`, `cursor`: the caller asked for what can not be done; nothing changed.
 * - `locked`: another process has the file open.
 * - `storage`: the file can not be read or written (disk full, permissions).
 * - `busy`: too many requests wait; try again.
 * - `stopped`: the index was closed or its worker thread ended.
 */
export type OuterIndexErrorCode =
  | 'corrupt'
  | 'schema'
  | 'diverged'
  | 'gap'
  | 'query'
  | 'cursor'
  | 'locked'
  | 'storage'
  | 'busy'
  | 'stopped';

/** A fault of the outer index; the message says what the operator or caller can do. */
export class OuterIndexError extends Error {
  override readonly name = 'OuterIndexError';
  readonly code: OuterIndexErrorCode;

  constructor(code: OuterIndexErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The typed form of anything thrown while the file `file` was used. */
export function outerIndexError(error: unknown, file: string): OuterIndexError {
  if (error instanceof OuterIndexError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const result = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
  if (result === SQLITE_CORRUPT || result === SQLITE_NOTADB)
    return new OuterIndexError(
      'corrupt',
      `The search index ${file} is damaged (${text}): run medledger reindex`,
      error,
    );
  if (result === SQLITE_BUSY)
    return new OuterIndexError('locked', `Another process has ${file} open: stop the node that uses it`, error);
  return new OuterIndexError(
    'storage',
    `The search index ${file} can not be used (${text}): check free space and permissions`,
    error,
  );
}
