import type { CheckedLevel } from './checked-level.ts';
import { checkRecentHeaders } from './recent-headers.ts';
import { decodeRanges, decodeTip, GAPS_KEY, type HeightRange, TIP_KEY, type Tip, type TipRecord } from './schema.ts';

/** What of a ledger store is kept in memory. */
export interface StoredLedger {
  /** Undefined in an empty store. */
  readonly record: TipRecord | undefined;
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
  return { record, gaps };
}
