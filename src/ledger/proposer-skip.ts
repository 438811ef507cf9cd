import { compareBytes, equalBytes } from '../codec/bytes.ts';
import { CURRENT_VALIDATORS_KEY, FAMILIES, SINGLE_KEY, type SkipEntry } from './state.ts';
import type { StateView } from './state-overlay.ts';
import { faultyMax, type Validator } from './validator-set.ts';

/** Misses beyond this lengthen a skip no further. */
const MISSES_DOUBLING_MAX = 10;

/**
 * E(h): the validators of height h that are not passed over as primary, by index and in set order (consensus.md §1).
 * `view` is the state after block h − 1. At most f are passed over, those with the largest skippedUntil first, ties by
 * index.
 */
export function eligiblePrimaries(view: StateView, height: number): readonly number[] {
  const validators = currentValidators(view);
  const entries = view.read(FAMILIES.skip, SINGLE_KEY) ?? [];
  const candidates: { readonly index: number; readonly skippedUntil: number }[] = [];
  validators.forEach(({ publicKey }, index) => {
    const skippedUntil = entryOf(entries, publicKey)?.skippedUntil ?? 0;
    if (skippedUntil >= height) candidates.push({ index, skippedUntil });
  });
  candidates.sort((a, b) => b.skippedUntil - a.skippedUntil || a.index - b.index);
  const skipped = new Set(candidates.slice(0, faultyMax(validators.length)).map(({ index }) => index));
  return validators.map((_, index) => index).filter((index) => !skipped.has(index));
}

/** primary(h, v) = E(h)[(h + v) mod |E(h)|], an index into the validator set of h. */
export function primaryOf(eligible: readonly number[], height: number, view: number): number {
  const count = eligible.length;
  // Reduced first: h + v may leave the safe integers.
  return eligible[((height % count) + (view % count)) % count]!;
}

/**
 * The skip table after block `height` by `proposer`, from header content alone: each primary before the proposer's
 * first turn has one more miss and is passed over for n·2^misses heights; the proposer's misses return to 0. The
 * proposer is in E(height).
 */
export function skipTableAfter(view: StateView, height: number, proposer: number): readonly SkipEntry[] {
  const validators = currentValidators(view);
  const eligible = eligiblePrimaries(view, height);
  const table = new Map<number, SkipEntry>();
  const old = view.read(FAMILIES.skip, SINGLE_KEY) ?? [];
  validators.forEach(({ publicKey }, index) => {
    const entry = entryOf(old, publicKey);
    if (entry !== undefined) table.set(index, entry);
  });
  const missed: number[] = [];
  for (let turn = 0; turn < eligible.length; turn += 1) {
    const primary = primaryOf(eligible, height, turn);
    if (primary === proposer) break;
    missed.push(primary);
  }
  for (const index of missed) {
    const misses = (table.get(index)?.misses ?? 0) + 1;
    const skippedUntil = height + validators.length * 2 ** Math.min(misses, MISSES_DOUBLING_MAX);
    table.set(index, { publicKey: validators[index]!.publicKey, misses, skippedUntil });
  }
  const own = table.get(proposer);
  if (own !== undefined) table.set(proposer, { ...own, misses: 0 });
  // An entry that can pass over nobody any more is dropped, so that equal tables have equal bytes.
  return [...table.values()]
    .filter(({ misses, skippedUntil }) => misses > 0 || skippedUntil > height)
    .sort((a, b) => compareBytes(a.publicKey, b.publicKey));
}

/**
 * The part of a table that goes on with the next validators: a seat whose key was rotated keeps its entry under the new
 * key, one that was removed has none. So no entry outlives its seat, and none is found by an index.
 */
export function skipTableOf(
  view: StateView,
  table: readonly SkipEntry[],
  next: readonly Validator[],
): readonly SkipEntry[] {
  const seatOf = (publicKey: Uint8Array): Uint8Array => view.read(FAMILIES.tenure, publicKey)?.seat ?? publicKey;
  return next.flatMap(({ publicKey }) => {
    const seat = seatOf(publicKey);
    const entry = table.find((candidate) => equalBytes(seatOf(candidate.publicKey), seat));
    return entry === undefined ? [] : [{ ...entry, publicKey }];
  });
}

function currentValidators(view: StateView): readonly Validator[] {
  const validators = view.read(FAMILIES.validators, CURRENT_VALIDATORS_KEY);
  if (validators === undefined) throw new Error('the state has no validators: it is not the state of a ledger');
  return validators;
}

function entryOf(entries: readonly SkipEntry[], publicKey: Uint8Array): SkipEntry | undefined {
  return entries.find((entry) => equalBytes(entry.publicKey, publicKey));
}
