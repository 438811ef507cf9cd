import { equalBytes } from '../codec/bytes.ts';
import type { BlockRows, RecordRow } from '../index/outer/rows.ts';
import { isRecordVersion } from '../ledger/action.ts';
import { blockHash, decodeHeader } from '../ledger/block.ts';
import type { RecordState } from '../ledger/state.ts';
import { type DecodedTransaction, decodeTransaction, recordIdOf } from '../ledger/transaction.ts';
import { type OrganisationKey, openRecordFields } from './record-fields.ts';

/** A committed block as the index takes it. */
export interface IndexedBlock {
  readonly hash: Uint8Array;
  readonly timestampMs: number;
  readonly transactions: readonly DecodedTransaction[];
}

/** A block as stored, decoded. */
export function indexedBlock(
  genesisHash: Uint8Array,
  header: Uint8Array,
  transactions: readonly Uint8Array[],
): IndexedBlock {
  return {
    hash: blockHash(header),
    timestampMs: decodeHeader(header).timestampMs,
    transactions: transactions.map((encoded) => decodeTransaction(genesisHash, encoded)),
  };
}

/** Where the rows of a block are taken from. */
export interface BlockSource {
  readonly genesisHash: Uint8Array;
  /** Undefined on a node that runs for no organisation: it indexes public facts alone. */
  readonly organisationKey: OrganisationKey | undefined;
  block(height: number): Promise<IndexedBlock>;
  record(recordId: Uint8Array): RecordState | undefined;
  attachment(hash: Uint8Array): Promise<Uint8Array | undefined>;
}

/** What a committed block adds to the outer index: one row for each version of a record. */
export async function blockRows(source: BlockSource, height: number): Promise<BlockRows> {
  const { hash, timestampMs, transactions } = await source.block(height);
  const rows = transactions.map((transaction, index) =>
    recordRow(source, transaction, { height, index, timeMs: timestampMs }),
  );
  const records = (await Promise.all(rows)).filter((row) => row !== undefined);
  return { height, hash, records, closed: [], disposed: [] };
}

async function recordRow(
  source: BlockSource,
  { transaction, txId }: DecodedTransaction,
  place: { readonly height: number; readonly index: number; readonly timeMs: number },
): Promise<RecordRow | undefined> {
  const { action } = transaction;
  if (!isRecordVersion(action)) return undefined;
  const isNew = action.kind === 'record.create';
  const recordId = isNew ? recordIdOf(source.genesisHash, action.author, transaction.salt) : action.recordId;
  const version = isNew ? 1 : action.expectedVersion + 1;
  const record = source.record(recordId);
  if (record === undefined) throw new Error('a committed record is missing from the state');
  const { organisation, patient } = record;
  return {
    recordId,
    version,
    patient,
    author: action.author,
    organisation,
    class: action.class,
    status: 'active',
    ...place,
    txId,
    fields: await searchFields(source, transaction.attachment?.hash, organisation, recordId, version),
  };
}

async function searchFields(
  source: BlockSource,
  attachmentHash: Uint8Array | undefined,
  organisation: Uint8Array,
  recordId: Uint8Array,
  version: number,
) {
  const key = source.organisationKey;
  if (attachmentHash === undefined || key === undefined || !equalBytes(key.address, organisation)) return null;
  const attachment = await source.attachment(attachmentHash);
  if (attachment === undefined) return null;
  return (await openRecordFields(attachment, key, source.genesisHash, recordId, version)) ?? null;
}
