import { openOuterIndex } from '../index/outer/outer-index.ts';
import type { AppliedBlock, BlockRows } from '../index/outer/rows.ts';
import { genesisHashAt } from '../ledger/ledger-start.ts';
import { decodeStateValue, FAMILIES, type RecordState, stateKey } from '../ledger/state.ts';
import type { Store } from '../storage/block-store.ts';
import { checkDataFolder } from '../storage/data-folder.ts';
import { lockFolder } from '../storage/folder-lock.ts';
import { openLedger } from '../storage/open-ledger.ts';
import { blockBeforeHistory } from './before-history.ts';
import { type BlockSource, blockRows } from './block-rows.ts';
import { readIdentity } from './identity.ts';
import { storedAttachments, storedIndexedBlock } from './index-source.ts';
import { refuseHalfDone } from './pending-restart.ts';

/** Records, or blocks, put into the index in one transaction of its own. */
const RECORDS_PER_APPLY = 2_000;
const BLOCKS_PER_APPLY = 256;

/** What a new index holds. */
export interface ReindexResult {
  /** The first block that was read: 1, unless the node joined by a snapshot. */
  readonly fromHeight: number;
  readonly height: number;
  readonly records: number;
}

/**
 * Builds the search index of a stopped node anew from its blocks, whatever was in it. Cut off midway, the node goes on
 * with it at its next start. `onBlock` hears of the heights done. Rejects with a StorageError or OuterIndexError.
 */
export async function reindexData(
  folder: string,
  onBlock: (height: number, tipHeight: number) => void,
): Promise<ReindexResult> {
  const data = await checkDataFolder(folder);
  const lock = lockFolder(data.root);
  try {
    refuseHalfDone(data);
    const { start, organisationKey } = readIdentity(data);
    const store = await openLedger(data.ledger, start);
    try {
      const source: BlockSource = {
        genesisHashAt: (height) => genesisHashAt(start, height),
        organisationKey,
        record: (recordId) => storedRecord(store, recordId),
        attachments: (hashes) => storedAttachments(store, hashes),
        block: (height) => storedIndexedBlock(store, genesisHashAt(start, height), height),
      };
      return await build(data.index, source, await blockBeforeHistory(store), store.tip()?.height ?? 0, onBlock);
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
  }
}

async function build(
  file: string,
  source: BlockSource,
  before: AppliedBlock | undefined,
  tipHeight: number,
  onBlock: (height: number, tipHeight: number) => void,
): Promise<ReindexResult> {
  const index = await openOuterIndex(file, { fresh: true });
  try {
    if (before !== undefined) await index.reset(before);
    let height = before?.height ?? 0;
    let total = 0;
    while (height < tipHeight) {
      const blocks: BlockRows[] = [];
      let records = 0;
      while (height < tipHeight && records < RECORDS_PER_APPLY && blocks.length < BLOCKS_PER_APPLY) {
        height += 1;
        const rows = await blockRows(source, height);
        blocks.push(rows);
        records += rows.records.length;
      }
      await index.apply(blocks);
      total += records;
      onBlock(height, tipHeight);
    }
    return { fromHeight: (before?.height ?? 0) + 1, height: tipHeight, records: total };
  } finally {
    await index.close();
  }
}

function storedRecord(store: Store, recordId: Uint8Array): RecordState | undefined {
  const encoded = store.stateValue(stateKey(FAMILIES.record, recordId));
  return encoded === undefined ? undefined : decodeStateValue(FAMILIES.record, encoded);
}
