import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyMap, rootHash, updateMap } from '../../src/ledger/state-map.ts';
import { mapChanges } from '../../src/ledger/state-overlay.ts';
import { openStore } from '../../src/storage/block-store.ts';
import { SnapshotStore } from '../../src/storage/snapshot-store.ts';
import { Child, GENESIS_HASH, inTemporaryFolder, makeCommit } from './fixtures.ts';
import { installState, readSnapshot, stateAt, storedRoot } from './snapshot-fixtures.ts';

const NEVER = new AbortController().signal;

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function write(snapshots: SnapshotStore, height: number, count?: number): Promise<Uint8Array> {
  const { entries, map } = stateAt(height, count);
  await snapshots.write({ height, map, entries: () => Readable.from(entries) }, NEVER);
  return rootHash(map);
}

test('a snapshot holds the whole state, chunk by chunk, also after reopening', () =>
  inTemporaryFolder(async (folder) => {
    const snapshots = await SnapshotStore.open(folder, GENESIS_HASH);
    const root = await write(snapshots, 7);
    assert.is((await readSnapshot(snapshots, 7, root)).length, 300);
    await snapshots.close();
    const again = await SnapshotStore.open(folder, GENESIS_HASH);
    assert.equal(again.heights, [7]);
    assert.equal(rootHash(updateMap(emptyMap, mapChanges(await readSnapshot(again, 7, root)))), root);
    assert.is(await again.chunk(8, new Uint8Array(32)), undefined);
    await again.close();
  }));

test('a large state goes through buckets on disk and comes out in order', () =>
  inTemporaryFolder(async (folder) => {
    const snapshots = await SnapshotStore.open(folder, GENESIS_HASH);
    const root = await write(snapshots, 3, 60_000);
    const entries = await readSnapshot(snapshots, 3, root);
    assert.is(entries.length, 60_000);
    assert.equal(rootHash(updateMap(emptyMap, mapChanges(entries))), root);
    assert.equal(readdirSync(folder), ['3'], 'the temporary files are gone');
    await snapshots.close();
  }));

test('two snapshots are kept, the newest', () =>
  inTemporaryFolder(async (folder) => {
    const snapshots = await SnapshotStore.open(folder, GENESIS_HASH);
    for (const height of [16, 32, 48, 48]) await write(snapshots, height);
    assert.equal(snapshots.heights, [48, 32]);
    await readSnapshot(snapshots, 32, rootHash(stateAt(32).map));
    await snapshots.close();
    assert.equal(readdirSync(folder).sort(), ['32', '48']);
  }));

test('a snapshot given up midway leaves those before as they were', () =>
  inTemporaryFolder(async (folder) => {
    const snapshots = await SnapshotStore.open(folder, GENESIS_HASH);
    await write(snapshots, 1);
    const stop = new AbortController();
    const { entries, map } = stateAt(2);
    async function* half() {
      yield* entries.slice(0, 100);
      stop.abort(new Error('enough'));
      yield* entries.slice(100);
    }
    const refused = await snapshots.write({ height: 2, map, entries: half }, stop.signal).catch((error) => error);
    assert.is(refused.message, 'enough');
    assert.equal(snapshots.heights, [1]);
    await snapshots.close();
    assert.equal(readdirSync(folder), ['1']);
  }));

test('values of a later state can not pass into a snapshot unnoticed', () =>
  inTemporaryFolder(async (folder) => {
    const snapshots = await SnapshotStore.open(folder, GENESIS_HASH);
    const { map } = stateAt(5);
    await snapshots.write({ height: 5, map, entries: () => Readable.from(stateAt(6).entries) }, NEVER);
    const fault = await readSnapshot(snapshots, 5, rootHash(map)).catch((error: Error) => error.message);
    assert.is(fault, 'a chunk is refused: root');
    await snapshots.close();
  }));

test('the state read for a snapshot is that of its moment, whatever is committed meanwhile', () =>
  inTemporaryFolder(async (folder) => {
    const store = await openStore(folder, { genesisHash: GENESIS_HASH });
    await store.commitGenesis([]);
    for (const height of [1, 2, 3]) await store.commitBlocks([makeCommit(height)]);
    const rootThen = await storedRoot(store);
    const snapshot = store.stateSnapshot();
    for (const height of [4, 5]) await store.commitBlocks([makeCommit(height)]);
    const entries = await allOf(snapshot.entries());
    await snapshot.close();
    assert.equal(rootHash(updateMap(emptyMap, mapChanges(entries))), rootThen);
    assert.not.equal(await storedRoot(store), rootThen);
    await store.close();
  }));

test('damaged, unfinished and foreign files are removed at opening; a damaged chunk is not served', () =>
  inTemporaryFolder(async (folder) => {
    const snapshots = await SnapshotStore.open(folder, GENESIS_HASH);
    await write(snapshots, 16);
    await write(snapshots, 32);
    await snapshots.close();
    const [older, newer] = ['16', '32'].map((name) => path.join(folder, name));
    const bytes = readFileSync(older!);
    bytes[bytes.length - 30]! ^= 1;
    writeFileSync(older!, bytes);
    writeFileSync(path.join(folder, '48.part'), 'x');
    writeFileSync(path.join(folder, '48.sort'), 'x');
    writeFileSync(path.join(folder, '64'), readFileSync(newer!));
    writeFileSync(path.join(folder, '80'), '');
    const again = await SnapshotStore.open(folder, GENESIS_HASH);
    assert.equal(again.heights, [32]);
    await again.close();
    const chunkBytes = readFileSync(newer!);
    chunkBytes[200]! ^= 1;
    writeFileSync(newer!, chunkBytes);
    const damaged = await SnapshotStore.open(folder, GENESIS_HASH);
    assert.is(await damaged.chunk(32, new Uint8Array(32)), undefined);
    await damaged.close();
    const foreign = await SnapshotStore.open(folder, new Uint8Array(32));
    assert.equal(foreign.heights, []);
    await foreign.close();
  }));

test('killed at any moment while snapshots are written, whole ones remain: the last reported, or the one after', () =>
  inTemporaryFolder(async (folder) => {
    for (let round = 0; round < 6; round += 1) {
      const child = new Child('snapshot', folder);
      let last = Number(await child.line());
      for (let step = 0; step < 3; step += 1) last = Number(await child.line());
      await delay(2 * round);
      for (const line of await child.kill()) last = Number(line);
      const snapshots = await SnapshotStore.open(path.join(folder, 'snapshots'), GENESIS_HASH);
      const [newest, older] = snapshots.heights;
      assert.ok(newest === last || newest === last + 1, `${newest} after ${last}`);
      assert.is(older, newest! - 1);
      for (const height of snapshots.heights) await readSnapshot(snapshots, height, rootHash(stateAt(height).map));
      await snapshots.close();
    }
  }));

test('an installed state takes the place of the old one whole, and the chain goes on', () =>
  inTemporaryFolder(async (folder) => {
    let store = await openStore(folder, { genesisHash: GENESIS_HASH });
    await store.commitGenesis(stateAt(0).entries);
    for (const height of [1, 2]) await store.commitBlocks([makeCommit(height)]);
    assert.ok(store.stateValue(Uint8Array.of(1)) !== undefined);
    await installState(store, 40);
    for (let opening = 0; opening < 2; opening += 1) {
      assert.equal(store.tip(), { height: 40, hash: makeCommit(40).hash });
      assert.equal(await storedRoot(store), rootHash(stateAt(40).map));
      assert.is(store.stateValue(Uint8Array.of(1)), undefined, 'values of the old state are gone from the cache too');
      assert.is(store.transactionsCommitted(), 120);
      assert.equal([store.historyFrom, store.isInGap(2), store.isInGap(3), store.isInGap(40)], [41, false, true, true]);
      assert.equal(await store.bodies(2), makeCommit(2).transactions, 'blocks from before stay');
      assert.is(await store.bodies(40), undefined);
      assert.is(await store.header(20), undefined);
      assert.equal(await store.header(39), makeCommit(39).header);
      assert.equal(await store.certificate(40), makeCommit(40).certificate);
      assert.is(await store.certificate(39), undefined);
      assert.is(await store.heightOfHash(makeCommit(40).hash), 40);
      await store.close();
      store = await openStore(folder, { genesisHash: GENESIS_HASH });
    }
    await store.commitBlocks([makeCommit(41)]);
    assert.equal(await store.bodies(41), makeCommit(41).transactions);
    await installState(store, 60);
    assert.equal([store.historyFrom, store.isInGap(41), store.isInGap(42)], [61, false, true]);
    await store.close();
  }));

test('what was staged and never sealed is forgotten at the next opening', () =>
  inTemporaryFolder(async (folder) => {
    let store = await openStore(folder, { genesisHash: GENESIS_HASH });
    await store.commitGenesis(stateAt(0).entries);
    const staging = await store.beginInstall();
    await staging.putState(stateAt(9).entries);
    await store.close();
    store = await openStore(folder, { genesisHash: GENESIS_HASH });
    assert.equal(await storedRoot(store), rootHash(stateAt(0).map));
    assert.equal(await allOf((await store.beginInstall()).state()), []);
    await store.close();
  }));

test('killed at any moment while states are installed, one of them is there whole', () =>
  inTemporaryFolder(async (folder) => {
    await mkdir(path.join(folder, 'ledger'));
    for (let round = 0; round < 8; round += 1) {
      const child = new Child('install', folder);
      let last = Number(await child.line());
      await delay(3 * round);
      for (const line of await child.kill()) last = Number(line);
      const store = await openStore(path.join(folder, 'ledger'), { genesisHash: GENESIS_HASH });
      const { height } = store.tip()!;
      assert.ok(height === last || height === last + 10, `${height} after ${last}`);
      assert.equal(await storedRoot(store), rootHash(stateAt(height).map));
      assert.equal(await store.header(height), makeCommit(height).header);
      await store.close();
    }
  }));

test.run();
