import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Level } from 'level';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { uintBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { attachmentHash } from '../../src/ledger/transaction.ts';
import { openStore, type Store } from '../../src/storage/block-store.ts';
import { encodeFormat, FORMAT_KEY, heightKey, PREFIX, prefixed, sealValue } from '../../src/storage/schema.ts';
import { bytesOf, Child, GENESIS_HASH, groupAfter, inTemporaryFolder, makeCommit, storageError } from './fixtures.ts';

const OPTIONS = { genesisHash: GENESIS_HASH };

async function storeWithBlocks(folder: string, count: number): Promise<Store> {
  const store = await openStore(folder, OPTIONS);
  await store.commitGenesis([{ key: Uint8Array.of(9), value: bytesOf('genesis', 5) }]);
  for (let height = 1; height <= count; height += 1) await store.commitBlocks([makeCommit(height)]);
  return store;
}

/** Works on the bytes beneath a closed store. */
async function beneath(folder: string, work: (level: Level<Uint8Array, Uint8Array>) => Promise<void>): Promise<void> {
  const level = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
  await work(level);
  await level.close();
}

async function flipIn(folder: string, key: Uint8Array, at: number): Promise<void> {
  await beneath(folder, async (level) => {
    const value = Uint8Array.from((await level.get(key))!);
    value[at]! ^= 0x10;
    await level.put(key, value);
  });
}

async function checkBlock(store: Store, height: number): Promise<void> {
  const commit = makeCommit(height);
  assert.equal(await store.header(height), commit.header);
  assert.equal(await store.certificate(height), commit.certificate);
  assert.equal(await store.bodies(height), commit.transactions);
  assert.equal(await store.indexPages(height), commit.indexPages);
  assert.is(await store.heightOfHash(commit.hash), height);
  for (let index = 0; index < 3; index += 1) {
    assert.equal(await store.transaction(height, index), commit.transactions[index]);
    assert.equal(await store.locate(commit.txIds[index]!), { height, index });
  }
  const attachment = commit.attachments[0]!;
  assert.equal(await store.attachment(attachment.hash), attachment.bytes);
}

test('an empty store has no tip, then genesis, then its blocks, also after reopening', () =>
  inTemporaryFolder(async (folder) => {
    const empty = await openStore(folder, OPTIONS);
    assert.is(empty.tip(), undefined);
    await empty.commitGenesis([]);
    assert.equal(empty.tip(), { height: 0, hash: GENESIS_HASH });
    assert.is(await empty.header(0), undefined);
    await empty.commitBlocks([makeCommit(1)]);
    await empty.commitBlocks([makeCommit(2)]);
    await checkBlock(empty, 1);
    await empty.close();
    const reopened = await openStore(folder, OPTIONS);
    assert.equal(reopened.tip(), { height: 2, hash: makeCommit(2).hash });
    await checkBlock(reopened, 1);
    await checkBlock(reopened, 2);
    await reopened.close();
  }));

test('what was never stored is undefined', () =>
  inTemporaryFolder(async (folder) => {
    const store = await storeWithBlocks(folder, 1);
    for (const height of [0, 2, -1, 0.5, Number.NaN]) {
      assert.is(await store.header(height), undefined);
      assert.is(await store.bodies(height), undefined);
      assert.is(await store.transaction(height, 0), undefined);
    }
    assert.is(await store.transaction(1, 3), undefined);
    assert.is(await store.heightOfHash(bytesOf('none', 32)), undefined);
    assert.is(await store.locate(bytesOf('none', 32)), undefined);
    assert.is(await store.attachment(bytesOf('none', 32)), undefined);
    assert.is(store.stateValue(Uint8Array.of(77)), undefined);
    await store.close();
  }));

test('blocks written together stand as if each had been written alone', () =>
  inTemporaryFolder(async (folder) => {
    const everything = async (store: Store) => {
      const entries: unknown[] = [store.tip(), store.transactionsCommitted()];
      for await (const entry of store.allState()) entries.push(entry);
      return entries;
    };
    const [together, alone] = [path.join(folder, 'together'), path.join(folder, 'alone')];
    const one = await storeWithBlocks(alone, 9);
    const expected = await everything(one);
    await one.close();
    let store = await storeWithBlocks(together, 2);
    let isSeen = false;
    await store.commitBlocks([3, 4, 5, 6, 7, 8, 9].map(makeCommit), () => {
      isSeen = true;
      assert.is(store.tip()?.height, 9);
      assert.equal(store.stateValue(Uint8Array.of(1)), uintBytes(2, 8), 'the values follow in the same turn');
    });
    assert.ok(isSeen);
    for (let round = 0; round < 2; round += 1) {
      assert.equal(await everything(store), expected);
      for (let height = 1; height <= 9; height += 1) await checkBlock(store, height);
      await store.close();
      store = await openStore(together, OPTIONS);
    }
    await store.close();
  }));

test('commits must follow the tip one by one, alone', () =>
  inTemporaryFolder(async (folder) => {
    const store = await openStore(folder, OPTIONS);
    const rejects = async (promise: Promise<void>) =>
      assert.ok(
        await promise.then(
          () => false,
          () => true,
        ),
      );
    await rejects(store.commitBlocks([makeCommit(1)]));
    await store.commitGenesis([]);
    await rejects(store.commitGenesis([]));
    await rejects(store.commitBlocks([makeCommit(2)]));
    await rejects(store.commitBlocks([makeCommit(0)]));
    await rejects(store.commitBlocks([]));
    await rejects(store.commitBlocks([makeCommit(1), makeCommit(3)]));
    await rejects(store.commitBlocks([makeCommit(2), makeCommit(1)]));
    const first = store.commitBlocks([makeCommit(1)]);
    await rejects(store.commitBlocks([makeCommit(1)]));
    await first;
    assert.is(store.tip()?.height, 1);
    await rejects(store.commitBlocks([makeCommit(1)]));
    await checkBlock(store, 1);
    await store.close();
  }));

test('state is read as of the tip, also while a block is being written', () =>
  inTemporaryFolder(async (folder) => {
    const store = await openStore(folder, OPTIONS);
    await store.commitGenesis([{ key: Uint8Array.of(9), value: bytesOf('genesis', 5) }]);
    await store.commitBlocks([makeCommit(1)]);
    assert.equal(store.stateValue(Uint8Array.of(9)), bytesOf('genesis', 5));
    const height = () => store.stateValue(Uint8Array.of(1));
    for (let next = 2; next <= 5; next += 1) {
      let done = false;
      const commit = store.commitBlocks([makeCommit(next)]).then(() => {
        done = true;
      });
      while (!done) {
        assert.equal(height(), uintBytes(next - 1, 8));
        assert.is(store.tip()?.height, next - 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await commit;
      assert.equal(height(), uintBytes(next, 8));
      assert.is(store.stateValue(Uint8Array.of(2, next - 1)), undefined);
    }
    await store.close();
  }));

test('the cache follows every block', () =>
  inTemporaryFolder(async (folder) => {
    const store = await storeWithBlocks(folder, 1);
    for (let height = 2; height <= 6; height += 1) {
      assert.equal(store.stateValue(Uint8Array.of(2, height - 1)), bytesOf(`value ${height - 1}`, 50));
      await store.commitBlocks([makeCommit(height)]);
      assert.is(store.stateValue(Uint8Array.of(2, height - 1)), undefined);
      assert.equal(store.stateValue(Uint8Array.of(1)), uintBytes(height, 8));
    }
    await store.close();
  }));

test('all of the state comes out by key', () =>
  inTemporaryFolder(async (folder) => {
    const store = await storeWithBlocks(folder, 4);
    const entries: unknown[] = [];
    for await (const entry of store.allState()) entries.push(entry);
    assert.equal(entries, [
      { key: Uint8Array.of(1), value: uintBytes(4, 8) },
      { key: Uint8Array.of(2, 4), value: bytesOf('value 4', 50) },
      { key: Uint8Array.of(9), value: bytesOf('genesis', 5) },
    ]);
    await store.close();
  }));

test('the state of one family comes out by key, and no other', () =>
  inTemporaryFolder(async (folder) => {
    const store = await storeWithBlocks(folder, 4);
    const keysOf = async (family: number) => {
      const keys: Uint8Array[] = [];
      for await (const { key } of store.stateOfFamily(family)) keys.push(key);
      return keys;
    };
    assert.equal(await keysOf(1), [Uint8Array.of(1)]);
    assert.equal(await keysOf(2), [Uint8Array.of(2, 4)]);
    assert.equal(await keysOf(3), []);
    assert.equal(await keysOf(9), [Uint8Array.of(9)]);
    await store.close();
  }));

test('an attachment comes later, is checked, and is disposed of with a block', () =>
  inTemporaryFolder(async (folder) => {
    const store = await storeWithBlocks(folder, 1);
    const late = bytesOf('late', 64);
    await storageError('HashMismatch', () =>
      store.putAttachments([{ hash: attachmentHash(late), bytes: bytesOf('other', 64) }]),
    );
    await store.putAttachments([{ hash: attachmentHash(late), bytes: late }]);
    assert.equal(await store.attachment(attachmentHash(late)), late);
    await store.commitBlocks([{ ...makeCommit(2), disposedAttachments: [attachmentHash(late)] }]);
    assert.is(await store.attachment(attachmentHash(late)), undefined);
    await store.close();
  }));

test('what a block names without its bytes is wanted until it comes or is disposed of', () =>
  inTemporaryFolder(async (folder) => {
    let store = await storeWithBlocks(folder, 1);
    const [come, gone] = [bytesOf('come', 64), bytesOf('gone', 64)];
    const hashes = [attachmentHash(come), attachmentHash(gone)];
    await store.commitBlocks([{ ...makeCommit(2), wantedAttachments: hashes }]);
    await store.close();
    store = await openStore(folder, OPTIONS);
    const wanted = (await store.wantedAttachments(10)).map((hash) => Buffer.from(hash).toString('hex'));
    assert.equal(wanted.sort(), hashes.map((hash) => Buffer.from(hash).toString('hex')).sort());
    assert.is((await store.wantedAttachments(1)).length, 1);
    await store.putAttachments([{ hash: hashes[0]!, bytes: come }]);
    assert.equal(await store.wantedAttachments(10), [hashes[1]]);
    await store.commitBlocks([{ ...makeCommit(3), disposedAttachments: [hashes[1]!] }]);
    assert.equal(await store.wantedAttachments(10), []);
    await store.close();
  }));

test('a damaged or missing item is an error that names it, never bytes', () =>
  inTemporaryFolder(async (folder) => {
    const keys: readonly [Uint8Array, string, (store: Store) => unknown][] = [
      [heightKey(PREFIX.certificate, 1), 'certificate of block 1', (store) => store.certificate(1)],
      [heightKey(PREFIX.indexPages, 1), 'index pages of block 1', (store) => store.indexPages(1)],
      [heightKey(PREFIX.bodies, 1), 'transactions of block 1', (store) => store.bodies(1)],
    ];
    const { attachments } = makeCommit(1);
    await (await storeWithBlocks(folder, 2)).close();
    await flipIn(folder, prefixed(PREFIX.state, Uint8Array.of(1)), 6);
    await flipIn(folder, prefixed(PREFIX.attachment, attachments[0]!.hash), 6);
    await flipIn(folder, prefixed(PREFIX.location, makeCommit(1).txIds[0]!), 6);
    for (const [key] of keys) await flipIn(folder, key, 6);
    let store = await openStore(folder, OPTIONS);
    for (const [, item, read] of keys) {
      const error = await storageError('ItemDamaged', () => read(store));
      assert.is(error.item, item);
      assert.match(error.message, folder);
    }
    assert.match((await storageError('ItemDamaged', () => store.stateValue(Uint8Array.of(1)))).item, 'state value 01');
    await storageError('ItemDamaged', () => store.attachment(attachments[0]!.hash));
    await storageError('ItemDamaged', () => store.locate(makeCommit(1).txIds[0]!));
    await checkBlock(store, 2);
    // Fetched again, an attachment is whole.
    await store.putAttachments([attachments[0]!]);
    assert.equal(await store.attachment(attachments[0]!.hash), attachments[0]!.bytes);
    await store.close();
    await beneath(folder, async (level) => {
      for (const [key] of keys) await level.del(key);
    });
    store = await openStore(folder, OPTIONS);
    for (const [, item, read] of keys) assert.is((await storageError('ItemDamaged', () => read(store))).item, item);
    await store.close();
  }));

test('a damaged or missing header is named at opening', () =>
  inTemporaryFolder(async (folder) => {
    await (await storeWithBlocks(folder, 3)).close();
    await flipIn(folder, heightKey(PREFIX.header, 2), 20);
    assert.is((await storageError('ItemDamaged', () => openStore(folder, OPTIONS))).item, 'header of block 2');
    await beneath(folder, (level) => level.del(heightKey(PREFIX.header, 2)));
    assert.is((await storageError('ItemDamaged', () => openStore(folder, OPTIONS))).item, 'header of block 2');
    await beneath(folder, async (level) => {
      const key = heightKey(PREFIX.header, 2);
      await level.put(key, sealValue(key, makeCommit(2).header));
      await level.del(heightKey(PREFIX.header, 3));
    });
    assert.is((await storageError('ItemDamaged', () => openStore(folder, OPTIONS))).item, 'header of block 3');
  }));

test('damage to one transaction leaves the others of its block readable', () =>
  inTemporaryFolder(async (folder) => {
    await (await storeWithBlocks(folder, 1)).close();
    await flipIn(folder, heightKey(PREFIX.bodies, 1), 8 + 3 * 8 + 50);
    const store = await openStore(folder, OPTIONS);
    assert.match((await storageError('ItemDamaged', () => store.transaction(1, 0))).item, 'transaction 0 of block 1');
    assert.equal(await store.transaction(1, 2), makeCommit(1).transactions[2]);
    await storageError('ItemDamaged', () => store.bodies(1));
    await store.close();
  }));

test('a tip whose header is another is refused at opening', () =>
  inTemporaryFolder(async (folder) => {
    await (await storeWithBlocks(folder, 2)).close();
    await beneath(folder, async (level) => {
      const key = heightKey(PREFIX.header, 2);
      await level.put(key, sealValue(key, makeCommit(3).header));
    });
    assert.is((await storageError('ItemDamaged', () => openStore(folder, OPTIONS))).item, 'header of block 2');
  }));

test('another format, another ledger, foreign data and a lost CURRENT are refused in words', () =>
  inTemporaryFolder(async (folder) => {
    await (await storeWithBlocks(folder, 1)).close();
    const other = sha256(Uint8Array.of(9));
    assert.match(
      (await storageError('OtherLedger', () => openStore(folder, { genesisHash: other }))).message,
      'genesis',
    );
    await beneath(folder, async (level) => {
      await level.put(FORMAT_KEY, sealValue(FORMAT_KEY, encodeFormat(1, GENESIS_HASH)));
    });
    const error = await storageError('FormatUnsupported', () => openStore(folder, OPTIONS));
    assert.match(error.message, 'has format 1; this build reads format 2');
    await beneath(folder, (level) => level.del(FORMAT_KEY));
    await storageError('StoreUnreadable', () => openStore(folder, OPTIONS));
    const current = path.join(folder, 'CURRENT');
    await writeFile(current, 'nonsense');
    await storageError('StoreUnreadable', () => openStore(folder, OPTIONS));
    await rm(current);
    await storageError('StoreUnreadable', () => openStore(folder, OPTIONS));
  }));

test('a store is open once', () =>
  inTemporaryFolder(async (folder) => {
    const store = await openStore(folder, OPTIONS);
    await storageError('FolderLocked', () => openStore(folder, OPTIONS));
    await store.close();
    await (await openStore(folder, OPTIONS)).close();
  }));

test('a nonce is used once while it lives, across restarts', () =>
  inTemporaryFolder(async (folder) => {
    let store = await openStore(folder, OPTIONS);
    const together = await Promise.all([store.useNonce('a', 2000, 1000), store.useNonce('a', 2000, 1000)]);
    assert.equal(together.sort(), [false, true]);
    assert.ok(await store.useNonce('b', 9000, 1000));
    assert.not.ok(await store.useNonce('late', 1000, 1000));
    await store.close();
    store = await openStore(folder, OPTIONS);
    assert.not.ok(await store.useNonce('a', 5000, 1999));
    assert.not.ok(await store.useNonce('b', 9000, 1999));
    // Past its time it is free again, and its place on disk is given up.
    assert.ok(await store.useNonce('c', 9000, 4000));
    await store.close();
    await beneath(folder, async (level) => {
      const names: string[] = [];
      for await (const key of level.keys({ gte: Uint8Array.of(PREFIX.nonce) })) names.push(Buffer.from(key).toString());
      assert.equal(names, ['\x0bb', '\x0bc']);
    });
  }));

test('killed at any moment, the store reopens whole after the last blocks it reported, or all of the next ones', () =>
  inTemporaryFolder(async (folder) => {
    let reported = 0;
    for (let round = 0; round < 4; round += 1) {
      const child = new Child('commit', folder);
      for (let count = 0; count <= 7 * round; count += 1) reported = Number(await child.line());
      const rest = await child.kill();
      reported = Number(rest.at(-1) ?? reported);
      const store = await openStore(folder, OPTIONS);
      const { height } = store.tip()!;
      const whole = [reported, reported + groupAfter(reported)];
      assert.ok(whole.includes(height), `tip ${height}, reported ${reported}`);
      for (let at = Math.max(1, height - 20); at <= height; at += 1) await checkBlock(store, at);
      assert.equal(store.stateValue(Uint8Array.of(1)), uintBytes(height, 8));
      await store.close();
    }
  }));

test('a batch torn anywhere in the log of level is gone as a whole', () =>
  inTemporaryFolder(async (folder) => {
    await (await storeWithBlocks(folder, 1)).close();
    const store = await openStore(folder, OPTIONS);
    const log = path.join(folder, (await readdir(folder)).find((name) => name.endsWith('.log'))!);
    const before = (await readFile(log)).length;
    await store.commitBlocks([2, 3, 4].map(makeCommit));
    const after = await readFile(log);
    await store.close();
    const names = await readdir(folder);
    const files = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
    for (const length of [before, before + 1, before + 100, before + 2_000, after.length - 1, after.length]) {
      await inTemporaryFolder(async (copy) => {
        for (const [i, name] of names.entries()) {
          const bytes = path.join(folder, name) === log ? after.subarray(0, length) : files[i]!;
          await writeFile(path.join(copy, name), bytes);
        }
        const torn = await openStore(copy, OPTIONS);
        const height = length === after.length ? 4 : 1;
        assert.is(torn.tip()?.height, height);
        assert.equal(torn.stateValue(Uint8Array.of(1)), uintBytes(height, 8));
        for (const lost of [2, 3, 4])
          assert.is((await torn.locate(makeCommit(lost).txIds[0]!)) === undefined, height === 1);
        await torn.close();
      });
    }
  }));

test('a batch that level lost from the middle of its log is noticed at opening', () =>
  inTemporaryFolder(async (folder) => {
    await (await storeWithBlocks(folder, 40)).close();
    const log = path.join(folder, (await readdir(folder)).find((name) => name.endsWith('.log'))!);
    const bytes = await readFile(log);
    assert.ok(bytes.length > 3 * 32 * 1024, 'too short to be cut in the middle');
    bytes[40_000]! ^= 1;
    await writeFile(log, bytes);
    for (let round = 0; round < 2; round += 1)
      assert.match((await storageError('ItemDamaged', () => openStore(folder, OPTIONS))).item, 'header of block');
  }));

test.run();
