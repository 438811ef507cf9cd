import { concatBytes, equalBytes, toHex, uintBytes, utf8 } from '../../codec/bytes.ts';
import { taggedHash } from '../../crypto/hash.ts';
import { RECORD_ID_BYTES } from '../../ledger/action.ts';
import { OuterIndexError } from './outer-index-error.ts';
import type { DateRange, OuterQuery } from './query.ts';

/** Where a page ended: the place of its last hit in the order. */
export interface Position {
  readonly dateMs: number;
  readonly recordId: Uint8Array;
}

const CURSOR_VERSION = 1;
const BINDING_BYTES = 8;
const DATE_BYTES = 7;
const CURSOR_BYTES = 1 + BINDING_BYTES + 1 + DATE_BYTES + RECORD_ID_BYTES;

/**
 * The cursor of a page of `query` that ended at `position`: base64url of version u8 ‖ binding 8 ‖ sign u8 ‖
 * |dateMs| u56be ‖ record id 16. It holds a place in the order and no rights: who turns the page is checked again.
 */
export function encodeCursor(query: OuterQuery, position: Position): string {
  const bytes = concatBytes(
    Uint8Array.of(CURSOR_VERSION),
    bindingOf(query),
    Uint8Array.of(position.dateMs < 0 ? 1 : 0),
    uintBytes(Math.abs(position.dateMs), DATE_BYTES),
    position.recordId,
  );
  return Buffer.from(bytes).toString('base64url');
}

/** The place a cursor names. Throws an OuterIndexError `cursor` unless it was given for this query, whose dates are `range`. */
export function decodeCursor(query: OuterQuery, range: DateRange, cursor: string): Position {
  const bytes = Uint8Array.from(Buffer.from(cursor.slice(0, 2 * CURSOR_BYTES), 'base64url'));
  const isOneOfOurs = bytes.length === CURSOR_BYTES && bytes[0] === CURSOR_VERSION && bytes[1 + BINDING_BYTES]! <= 1;
  // Node takes other alphabets and stray bits too: only the text that encodes these bytes counts.
  if (!isOneOfOurs || Buffer.from(bytes).toString('base64url') !== cursor)
    throw new OuterIndexError('cursor', 'The cursor is not one that this node gave: start again without it');
  if (!equalBytes(bytes.subarray(1, 1 + BINDING_BYTES), bindingOf(query)))
    throw new OuterIndexError('cursor', 'The cursor belongs to another query: start again without it');
  let magnitude = 0;
  for (const byte of bytes.subarray(2 + BINDING_BYTES, 2 + BINDING_BYTES + DATE_BYTES))
    magnitude = magnitude * 256 + byte;
  const dateMs = bytes[1 + BINDING_BYTES] === 1 ? -magnitude : magnitude;
  const isCanonical = Number.isSafeInteger(dateMs) && !Object.is(dateMs, -0);
  if (!isCanonical || dateMs < range.fromMs || dateMs > range.toMs)
    throw new OuterIndexError('cursor', 'The cursor is not one that this node gave: start again without it');
  return { dateMs, recordId: bytes.slice(-RECORD_ID_BYTES) };
}

/** Names what is asked for. Not the limit, nor the organisations in scope: both may change from page to page. */
function bindingOf(query: OuterQuery): Uint8Array {
  const { patient, author, organisation, kind, code, department, region, from, to } = query;
  const addresses = [patient, author, organisation].map((address) => (address === undefined ? null : toHex(address)));
  const texts = [kind, code, department, region, from, to].map((value) => value ?? null);
  return taggedHash('CURSOR', utf8(JSON.stringify([...addresses, ...texts]))).subarray(0, BINDING_BYTES);
}
