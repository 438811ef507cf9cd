import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes } from '../../src/codec/bytes.ts';
import { HeldBlocks } from '../../src/node/held-blocks.ts';
import { Mempool } from '../../src/node/mempool.ts';
import { createRequestServer } from '../../src/node/request-server.ts';
import type { Store } from '../../src/storage/block-store.ts';
import type { PayloadStore } from '../../src/storage/payload-store.ts';
import { StorageError } from '../../src/storage/storage-error.ts';

test('a damaged attachment costs the asker that one alone, and the operator hears of it', async () => {
  const [sound, damaged, unknown] = [1, 2, 3].map((value) => new Uint8Array(32).fill(value)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const kept = Uint8Array.of(7, 7);
  const store = {
    attachment: async (hash: Uint8Array) => {
      if (equalBytes(hash, damaged)) throw new StorageError('ItemDamaged', 'attachment', 'It is damaged.', 'Wait.');
      return equalBytes(hash, sound) ? kept : undefined;
    },
  } as unknown as Store;
  const heard: unknown[] = [];
  const server = createRequestServer({
    store,
    mempool: new Mempool({ transactions: 1, bytes: 1 }),
    held: new HeldBlocks(),
    payloads: {} as PayloadStore,
    onDamaged: (error) => heard.push(error),
  });
  assert.equal(await server.attachments([sound, damaged, unknown]), [kept, null, null]);
  assert.is(heard.length, 1);
  assert.instance(heard[0], StorageError);
});

test.run();
