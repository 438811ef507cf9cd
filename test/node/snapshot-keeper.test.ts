// A snapshot is of the state of its own block, whatever was committed with it.
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyMap } from '../../src/ledger/state-map.ts';
import { SnapshotKeeper } from '../../src/node/snapshot-keeper.ts';

/** A keeper at a head of some height, with an interval of 16, and what it did; a snapshot takes until `finish`. */
function keeperAt() {
  const seen = { writing: [] as number[], written: [] as number[], errors: [] as number[], views: 0 };
  const head = { height: 0, map: emptyMap, snapshotInterval: 16 };
  let finish: (error?: Error) => void = () => undefined;
  const keeper = new SnapshotKeeper({
    snapshots: {
      async write({ height }, signal) {
        seen.writing.push(height);
        await new Promise<void>((resolve, reject) => {
          finish = (error) => (error === undefined ? resolve() : reject(error));
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    },
    head: () => head,
    stateSnapshot() {
      seen.views += 1;
      return {
        entries: () => Readable.from([]) as never,
        close: async () => {
          seen.views -= 1;
        },
      };
    },
    onWritten: (height) => seen.written.push(height),
    onError: (height) => seen.errors.push(height),
  });
  /** Blocks that were committed at once. */
  const commit = (...heights: number[]) => {
    head.height = heights.at(-1)!;
    for (const height of heights) keeper.blockCommitted(height);
  };
  const settled = () => new Promise(setImmediate);
  return { keeper, head, seen, commit, settled, finish: (error?: Error) => finish(error) };
}

test('each multiple of the interval has a snapshot, unless one is being written', async () => {
  const { seen, commit, settled, finish } = keeperAt();
  commit(15);
  commit(16);
  commit(17);
  commit(32);
  finish();
  await settled();
  commit(48);
  finish(new Error('no room'));
  await settled();
  assert.equal(seen, { writing: [16, 48], written: [16], errors: [48], views: 0 });
});

test('of blocks committed at once only the last can have one: the state of the others is gone', async () => {
  const { seen, head, commit, settled } = keeperAt();
  commit(14, 15, 16, 17);
  assert.equal(seen.writing, []);
  // The interval changed in between, so that a batch did not end at its multiple.
  head.snapshotInterval = 20;
  commit(18, 19, 20, 21);
  assert.equal(seen.writing, []);
  commit(38, 39, 40);
  assert.equal(seen.writing, [40]);
  await settled();
});

test('a snapshot that is being written is given up when the node stops', async () => {
  const { keeper, seen, commit } = keeperAt();
  commit(16);
  await keeper.close();
  commit(32);
  assert.equal(seen, { writing: [16], written: [], errors: [], views: 0 });
});

test.run();
