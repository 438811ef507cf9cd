// What a node derives from a stored state is what a node has that executed the blocks itself.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { FAMILIES } from '../../src/ledger/state.ts';
import { rootHash } from '../../src/ledger/state-map.ts';
import { deriveState } from '../../src/node/derived-state.ts';
import type { StateEntry } from '../../src/storage/block-commit.ts';
import { createAction, doctor, north, SampleLedger } from '../ledger/sample-ledger.ts';

async function* stored(entries: readonly StateEntry[]): AsyncGenerator<StateEntry> {
  yield* entries;
}

test('the map and the recent ids follow from the entries', async () => {
  const ledger = new SampleLedger();
  const transactions = Array.from({ length: 6 }, (_, place) => {
    const validUntilMs = ledger.parent.timestampMs + (place < 3 ? 1_500 : 60_000);
    const transaction = ledger.transaction(createAction(), [doctor, north], { salt: `${place}`, validUntilMs });
    ledger.advance([transaction]);
    return transaction;
  });
  const root = rootHash(ledger.map);
  const entries = ledger.state.entries() as readonly StateEntry[];
  const state = await deriveState(stored(entries), root);
  assert.ok(state);
  const { map, recentIds } = state;
  assert.is(toHex(rootHash(map)), toHex(root));
  const known = transactions.map(({ txId }) => recentIds.has(txId));
  assert.equal(
    known,
    transactions.map(({ txId }) => ledger.state.isRecent(txId)),
  );
  assert.ok(known.includes(true) && known.includes(false));
  assert.equal(
    recentIds.pagesExpiredBefore(Number.MAX_SAFE_INTEGER).map(toHex).sort(),
    ledger.state.recentPagesExpiredBefore(Number.MAX_SAFE_INTEGER).map(toHex).sort(),
  );
});

test('a state of another root is none, also where a page of ids can not be read', async () => {
  const ledger = new SampleLedger();
  ledger.advance([ledger.transaction(createAction(), [doctor, north])]);
  const entries = ledger.state.entries() as readonly StateEntry[];
  const root = rootHash(ledger.map);
  const place = entries.findIndex(({ key }) => key[0] === FAMILIES.recentIds.code);
  assert.ok(place >= 0);
  const damaged = entries.map((entry, at) => (at === place ? { ...entry, value: Uint8Array.of(0xff) } : entry));
  assert.is(await deriveState(stored(damaged), root), undefined);
  assert.is(await deriveState(stored(entries.slice(1)), root), undefined);
  assert.ok(await deriveState(stored(entries), root));
});

test.run();
