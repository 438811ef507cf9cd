import type { Logger } from 'pino';
import { encodeJournalRecord } from '../consensus/journal-record.ts';
import { type OuterIndex, openOuterIndex } from '../index/outer/outer-index.ts';
import type { LedgerStart } from '../ledger/ledger-start.ts';
import type { Store } from '../storage/block-store.ts';
import type { DataFolder } from '../storage/data-folder.ts';
import { lockFolder } from '../storage/folder-lock.ts';
import { createJournal, type Journal, openJournal } from '../storage/journal.ts';
import { openLedger } from '../storage/open-ledger.ts';
import { openPayloadStore, type PayloadStore } from '../storage/payload-store.ts';
import { SnapshotStore } from '../storage/snapshot-store.ts';
import { StorageError } from '../storage/storage-error.ts';
import { encodeRecord } from './journal-entry.ts';
import { refuseHalfDone } from './pending-restart.ts';
import { installStartState } from './start-state.ts';

/** Everything of a node that is on disk, open and locked. */
export interface NodeData {
  readonly store: Store;
  readonly journal: Journal;
  readonly payloads: PayloadStore;
  readonly snapshots: SnapshotStore;
  readonly index: OuterIndex;
  /** Closes all of it, in reverse. */
  close(): Promise<void>;
}

/** Opens a node's data; what was opened is closed again when a later part fails. */
export async function openNodeData(
  folder: DataFolder,
  start: LedgerStart,
  payloadQuotaBytes: number,
  log: Logger,
): Promise<NodeData> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const lock = lockFolder(folder.root);
    closers.push(() => lock.release());
    refuseHalfDone(folder);
    const store = await openLedger(folder.ledger, start);
    closers.push(() => store.close());
    if (start.restart !== undefined && store.tip() === undefined)
      await installStartState(store, folder.startState, start);
    const journal = await openOrReplaceJournal(folder.journal, log);
    closers.push(() => journal.close());
    if (journal.cutBytes > 0) log.warn({ bytes: journal.cutBytes }, 'a torn end of the journal was cut');
    const payloads = await openPayloadStore(folder.payloads, { quotaBytes: payloadQuotaBytes });
    closers.push(() => payloads.close());
    const snapshots = await SnapshotStore.open(folder.snapshots, start.genesisHash);
    closers.push(() => snapshots.close());
    const index = await openOuterIndex(folder.index);
    closers.push(() => index.close());
    return { store, journal, payloads, snapshots, index, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * A key whose journal is gone may have signed what this node no longer knows: the new journal begins with that, and the
 * node signs nothing until the others have moved on (consensus.md §7).
 */
async function openOrReplaceJournal(file: string, log: Logger): Promise<Journal> {
  try {
    return await openJournal(file);
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'JournalMissing')) throw error;
    log.error(
      { file },
      'the journal is missing: the node stays silent until other validators have shown where they stand',
    );
    return createJournal(file, encodeRecord(encodeJournalRecord({ kind: 'Amnesia' })));
  }
}
