import { emptyMap, type StateMap, updateMap } from '../ledger/state-map.ts';
import { mapChanges } from '../ledger/state-overlay.ts';
import type { StateEntry } from '../storage/block-commit.ts';

/** Entries hashed at once. */
const BATCH_ENTRIES = 10_000;

/** The state map over a whole state: what its root is compared with is the caller's to know. */
export async function mapOfState(entries: AsyncIterable<StateEntry>): Promise<StateMap> {
  let map = emptyMap;
  let batch: StateEntry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < BATCH_ENTRIES) continue;
    map = updateMap(map, mapChanges(batch));
    batch = [];
  }
  return updateMap(map, mapChanges(batch));
}
