import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { attachmentHash } from '../../src/ledger/transaction.ts';
import { AttachmentKeeper } from '../../src/node/attachment-keeper.ts';
import type { AttachmentItem } from '../../src/storage/attachment-items.ts';
import { StorageError } from '../../src/storage/storage-error.ts';

type Reply = readonly (Uint8Array | null)[];
type Peer = (hashes: readonly Uint8Array[]) => Reply | Promise<Reply>;

function attachmentsOf(count: number): AttachmentItem[] {
  return Array.from({ length: count }, (_, at) => {
    const bytes = new Uint8Array(40).fill(at + 1);
    bytes[33] = at >> 8;
    return { hash: attachmentHash(bytes), bytes };
  });
}

/** A member that has all of these. */
function holderOf(items: readonly AttachmentItem[]): Peer {
  const byName = new Map(items.map(({ hash, bytes }) => [toHex(hash), bytes]));
  return (hashes) => hashes.map((hash) => byName.get(toHex(hash)) ?? null);
}

/** A keeper over a store in memory and members that answer as given. */
function keeperOf(peers: readonly Peer[]) {
  const stored = new Map<string, Uint8Array>();
  const damaged = new Set<string>();
  const asked: number[] = [];
  const reported: number[] = [];
  const counts = { underWay: 0, mostAtOnce: 0, writes: 0 };
  const nothing = () => undefined;
  const keeper = new AttachmentKeeper({
    store: {
      async attachment(hash) {
        if (damaged.has(toHex(hash))) throw new StorageError('ItemDamaged', 'attachment', 'It is damaged.', 'Wait.');
        return stored.get(toHex(hash));
      },
      async putAttachments(items) {
        counts.writes += 1;
        for (const { hash, bytes } of items) {
          stored.set(toHex(hash), bytes);
          damaged.delete(toHex(hash));
        }
      },
      wantedAttachments: async () => [],
    },
    requests: {
      connectedPeers: () => peers.map((_, place) => Uint8Array.of(place)),
      async requestAttachments(peer, hashes) {
        asked.push(hashes.length);
        counts.underWay += 1;
        counts.mostAtOnce = Math.max(counts.mostAtOnce, counts.underWay);
        await new Promise((resolve) => setImmediate(resolve));
        counts.underWay -= 1;
        return peers[peer[0]!]!(hashes);
      },
      reportMalformed: (peer) => reported.push(peer[0]!),
    },
    log: { info: nothing, warn: nothing },
  });
  return { keeper, stored, damaged, asked, reported, counts };
}

test('many are asked for together, are kept, and are not asked for again', async () => {
  const items = attachmentsOf(300);
  const hashes = items.map(({ hash }) => hash);
  const { keeper, stored, asked, counts } = keeperOf([holderOf(items)]);
  const found = await keeper.get(hashes);
  assert.is(found.size, 300);
  for (const { hash, bytes } of items) assert.equal(found.get(toHex(hash)), bytes);
  assert.is(stored.size, 300);
  assert.equal(asked, [128, 128, 44]);
  assert.is(counts.writes, 1);
  await keeper.get(hashes);
  assert.is(asked.length, 3);
  await keeper.close();
});

test('what the first member lacks the next is asked for; callers at the same time cause one request at a time', async () => {
  const items = attachmentsOf(10);
  const { keeper, counts, asked } = keeperOf([holderOf(items.slice(0, 4)), holderOf(items)]);
  const all = await Promise.all(items.map(({ hash }) => keeper.get([hash])));
  assert.ok(all.every((found) => found.size === 1));
  assert.is(counts.mostAtOnce, 1);
  assert.is(asked.length, 16);
  await keeper.close();
});

test('a member that is busy at first is asked again by those who have patience', async () => {
  const items = attachmentsOf(3);
  let refusals = 2;
  const busy: Peer = (hashes) => {
    refusals -= 1;
    if (refusals >= 0) throw new Error('busy');
    return holderOf(items)(hashes);
  };
  const { keeper } = keeperOf([busy]);
  const hashes = items.map(({ hash }) => hash);
  assert.is((await keeper.get(hashes)).size, 0);
  assert.is((await keeper.get(hashes, 10_000)).size, 3);
  await keeper.close();
});

test('wrong bytes are reported and not kept, and another member is asked', async () => {
  const items = attachmentsOf(2);
  const liar: Peer = (hashes) => hashes.map(() => new Uint8Array(40));
  const { keeper, stored, reported } = keeperOf([liar, holderOf(items)]);
  const found = await keeper.get(items.map(({ hash }) => hash));
  assert.is(found.size, 2);
  assert.equal(reported, [0]);
  for (const { hash, bytes } of items) assert.equal(stored.get(toHex(hash)), bytes);
  await keeper.close();
});

test('one that the disk damaged is replaced by what a member has', async () => {
  const [item] = attachmentsOf(1);
  const { keeper, damaged, stored } = keeperOf([holderOf([item!])]);
  damaged.add(toHex(item!.hash));
  assert.equal((await keeper.get([item!.hash])).get(toHex(item!.hash)), item!.bytes);
  assert.is(damaged.size, 0);
  assert.equal(stored.get(toHex(item!.hash)), item!.bytes);
  await keeper.close();
});

test('closing ends patience at once', async () => {
  const [item] = attachmentsOf(1);
  const { keeper } = keeperOf([]);
  const getting = keeper.get([item!.hash], 60_000);
  await keeper.close();
  assert.is((await getting).size, 0);
});

test.run();
