import type { Logger } from 'pino';
import { type OuterIndex, openOuterIndex } from '../index/outer/outer-index.ts';
import { genesisHash } from '../ledger/genesis.ts';
import { openStore, type Store } from '../storage/block-store.ts';
import type { DataFolder } from '../storage/data-folder.ts';
import { lockFolder } from '../storage/folder-lock.ts';
import { type Journal, openJournal } from '../storage/journal.ts';
import { openPayloadStore, type PayloadStore } from '../storage/payload-store.ts';

/** Everything of a node that is on disk, open and locked. */
export interface NodeData {
  readonly store: Store;
  readonly journal: Journal;
  readonly payloads: PayloadStore;
  readonly index: OuterIndex;
  /** Closes all of it, in reverse. */
  close(): Promise<void>;
}

/** Opens a node's data; what was opened is closed again when a later part fails. */
export async function openNodeData(
  folder: DataFolder,
  genesisDocument: Uint8Array,
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
    const store = await openStore(folder.ledger, { genesisHash: genesisHash(genesisDocument) });
    closers.push(() => store.close());
    const journal = await openJournal(folder.journal);
    closers.push(() => journal.close());
    if (journal.cutBytes > 0) log.warn({ bytes: journal.cutBytes }, 'a torn end of the journal was cut');
    const payloads = await openPayloadStore(folder.payloads, { quotaBytes: payloadQuotaBytes });
    closers.push(() => payloads.close());
    const index = await openOuterIndex(folder.index);
    closers.push(() => index.close());
    return { store, journal, payloads, index, close };
  } catch (error) {
    await close();
    throw error;
  }
}
