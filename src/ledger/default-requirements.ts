import type { ActionClass } from './account.ts';
import type { ActionKind } from './action.ts';
import type { Requirement } from './requirement.ts';

/** Which threshold of an account its signatures must reach, by action. */
export const ACTION_CLASSES: Readonly<Record<ActionKind, ActionClass>> = {
  'account.register': 'sensitive',
  'record.create': 'routine',
  'record.amend': 'routine',
};

/**
 * The requirements of a ledger that sets no others (ledger.md §5). Proof of possession of a registered account's keys
 * comes on top. In `record.amend`, $author is the amending doctor, whom execution has found to be the creator or a
 * colleague of the record's organisation.
 */
export const DEFAULT_REQUIREMENTS: Readonly<Record<ActionKind, Requirement>> = {
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
};
