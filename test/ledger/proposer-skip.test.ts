import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { MemoryState } from '../../src/ledger/memory-state.ts';
import { eligiblePrimaries, primaryOf, skipTableAfter } from '../../src/ledger/proposer-skip.ts';
import { CURRENT_VALIDATORS_KEY, FAMILIES, SINGLE_KEY, type SkipEntry } from '../../src/ledger/state.ts';
import { StateOverlay } from '../../src/ledger/state-overlay.ts';
import { faultyMax, makeValidatorSet, quorumSize, type Validator } from '../../src/ledger/validator-set.ts';

function validatorsOf(n: number): readonly Validator[] {
  const validators = Array.from({ length: n }, (_, i) => {
    const publicKey = sha256(Uint8Array.of(i));
    return { publicKey, organisation: publicKey };
  });
  return makeValidatorSet(validators).validators;
}

/** The state of n validators with this skip table, by index: [misses, skippedUntil]. */
function stateWith(n: number, table: Readonly<Record<number, readonly [number, number]>> = {}): StateOverlay {
  const validators = validatorsOf(n);
  const overlay = new StateOverlay(new MemoryState());
  overlay.write(FAMILIES.validators, CURRENT_VALIDATORS_KEY, validators);
  const entries = Object.entries(table).map(
    ([index, [misses, skippedUntil]]): SkipEntry => ({
      publicKey: validators[Number(index)]!.publicKey,
      misses,
      skippedUntil,
    }),
  );
  overlay.write(FAMILIES.skip, SINGLE_KEY, entries);
  return overlay;
}

/** The table after a block, as index → [misses, skippedUntil]. */
function after(view: StateOverlay, n: number, height: number, proposer: number): Record<number, [number, number]> {
  const validators = validatorsOf(n);
  return Object.fromEntries(
    skipTableAfter(view, height, proposer).map(({ publicKey, misses, skippedUntil }) => [
      validators.findIndex((validator) => equalBytes(validator.publicKey, publicKey)),
      [misses, skippedUntil],
    ]),
  );
}

test('quorums are those of the table, and two of them share an honest validator', () => {
  const table = { 1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 4, 7: 5, 8: 6, 9: 6, 10: 7, 13: 9, 16: 11 };
  for (const [n, quorum] of Object.entries(table)) assert.is(quorumSize(Number(n)), quorum, `n = ${n}`);
  for (let n = 1; n <= 64; n += 1) {
    assert.ok(2 * quorumSize(n) - n > faultyMax(n), `two quorums of ${n}`);
    assert.ok(quorumSize(n) <= n - faultyMax(n), `the honest of ${n} are a quorum`);
  }
});

test('the turn passes through all validators with height and view', () => {
  const view = stateWith(4);
  const eligible = eligiblePrimaries(view, 7);
  assert.equal(eligible, [0, 1, 2, 3]);
  assert.equal(
    [0, 1, 2, 3, 4].map((turn) => primaryOf(eligible, 7, turn)),
    [3, 0, 1, 2, 3],
  );
  // At the largest height and view the sum is beyond the safe integers.
  assert.is(primaryOf(eligible, Number.MAX_SAFE_INTEGER, 0xffffffff), 2);
});

test('each primary before the proposer misses its turn, the proposer is cleared', () => {
  assert.equal(after(stateWith(4), 4, 8, 0), {});
  assert.equal(after(stateWith(4), 4, 8, 2), { 0: [1, 8 + 4 * 2], 1: [1, 8 + 4 * 2] });
  assert.equal(after(stateWith(4, { 2: [3, 5] }), 4, 8, 2), { 0: [1, 16], 1: [1, 16] });
  assert.equal(after(stateWith(4, { 0: [3, 5] }), 4, 8, 1), { 0: [4, 8 + 4 * 16] });
});

test('a skip grows with the misses, ten doublings at most', () => {
  assert.equal(after(stateWith(4, { 0: [9, 5] }), 4, 8, 1), { 0: [10, 8 + 4 * 1024] });
  assert.equal(after(stateWith(4, { 0: [10, 5] }), 4, 8, 1), { 0: [11, 8 + 4 * 1024] });
});

test('a seat is passed over up to and with skippedUntil', () => {
  const view = stateWith(4, { 1: [1, 20] });
  assert.equal(eligiblePrimaries(view, 20), [0, 2, 3]);
  assert.equal(eligiblePrimaries(view, 21), [0, 1, 2, 3]);
});

test('no more than f are passed over, the longest first, ties by index', () => {
  assert.equal(eligiblePrimaries(stateWith(4, { 1: [1, 20], 3: [1, 21] }), 20), [0, 1, 2]);
  assert.equal(eligiblePrimaries(stateWith(4, { 1: [1, 20], 3: [1, 20] }), 20), [0, 2, 3]);
  assert.equal(eligiblePrimaries(stateWith(7, { 1: [1, 20], 3: [1, 20], 5: [1, 20] }), 20), [0, 2, 4, 5, 6]);
  assert.equal(eligiblePrimaries(stateWith(3, { 1: [1, 20] }), 20), [0, 1, 2], 'f is 0');
});

test('those already passed over miss nothing', () => {
  const view = stateWith(4, { 0: [1, 20] });
  // E(9) = 1, 2, 3 and 9 mod 3 = 0: the first turn is that of 1.
  assert.equal(after(view, 4, 9, 2), { 0: [1, 20], 1: [1, 9 + 8] });
});

test('a table forgets seats that it no longer concerns', () => {
  const view = stateWith(4, { 0: [0, 8], 3: [0, 9] });
  assert.equal(after(view, 4, 8, 2), { 3: [0, 9] });
});

test('a lone validator is never passed over', () => {
  assert.equal(after(stateWith(1), 1, 5, 0), {});
  assert.equal(eligiblePrimaries(stateWith(1), 6), [0]);
});

test.run();
