import type { AppliedBlock } from '../index/outer/rows.ts';
import { blockHash } from '../ledger/block.ts';
import type { Store } from '../storage/block-store.ts';

/** The last block of those that are not here, because the node joined by a snapshot; undefined where all are here. */
export async function blockBeforeHistory(
  store: Pick<Store, 'historyFrom' | 'header'>,
): Promise<AppliedBlock | undefined> {
  const height = store.historyFrom - 1;
  const header = height === 0 ? undefined : await store.header(height);
  return header && { height, hash: blockHash(header) };
}
