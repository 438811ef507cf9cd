import { type LedgerStart, lastBlockBefore } from '../ledger/ledger-start.ts';
import { openStore, type Store } from './block-store.ts';

/** Opens the store of the ledger that starts so. Errors: as of `openStore`. */
export function openLedger(folder: string, start: LedgerStart): Promise<Store> {
  const { genesisHash, parent } = start;
  const blockHash = lastBlockBefore(start);
  const restartedFrom = blockHash && { height: parent.height, hash: blockHash };
  return openStore(folder, restartedFrom === undefined ? { genesisHash } : { genesisHash, restartedFrom });
}
