import type { Action, ActionKind } from '../action.ts';
import { accountRegister } from './account-register.ts';
import type { ActionRules } from './action-rules.ts';
import { evidenceSubmit } from './evidence-submit.ts';
import { parametersSet } from './parameters-set.ts';
import { recordAmend } from './record-amend.ts';
import { recordCreate } from './record-create.ts';
import { validatorAdd, validatorRemove, validatorRotate } from './validator-seat.ts';

type Table = { readonly [K in ActionKind]: ActionRules<Extract<Action, { readonly kind: K }>> };

const RULES: Table = {
  'account.register': accountRegister,
  'record.create': recordCreate,
  'record.amend': recordAmend,
  'validator.add': validatorAdd,
  'validator.remove': validatorRemove,
  'validator.rotate': validatorRotate,
  'evidence.submit': evidenceSubmit,
  'parameters.set': parametersSet,
};

/** The rules of an action's kind. */
export function rulesOf<A extends Action>(action: A): ActionRules<A> {
  // Each entry of the table takes the action of its own kind, which is what indexing by that kind yields.
  return RULES[action.kind] as unknown as ActionRules<A>;
}
