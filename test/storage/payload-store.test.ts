import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { openPayloadStore, PAYLOAD_BLOCK_BYTES_MAX, QUARANTINED_FILES_MAX } from '../../src/storage/payload-store.ts';
import { bytesOf, inTemporaryFolder, storageError } from './fixtures.ts';

const QUOTA = { quotaBytes: 1000 };

/** The CID of a raw leaf, put together by hand: 0x01 0x55 0x12 0x20 ‖ SHA-256. */
function cidOf(bytes: Uint8Array): string {
  return CID.decode(concatBytes(Uint8Array.of(0x01, 0x55, 0x12, 0x20), sha256(bytes))).toString();
}

function fileOf(folder: string, cid: string): string {
  return path.join(folder, cid.at(-3)!, cid.at(-2)!, cid);
}

test('a block comes back by its CID, also after reopening', () =>
  inTemporaryFolder(async (folder) => {
    const block = bytesOf('block', 300);
    const store = await openPayloadStore(folder, QUOTA);
    assert.is(await store.get(cidOf(block)), undefined);
    await store.put(cidOf(block), block);
    assert.equal(await store.get(cidOf(block)), block);
    await store.close();
    const reopened = await openPayloadStore(folder, QUOTA);
    assert.equal(await reopened.get(cidOf(block)), block);
    assert.is(reopened.usedBytes, 300);
  }));

test('an inner node of a DAG is a block too', () =>
  inTemporaryFolder(async (folder) => {
    const node = bytesOf('links', 90);
    const cid = CID.createV1(0x70, Digest.create(0x12, sha256(node))).toString();
    const store = await openPayloadStore(folder, QUOTA);
    await store.put(cid, node);
    assert.equal(await store.get(cid), node);
  }));

test('bytes of another hash, other kinds of names and too large blocks are refused', () =>
  inTemporaryFolder(async (folder) => {
    const store = await openPayloadStore(folder, { quotaBytes: 10 * PAYLOAD_BLOCK_BYTES_MAX });
    const block = bytesOf('block', 30);
    await storageError('HashMismatch', () => store.put(cidOf(block), bytesOf('other', 30)));
    const names = [
      CID.createV0(Digest.create(0x12, sha256(block))).toString(),
      CID.createV1(0x71, Digest.create(0x12, sha256(block))).toString(),
      CID.createV1(0x55, Digest.create(0x00, block)).toString(),
      cidOf(block).toUpperCase(),
      '../../../../etc/passwd',
      '',
      'b'.repeat(100_000),
    ];
    for (const name of names) {
      await storageError('PayloadUnsupported', () => store.put(name, block));
      await storageError('PayloadUnsupported', () => store.get(name));
      await storageError('PayloadUnsupported', () => store.remove(name));
    }
    const large = new Uint8Array(PAYLOAD_BLOCK_BYTES_MAX + 1);
    await storageError('PayloadUnsupported', () => store.put(cidOf(large), large));
    await store.put(cidOf(large.subarray(1)), large.subarray(1));
    assert.is(store.usedBytes, PAYLOAD_BLOCK_BYTES_MAX);
  }));

test('the quota refuses new blocks, counts none twice and drops none', () =>
  inTemporaryFolder(async (folder) => {
    const [a, b, c] = ['a', 'b', 'c'].map((seed) => bytesOf(seed, 500)) as [Uint8Array, Uint8Array, Uint8Array];
    const store = await openPayloadStore(folder, QUOTA);
    await Promise.all([store.put(cidOf(a), a), store.put(cidOf(a), a), store.put(cidOf(b), b)]);
    assert.is(store.usedBytes, 1000);
    const error = await storageError('PayloadQuotaExceeded', () => store.put(cidOf(c), c));
    assert.match(error.remedy, 'storage.payloadQuotaBytes');
    await store.put(cidOf(a), a);
    assert.equal(await store.get(cidOf(a)), a);
    await Promise.all([store.remove(cidOf(b)), store.remove(cidOf(b))]);
    assert.is(store.usedBytes, 500);
    assert.is(await store.get(cidOf(b)), undefined);
    await store.put(cidOf(c), c);
    assert.is((await openPayloadStore(folder, QUOTA)).usedBytes, 1000);
  }));

test('of many blocks put at once, as many are taken as fit', () =>
  inTemporaryFolder(async (folder) => {
    const blocks = Array.from({ length: 8 }, (_, i) => bytesOf(`block ${i}`, 300));
    const store = await openPayloadStore(folder, QUOTA);
    const outcomes = await Promise.allSettled(blocks.map((block) => store.put(cidOf(block), block)));
    assert.is(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 3);
    assert.is(store.usedBytes, 900);
  }));

test('a damaged block is never served, goes to quarantine and can be stored anew', () =>
  inTemporaryFolder(async (folder) => {
    const block = bytesOf('block', 300);
    const cid = cidOf(block);
    const store = await openPayloadStore(folder, QUOTA);
    await store.put(cid, block);
    const bad = Uint8Array.from(await readFile(fileOf(folder, cid)));
    bad[77]! ^= 1;
    await writeFile(fileOf(folder, cid), bad);
    assert.is((await storageError('ItemDamaged', () => store.get(cid))).item, cid);
    assert.is(await store.get(cid), undefined);
    assert.is(store.usedBytes, 0);
    assert.equal(await readdir(path.join(folder, 'quarantine')), [cid]);
    await store.put(cid, block);
    assert.equal(await store.get(cid), block);
  }));

test('quarantine keeps a bounded number of files', () =>
  inTemporaryFolder(async (folder) => {
    const store = await openPayloadStore(folder, QUOTA);
    const quarantine = path.join(folder, 'quarantine');
    for (let i = 1; i < QUARANTINED_FILES_MAX; i += 1) await writeFile(path.join(quarantine, `earlier ${i}`), '');
    for (const [seed, kept] of [
      ['last', true],
      ['one more', false],
    ] as const) {
      const cid = cidOf(bytesOf(seed, 50));
      await store.put(cid, bytesOf(seed, 50));
      await writeFile(fileOf(folder, cid), bytesOf('bad', 50));
      await storageError('ItemDamaged', () => store.get(cid));
      assert.is(await store.get(cid), undefined);
      assert.is((await readdir(quarantine)).includes(cid), kept);
    }
  }));

test('what a crash left half written is gone after reopening', () =>
  inTemporaryFolder(async (folder) => {
    const block = bytesOf('block', 300);
    await mkdir(path.join(folder, 'incoming'), { recursive: true });
    await writeFile(path.join(folder, 'incoming', cidOf(block)), block.subarray(0, 100));
    const store = await openPayloadStore(folder, QUOTA);
    assert.equal(await readdir(path.join(folder, 'incoming')), []);
    assert.is(store.usedBytes, 0);
    assert.is(await store.get(cidOf(block)), undefined);
  }));

test.run();
