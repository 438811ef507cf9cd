import { toBinaryString } from '../ledger/binary-string.ts';
import { RecentIds } from '../ledger/recent-ids.ts';
import { decodeStateValue, FAMILIES } from '../ledger/state.ts';
import { emptyMap, type StateMap, updateMap } from '../ledger/state-map.ts';
import { mapChanges } from '../ledger/state-overlay.ts';
import type { StateEntry } from '../storage/block-commit.ts';

/** Entries hashed at once. */
const BATCH_ENTRIES = 10_000;

/** What follows from the entries of a state and is kept in memory beside them. */
export interface DerivedState {
  readonly map: StateMap;
  /** Follows the state from block to block: it belongs to whoever advances it. */
  readonly recentIds: RecentIds;
}

/**
 * Reads a whole state; what the root of the map is compared with is the caller's to know. Throws a DecodeError on a
 * damaged page of recent ids.
 */
export async function deriveState(entries: AsyncIterable<StateEntry>): Promise<DerivedState> {
  const recentIds = new RecentIds();
  let map = emptyMap;
  let batch: StateEntry[] = [];
  for await (const entry of entries) {
    const { key, value } = entry;
    if (key[0] === FAMILIES.recentIds.code)
      recentIds.set(toBinaryString(key), decodeStateValue(FAMILIES.recentIds, value));
    batch.push(entry);
    if (batch.length < BATCH_ENTRIES) continue;
    map = updateMap(map, mapChanges(batch));
    batch = [];
  }
  return { map: updateMap(map, mapChanges(batch)), recentIds };
}
