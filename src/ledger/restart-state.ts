import { equalBytes } from '../codec/bytes.ts';
import type { LedgerState } from './block-execution.ts';
import type { RestartDocument } from './restart.ts';
import { CURRENT_VALIDATORS_KEY, FAMILIES, SCHEDULED_VALIDATORS_KEY, SINGLE_KEY, type Tenure } from './state.ts';
import { rootHash, type StateMap, updateMap } from './state-map.ts';
import { type DecodedChange, mapChanges, StateOverlay, type StateView } from './state-overlay.ts';
import type { Validator } from './validator-set.ts';

/** What a restart makes of the state that it starts from. */
export interface RestartedState {
  /** In ascending order of key. */
  readonly changes: readonly DecodedChange[];
  readonly map: StateMap;
  readonly stateRoot: Uint8Array;
}

/** What of a restart decides the state. */
type RestartTerms = Pick<RestartDocument, 'validators' | 'suspended'> & {
  readonly origin: { readonly height: number };
};

/**
 * The state that the new ledger starts with (consensus.md §10): the new validators at once, tenures that say so, no
 * turns missed, and the lost organisations suspended; all else as it was, recent transaction ids too. The terms are
 * without fault.
 */
export function restartState(old: LedgerState, { validators, suspended, origin }: RestartTerms): RestartedState {
  const overlay = new StateOverlay(old.reader);
  const fromHeight = origin.height + 1;
  for (const { publicKey } of validatorsBefore(overlay)) {
    const tenure = overlay.read(FAMILIES.tenure, publicKey)!;
    const stays = validators.some((seat) => equalBytes(seat.publicKey, publicKey));
    overlay.write(FAMILIES.tenure, publicKey, stays ? kept(tenure, fromHeight) : ended(tenure, fromHeight));
  }
  for (const { publicKey, organisation, addresses } of validators) {
    if (overlay.read(FAMILIES.tenure, publicKey) !== undefined) continue;
    const tenure = { organisation, seat: publicKey, addresses, fromHeight, untilHeight: null };
    overlay.write(FAMILIES.tenure, publicKey, tenure);
  }
  const list = validators.map(({ publicKey, organisation }) => ({ publicKey, organisation }));
  overlay.write(FAMILIES.validators, CURRENT_VALIDATORS_KEY, list);
  overlay.write(FAMILIES.validators, SCHEDULED_VALIDATORS_KEY, list);
  if (overlay.read(FAMILIES.skip, SINGLE_KEY) !== undefined) overlay.write(FAMILIES.skip, SINGLE_KEY, []);
  for (const address of suspended) {
    const account = overlay.read(FAMILIES.account, address)!;
    overlay.write(FAMILIES.account, address, { ...account, status: 'suspended' });
  }
  const changes = overlay.changes();
  const map = updateMap(old.map, mapChanges(changes));
  return { changes, map, stateRoot: rootHash(map) };
}

/** Every key that would have been a validator's at the next height or the one after it, each once. */
export function validatorsBefore(view: StateView): readonly Validator[] {
  const current = view.read(FAMILIES.validators, CURRENT_VALIDATORS_KEY) ?? [];
  const scheduled = view.read(FAMILIES.validators, SCHEDULED_VALIDATORS_KEY) ?? [];
  const isCurrent = (key: Uint8Array) => current.some(({ publicKey }) => equalBytes(publicKey, key));
  return [...current, ...scheduled.filter(({ publicKey }) => !isCurrent(publicKey))];
}

/** A change that was in flight is overtaken: what was to begin or to end later is settled at the restart. */
function kept(tenure: Tenure, height: number): Tenure {
  return { ...tenure, fromHeight: Math.min(tenure.fromHeight, height), untilHeight: null };
}

/** A key that was to come into force later never does: its time is empty. */
function ended(tenure: Tenure, height: number): Tenure {
  return { ...tenure, untilHeight: Math.max(tenure.fromHeight, height) };
}
