import { decode, encode } from '../codec/cbor.ts';
import { bytes, bytesUpTo, list, struct, union } from '../codec/schema.ts';
import { JOURNAL_RECORD_BYTES_MAX } from '../consensus/journal-record.ts';
import { BLOCK_BODY_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, bodiesSchema } from '../ledger/block.ts';
import { ATTACHMENT_BYTES_MAX } from '../ledger/transaction.ts';

/** Transactions of a block in order, and the attachments they declare (none for a re-proposed block). */
export interface HeldBodies {
  readonly transactions: readonly Uint8Array[];
  /** blind[32] ‖ bytes each. */
  readonly attachments: readonly Uint8Array[];
}

/** One entry of the journal file: a record of the core, or the bodies of a block that a record names. */
export type JournalEntry =
  | { readonly kind: 'Record'; readonly record: Uint8Array }
  | ({ readonly kind: 'Bodies'; readonly blockHash: Uint8Array } & HeldBodies);

/** Largest body entry: all bodies, and every transaction with a full attachment. */
const JOURNAL_ENTRY_BYTES_MAX =
  BLOCK_BODY_BYTES_MAX + BLOCK_TRANSACTIONS_MAX * (ATTACHMENT_BYTES_MAX + 8) + JOURNAL_RECORD_BYTES_MAX;

const entrySchema = union<JournalEntry>({
  Record: [1, struct({ record: bytesUpTo(JOURNAL_RECORD_BYTES_MAX) })],
  Bodies: [
    2,
    struct({
      blockHash: bytes(32),
      transactions: bodiesSchema,
      attachments: list(bytesUpTo(ATTACHMENT_BYTES_MAX), BLOCK_TRANSACTIONS_MAX),
    }),
  ],
});

/** The entry of a core record, given its encoding. */
export function encodeRecord(record: Uint8Array): Uint8Array {
  return encode(entrySchema, { kind: 'Record', record });
}

/** The entry of a block's bodies. */
export function encodeBodies(blockHash: Uint8Array, bodies: HeldBodies): Uint8Array {
  return encode(entrySchema, { kind: 'Bodies', blockHash, ...bodies });
}

/** Throws a DecodeError on anything that is not an entry. */
export function decodeJournalEntry(encoded: Uint8Array): JournalEntry {
  return decode(entrySchema, encoded, JOURNAL_ENTRY_BYTES_MAX);
}
