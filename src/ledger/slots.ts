import { equalBytes } from '../codec/bytes.ts';
import { isSameParameters, type Parameters } from './parameters.ts';
import {
  CURRENT_VALIDATORS_KEY,
  FAMILIES,
  type Family,
  SCHEDULED_PARAMETERS_KEY,
  SCHEDULED_VALIDATORS_KEY,
  SINGLE_KEY,
} from './state.ts';
import type { StateOverlay, StateView } from './state-overlay.ts';
import type { Validator } from './validator-set.ts';

/** What executing block h changes of a slotted value is in force at h + 2 (consensus.md §10). */
export const HEIGHTS_TO_FORCE = 2;

/**
 * Where the state keeps a value that the rules of each height read. After block h, `current` holds what is in force at
 * h + 1, which h can not change any more, and `scheduled` what is in force at h + 2, the one slot that h writes.
 */
export interface SlotPlace<T> {
  readonly family: Family<T>;
  readonly current: Uint8Array;
  /** Has no entry before the first change where the genesis makes none: then both values are the current one. */
  readonly scheduled: Uint8Array;
  readonly isSame: (a: T, b: T) => boolean;
}

/** The values of the next height and of the one after it. */
export interface Slots<T> {
  readonly current: T;
  readonly scheduled: T;
}

/** The validators, in order of their keys. */
export const VALIDATOR_SLOTS: SlotPlace<readonly Validator[]> = {
  family: FAMILIES.validators,
  current: CURRENT_VALIDATORS_KEY,
  scheduled: SCHEDULED_VALIDATORS_KEY,
  isSame: (a, b) =>
    a.length === b.length && a.every(({ publicKey }, index) => equalBytes(publicKey, b[index]!.publicKey)),
};

/** The parameters. */
export const PARAMETER_SLOTS: SlotPlace<Parameters> = {
  family: FAMILIES.parameters,
  current: SINGLE_KEY,
  scheduled: SCHEDULED_PARAMETERS_KEY,
  isSame: isSameParameters,
};

/** Both values, in the state after some block. Throws when the state is not that of a ledger. */
export function slotsOf<T>(view: StateView, { family, current: key, scheduled }: SlotPlace<T>): Slots<T> {
  const current = view.read(family, key);
  if (current === undefined)
    throw new Error(`the state has no entry of family ${family.code}: it is not the state of a ledger`);
  return { current, scheduled: view.read(family, scheduled) ?? current };
}

/** True while a change is in flight: until it is in force no other applies. */
export function isInFlight<T>({ isSame }: SlotPlace<T>, { current, scheduled }: Slots<T>): boolean {
  return !isSame(current, scheduled);
}

/** What every block does at its end: the value that was scheduled before the block is in force after it. */
export function putInForce<T>(overlay: StateOverlay, place: SlotPlace<T>, before: Slots<T>): void {
  if (isInFlight(place, before)) overlay.write(place.family, place.current, before.scheduled);
}
