import {
  CURRENT_VALIDATORS_KEY,
  decodeStateValue,
  FAMILIES,
  SCHEDULED_VALIDATORS_KEY,
  stateKey,
} from '../ledger/state.ts';
import { makeValidatorSet, type ValidatorSet } from '../ledger/validator-set.ts';
import type { Store } from '../storage/block-store.ts';

/** The validators of the next two heights, from the state that a store holds. */
export function storedSets(store: Pick<Store, 'stateValue'>): readonly ValidatorSet[] {
  return [CURRENT_VALIDATORS_KEY, SCHEDULED_VALIDATORS_KEY].map((key) => {
    const encoded = store.stateValue(stateKey(FAMILIES.validators, key));
    if (encoded === undefined) throw new Error('the state has no validators: it is not the state of a ledger');
    return makeValidatorSet(decodeStateValue(FAMILIES.validators, encoded));
  });
}
