import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeJournalRecord, type JournalRecord } from '../../src/consensus/journal-record.ts';
import type { PrePrepare, ViewChange } from '../../src/consensus/messages.ts';
import { encodeBodies, encodeRecord } from '../../src/node/journal-entry.ts';
import { JournalKeeper, readJournalContent } from '../../src/node/journal-keeper.ts';
import type { Journal } from '../../src/storage/journal.ts';
import { Bench } from '../consensus/bench.ts';

const hash = new Uint8Array(32);
const entryOf = (record: JournalRecord) => encodeRecord(encodeJournalRecord(record));
const truncated = (height: number) => entryOf({ kind: 'Truncated', height, blockHash: hash });
const left = (height: number) =>
  entryOf({
    kind: 'ViewChanged',
    message: new Bench({ n: 4, context: { height } }).forge(0, 'ViewChange view=1') as ViewChange,
  });
const proposed = (height: number) => {
  const message = new Bench({ n: 4, context: { height } }).forge(height % 4, 'PrePrepare view=0 block=A') as PrePrepare;
  const bodies = { transactions: [], attachments: [] };
  return [entryOf({ kind: 'Proposal', message, fresh: true }), encodeBodies(message.blockHash, bodies)];
};

/** A keeper over a file of this length, and what is written to it. */
function keeperOf(lengthBytes: number, found: readonly Uint8Array[]) {
  const appended: Uint8Array[] = [];
  const replaced: (readonly Uint8Array[])[] = [];
  const journal: Journal = {
    records: found,
    cutBytes: 0,
    lengthBytes,
    append: async (payloads) => {
      appended.push(...payloads);
    },
    truncate: async (payloads) => {
      replaced.push(payloads);
    },
    close: async () => undefined,
  };
  const keeper = new JournalKeeper(
    journal,
    readJournalContent(found),
    () => undefined,
    (error) => {
      throw error;
    },
  );
  return { keeper, appended, replaced };
}

const LONG = 64 * 2 ** 20;

test('a journal that grew is replaced by the mark of the decided height and all of later heights', async () => {
  const { keeper, replaced } = keeperOf(LONG, [truncated(4)]);
  for (const height of [5, 6]) await keeper.append(height, [left(height)]);
  keeper.truncate(5, hash);
  assert.equal(replaced, [[truncated(5), left(6)]]);
});

test('what an earlier run wrote of later heights stays, with its blocks', () => {
  const { keeper, replaced } = keeperOf(LONG, [truncated(4), left(5), ...proposed(6), left(7)]);
  keeper.truncate(5, hash);
  assert.equal(replaced, [[truncated(5), ...proposed(6), left(7)]]);
});

test('a journal that did not reach the decided height is marked at once, else with the next records', async () => {
  const { keeper, appended } = keeperOf(0, []);
  keeper.truncate(5, hash);
  assert.equal(appended, [truncated(5)]);
  await keeper.append(6, [left(6)]);
  keeper.truncate(6, hash);
  assert.equal(appended.length, 2);
  await keeper.append(7, [left(7)]);
  assert.equal(appended.slice(2), [truncated(6), left(7)]);
});

test.run();
