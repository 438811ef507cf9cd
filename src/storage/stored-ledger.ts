import type { CheckedLevel } from './checked-level.ts';
import { nameByHeight } from './checked-level.ts';
import { checkRecentHeaders } from './recent-headers.ts';
import { RecentIdExpiry } from './recent-id-expiry.ts';
import {
  decodeRanges,
  decodeTip,
  decodeU64,
  GAPS_KEY,
  type HeightRange,
  PREFIX,
  RECENT_ID_BYTES,
  TIP_KEY,
  type Tip,
  type TipRecord,
} from './schema.ts';

/** What of a ledger store is kept in memory. */
export interface StoredLedger {
  /** Undefined in an empty store. */
  readonly record: TipRecord | undefined;
  readonly recentIds: RecentIdExpiry;
  /** Heights whose blocks were passed over by installing a snapshot, ascending. */
  readonly gaps: readonly HeightRange[];
}

/** Reads it from disk; `restartedFrom` is the last block before the start of a restarted ledger. Error: ItemDamaged. */
export async function readStoredLedger(level: CheckedLevel, restartedFrom: Tip | undefined): Promise<StoredLedger> {
  const gaps = (await level.value(GAPS_KEY, 'list of gaps', decodeRanges)) ?? [];
  const record = await level.value(TIP_KEY, 'tip record', decodeTip);
  if (record !== undefined) {
    const isStart = record.tip.height === restartedFrom?.height;
    await checkRecentHeaders(level, isStart ? restartedFrom : record.tip, gaps.at(-1)?.through ?? 1);
  }
  const recentIds = new RecentIdExpiry();
  for await (const { key, value } of level.items(PREFIX.recentIds, nameByHeight('recent transaction ids'))) {
    const height = decodeU64(key);
    if (height === undefined || value.length % RECENT_ID_BYTES !== 0) throw level.damaged('recent transaction ids');
    recentIds.add(height, value, record?.recentIdsRemovedBeforeMs ?? 0);
  }
  return { record, recentIds, gaps };
}
