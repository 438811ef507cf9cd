// A state ahead of the committed one answers as the state would that had committed those blocks.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { toBinaryString } from '../../src/ledger/binary-string.ts';
import type { ExecutedBlock } from '../../src/ledger/block-execution.ts';
import { MemoryState } from '../../src/ledger/memory-state.ts';
import { FAMILIES, type Family } from '../../src/ledger/state.ts';
import { StateAhead } from '../../src/ledger/state-ahead.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import { amendAction, createAction, doctor, north, patient, SampleLedger } from './sample-ledger.ts';

const familyOf = new Map<number, Family<unknown>>(
  Object.values(FAMILIES).map((family) => [family.code, family as Family<unknown>]),
);

/** Blocks of a second each that create and amend records, with ids that expire within them; the last are empty. */
function grow(ledger: SampleLedger): readonly ExecutedBlock[] {
  return Array.from({ length: 12 }, (_, place) => {
    const validUntilMs = ledger.parent.timestampMs + 1_500 + 1_000 * (place % 4);
    const create = ledger.transaction(createAction(), [doctor, north], { salt: `record ${place}`, validUntilMs });
    const amended = ledger.recordId(doctor, `record ${place - 1}`);
    const amend = ledger.transaction(amendAction(amended), [doctor, patient], { salt: `${place}`, validUntilMs });
    return ledger.advance(place > 8 ? [] : place === 0 ? [create] : [create, amend]);
  });
}

/** Both read the same, `ms` being the time of a block to come, and know the same of the transactions still valid then. */
function assertSame(
  actual: StateAhead,
  expected: MemoryState,
  names: ReadonlySet<string>,
  transactions: readonly DecodedTransaction[],
  ms: number,
): void {
  for (const name of names) {
    const family = familyOf.get(name.charCodeAt(0))!;
    assert.equal(actual.read(family, name), expected.read(family, name));
  }
  for (const { txId, transaction } of transactions)
    if (transaction.validUntilMs >= ms) assert.is(actual.isRecent(txId), expected.isRecent(txId));
  const pages = (state: StateAhead | MemoryState, before: number) => state.recentPagesExpiredBefore(before).map(toHex);
  for (const before of [ms, ms + 1_000, ms + 2_500, Number.MAX_SAFE_INTEGER])
    assert.equal(pages(actual, before).sort(), pages(expected, before).sort());
}

test('each block ahead reads as if those before it were committed, however many of them are', () => {
  const origin = new SampleLedger();
  const genesis = origin.state.entries();
  const blocks = grow(origin);
  const names = new Set(
    [...genesis, ...blocks.flatMap(({ changes }) => changes)].map(({ key }) => toBinaryString(key)),
  );
  assert.ok(
    blocks.some(({ changes }) =>
      changes.some(({ key, value }) => key[0] === FAMILIES.recentIds.code && value === undefined),
    ),
  );
  const transactions = blocks.flatMap((block) => block.transactions);
  for (let committedFrom = 0; committedFrom <= blocks.length; committedFrom += 1) {
    const base = new MemoryState();
    base.apply(genesis);
    const expected = new MemoryState();
    expected.apply(genesis);
    const ahead = new StateAhead(base);
    let committed = 0;
    for (const [place, { header, changes }] of blocks.entries()) {
      assertSame(ahead, expected, names, transactions, header.timestampMs);
      ahead.advance(changes);
      expected.apply(changes);
      // From one block on those below are committed meanwhile, up to the one before last.
      for (; place >= committedFrom && committed < place - 1; committed += 1) base.apply(blocks[committed]!.changes);
    }
    assertSame(ahead, expected, names, transactions, origin.parent.timestampMs);
  }
});

test.run();
