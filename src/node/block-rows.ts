import { equalBytes, toHex } from '../codec/bytes.ts';
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
  /** The genesis hash under which the block of a height was made. */
  genesisHashAt(height: number): Uint8Array;
  /** Undefined on a node that runs for no organisation: it indexes public facts alone. */
  readonly organisationKey: OrganisationKey | undefined;
  block(height: number): Promise<IndexedBlock>;
  record(recordId: Uint8Array): RecordState | undefined;
  /** Those of these attachments that can be had, by hash in hex. */
  attachments(hashes: readonly Uint8Array[]): Promise<ReadonlyMap<string, Uint8Array>>;
}

/** What a committed block adds to the outer index: one row for each version of a record. */
export async function blockRows(source: BlockSource, height: number): Promise<BlockRows> {
  const { hash, timestampMs, transactions } = await source.block(height);
  const versions = transactions.flatMap(
    (transaction, index) => recordVersion(source, transaction, { height, index, timeMs: timestampMs }) ?? [],
  );
  const attachments = await source.attachments(versions.flatMap(({ attachmentHash }) => attachmentHash ?? []));
  const records = await Promise.all(
    versions.map(async ({ row, attachmentHash }) => ({
      ...row,
      fields: await searchFields(source, attachmentHash && attachments.get(toHex(attachmentHash)), row),
    })),
  );
  return { height, hash, records, closed: [], disposed: [] };
}

/** A version of a record that a transaction made. */
interface RecordVersion {
  readonly row: Omit<RecordRow, 'fields'>;
  /** Of the attachment with its search fields, where the node has the key that opens them. */
  readonly attachmentHash: Uint8Array | undefined;
}

function recordVersion(
  source: BlockSource,
  { transaction, txId }: DecodedTransaction,
  place: { readonly height: number; readonly index: number; readonly timeMs: number },
): RecordVersion | undefined {
  const { action } = transaction;
  if (!isRecordVersion(action)) return undefined;
  const isNew = action.kind === 'record.create';
  const recordId = isNew
    ? recordIdOf(source.genesisHashAt(place.height), action.author, transaction.salt)
    : action.recordId;
  // What the first version says of these holds for all.
  const record = isNew ? action : source.record(recordId);
  if (record === undefined) throw new Error('a committed record is missing from the state');
  const { organisation, patient } = record;
  const { organisationKey } = source;
  const isOwn = organisationKey !== undefined && equalBytes(organisationKey.address, organisation);
  return {
    row: {
      recordId,
      version: isNew ? 1 : action.expectedVersion + 1,
      patient,
      author: action.author,
      organisation,
      class: action.class,
      status: 'active',
      ...place,
      txId,
    },
    attachmentHash: isOwn ? transaction.attachment?.hash : undefined,
  };
}

async function searchFields(
  source: BlockSource,
  attachment: Uint8Array | undefined,
  { recordId, version, height }: Pick<RecordRow, 'recordId' | 'version' | 'height'>,
) {
  const { organisationKey } = source;
  if (attachment === undefined || organisationKey === undefined) return null;
  return (await openRecordFields(attachment, organisationKey, source.genesisHashAt(height), recordId, version)) ?? null;
}
