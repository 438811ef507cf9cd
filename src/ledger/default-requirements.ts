import type { ActionClass } from './account.ts';
import type { ActionKind } from './action.ts';
import type { Requirement } from './requirement.ts';

/** Which threshold of an account its signatures must reach, by action. */
export const ACTION_CLASSES: Readonly<Record<ActionKind, ActionClass>> = {
  'account.register': 'sensitive',
  'record.create': 'routine',
  'record.amend': 'routine',
  'validator.add': 'sensitive',
  'validator.remove': 'sensitive',
  'validator.rotate': 'sensitive',
  'evidence.submit': 'routine',
  'parameters.set': 'sensitive',
};

/**
 * A ledger founded before an action existed has no requirement for it: it asks what it asks for this other one. The
 * genesis may leave out the requirements of these actions alone.
 */
export const REQUIRED_LIKE: Readonly<Partial<Record<ActionKind, ActionKind>>> = {
  'parameters.set': 'validator.remove',
};

/** Two thirds of the active members, rounded up: what changes the ledger itself needs. */
const MEMBERS: Requirement = { kind: 'members', numerator: 2, denominator: 3 };
const BY_MEMBERS: ReadonlySet<ActionKind> = new Set([
  'validator.add',
  'validator.remove',
  'validator.rotate',
  'parameters.set',
]);

/**
 * The requirements of a ledger that sets no others and has no regulator (ledger.md §5). Proof of possession of a registered account's keys
 * comes on top. In `record.amend`, $author is the amending doctor, whom execution has found to be the creator or a
 * colleague of the record's organisation.
 */
const DEFAULT_REQUIREMENTS: Readonly<Record<ActionKind, Requirement>> = {
  'account.register': { kind: 'atLeast', count: 1, of: [{ kind: 'variable', name: 'organisation' }] },
  'record.create': {
    kind: 'atLeast',
    count: 2,
    of: [
      { kind: 'variable', name: 'author' },
      { kind: 'variable', name: 'organisation' },
    ],
  },
  'record.amend': {
    kind: 'atLeast',
    count: 2,
    of: [
      { kind: 'variable', name: 'author' },
      { kind: 'variable', name: 'patient' },
    ],
  },
  'validator.add': MEMBERS,
  'validator.remove': MEMBERS,
  'validator.rotate': MEMBERS,
  'evidence.submit': { kind: 'variable', name: 'validator' },
  'parameters.set': MEMBERS,
};

/** The requirement for an action of a ledger with this regulator, who agrees to what the members change. */
export function defaultRequirement(action: ActionKind, regulator: Uint8Array | null): Requirement {
  const requirement = DEFAULT_REQUIREMENTS[action];
  if (regulator === null || !BY_MEMBERS.has(action)) return requirement;
  return { kind: 'atLeast', count: 2, of: [requirement, { kind: 'account', address: regulator }] };
}
