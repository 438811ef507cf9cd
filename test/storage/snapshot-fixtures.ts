import { concatBytes, uintBytes } from '../../src/codec/bytes.ts';
import { pathAfter, readStateChunk } from '../../src/ledger/state-chunk.ts';
import { emptyMap, rootHash, type StateMap, updateMap } from '../../src/ledger/state-map.ts';
import { mapChanges } from '../../src/ledger/state-overlay.ts';
import type { StateEntry } from '../../src/storage/block-commit.ts';
import type { Store } from '../../src/storage/block-store.ts';
import type { SnapshotStore } from '../../src/storage/snapshot-store.ts';
import { bytesOf, makeCommit } from './fixtures.ts';

/** A made-up state after a height: some entries stay, some change, some come and go. */
export function stateAt(height: number, count = 300): { entries: StateEntry[]; map: StateMap } {
  const entries = Array.from({ length: count }, (_, number) => ({
    key: concatBytes(Uint8Array.of(2), uintBytes(number % 3 === 0 ? number + 1_000 * height : number, 4)),
    value: bytesOf(`${number % 2 === 0 ? height : 'same'}/${number}`, 30 + (number % 50)),
  }));
  const map = updateMap(emptyMap, mapChanges(entries));
  return { entries, map };
}

/** Installs the made-up state of a height into a store, with the header of that height and the one before. */
export async function installState(store: Store, height: number): Promise<void> {
  const { entries } = stateAt(height);
  const staging = await store.beginInstall();
  await staging.putState(entries.slice(100));
  await staging.putState(entries.slice(0, 150));
  const headers = [height - 1, height].map(makeCommit);
  await staging.putHeaders(
    headers.map((block) => ({ ...block, certificate: block.height === height ? block.certificate : null })),
  );
  const record = {
    tip: { height, hash: makeCommit(height).hash },
    transactions: 3 * height,
    gapFrom: store.tip()!.height + 1,
  };
  await store.install(staging, record, () => undefined);
}

/** All entries of a snapshot, chunk by chunk, each proven against `root`; throws on any fault or gap. */
export async function readSnapshot(snapshots: SnapshotStore, height: number, root: Uint8Array): Promise<StateEntry[]> {
  const entries: StateEntry[] = [];
  for (let next: Uint8Array | undefined = new Uint8Array(32); next !== undefined; ) {
    const encoded = await snapshots.chunk(height, next);
    if (encoded === undefined) throw new Error('a chunk is damaged or not here');
    const chunk = readStateChunk(root, encoded);
    if (typeof chunk === 'string') throw new Error(`a chunk is refused: ${chunk}`);
    entries.push(...chunk.entries);
    next = pathAfter(chunk);
  }
  return entries;
}

/** The root over the state that a store holds. */
export async function storedRoot(store: Store): Promise<Uint8Array> {
  const entries: StateEntry[] = [];
  for await (const entry of store.allState()) entries.push(entry);
  return rootHash(updateMap(emptyMap, mapChanges(entries)));
}
