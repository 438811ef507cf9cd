import { equalBytes } from '../codec/bytes.ts';
import { toBinaryString } from '../ledger/binary-string.ts';
import { RecentIds } from '../ledger/recent-ids.ts';
import { decodeStateValue, FAMILIES } from '../ledger/state.ts';
import { emptyMap, rootHash, type StateMap, updateMap } from '../ledger/state-map.ts';
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

/** Reads a whole state; undefined when it is not the one with this root. */
export async function deriveState(
  entries: AsyncIterable<StateEntry>,
  stateRoot: Uint8Array,
): Promise<DerivedState | undefined> {
  const pages: StateEntry[] = [];
  let map = emptyMap;
  let batch: StateEntry[] = [];
  for await (const entry of entries) {
    if (entry.key[0] === FAMILIES.recentIds.code) pages.push(entry);
    batch.push(entry);
    if (batch.length < BATCH_ENTRIES) continue;
    map = updateMap(map, mapChanges(batch));
    batch = [];
  }
  map = updateMap(map, mapChanges(batch));
  if (!equalBytes(rootHash(map), stateRoot)) return undefined;
  // Only now: what stands under another root may be anything.
  const recentIds = new RecentIds();
  for (const { key, value } of pages) recentIds.set(toBinaryString(key), decodeStateValue(FAMILIES.recentIds, value));
  return { map, recentIds };
}
