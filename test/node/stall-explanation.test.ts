// Why nothing commits, sentence by sentence.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explainStall, type StallFacts, type ValidatorPart } from '../../src/node/stall-explanation.ts';

const NAMES = ['Ash', 'Birch', 'Cedar', 'Dogwood'];

/** Four connected validators, each changed as told by index. */
function validators(changes: Readonly<Record<number, Partial<ValidatorPart>>> = {}): ValidatorPart[] {
  const part = { connected: true, prepared: false, committed: false, viewChange: null };
  return NAMES.map((name, index) => ({ name, ...part, ...changes[index] }));
}

/** A transaction waits at Ash for the proposal of Birch. */
const WAITING: StallFacts = {
  view: 0,
  own: 0,
  primary: 1,
  quorum: 3,
  validators: validators(),
  proposal: 'none',
  refusal: null,
  isDecided: false,
  isCatchingUp: false,
  silentThrough: null,
  transactionsPending: 1,
  nextTimeoutMs: 740,
  lastCommitAgeMs: 5_000,
  recentMs: 1_000,
};

const CASES: readonly (readonly [what: string, facts: Partial<StallFacts>, explanation: readonly string[]])[] = [
  ['a commit happened a moment ago', { lastCommitAgeMs: 999 }, []],
  ['nothing is pending and all are connected', { transactionsPending: 0, nextTimeoutMs: null }, []],
  [
    'nothing is pending, one that is not needed is away',
    { transactionsPending: 0, nextTimeoutMs: null, validators: validators({ 2: { connected: false } }) },
    [],
  ],
  [
    'too few are connected, nothing is pending',
    {
      transactionsPending: 0,
      nextTimeoutMs: null,
      lastCommitAgeMs: null,
      validators: validators({ 1: { connected: false }, 3: { connected: false } }),
    },
    ['2 of 4 validators are connected, this node included; 3 are needed. Missing: Birch, Dogwood.'],
  ],
  [
    'too few are connected to an observer, and one of them is the primary',
    { own: null, validators: validators({ 1: { connected: false }, 3: { connected: false } }) },
    [
      '2 of 4 validators are connected; 3 are needed. Missing: Birch, Dogwood.',
      'The proposal of Birch (not connected), the primary of view 0, has not come; next timeout in 0.7 s.',
    ],
  ],
  ['no proposal', {}, ['The proposal of Birch, the primary of view 0, has not come; next timeout in 0.7 s.']],
  [
    'no proposal, no timer',
    { nextTimeoutMs: null },
    ['The proposal of Birch, the primary of view 0, has not come; no timeout runs.'],
  ],
  [
    'this node is to propose',
    { primary: 0, nextTimeoutMs: 12_000 },
    ['This node is the primary of view 0 and has proposed nothing yet; next timeout in 12.0 s.'],
  ],
  [
    'the proposal is looked at, also where nothing else is pending',
    { proposal: 'validating', transactionsPending: 0 },
    ['The proposal of Birch, the primary of view 0, is being checked here; next timeout in 0.7 s.'],
  ],
  [
    'PREPAREs are missing, one of them of a validator that is away',
    {
      proposal: 'valid',
      validators: validators({ 0: { prepared: true }, 1: { committed: true }, 3: { connected: false } }),
    },
    ['Waiting for PREPAREs of Cedar, Dogwood (not connected) (2 of 3 needed are here); next timeout in 0.7 s.'],
  ],
  [
    'COMMITs are missing',
    {
      proposal: 'valid',
      validators: validators({ 1: { prepared: true }, 2: { prepared: true }, 3: { prepared: true, committed: true } }),
    },
    ['Waiting for COMMITs of Ash (this node), Birch, Cedar (1 of 3 needed are here); next timeout in 0.7 s.'],
  ],
  [
    'the block is decided but not here',
    { isDecided: true, nextTimeoutMs: null, proposal: 'valid' },
    ['The block is decided; it is being fetched or written here.'],
  ],
  [
    'too few have asked for the view that this node is in',
    { view: 2, nextTimeoutMs: null, validators: validators({ 0: { viewChange: 2 }, 2: { viewChange: 3 } }) },
    [
      'A change to view 3 is under way, asked for by Cedar, not by Ash (this node), Birch, Dogwood ' +
        '(1 of 3 needed have asked); no timeout runs.',
      'The proposal of Birch, the primary of view 2, has not come; no timeout runs.',
    ],
  ],
  [
    'a view change that waits for one more',
    { view: 2, nextTimeoutMs: null, validators: validators({ 0: { viewChange: 2 }, 2: { viewChange: 2 } }) },
    [
      'A change to view 2 is under way, asked for by Ash (this node), Cedar, not by Birch, Dogwood ' +
        '(2 of 3 needed have asked); no timeout runs.',
    ],
  ],
  [
    'a view change that everybody asked for waits for its primary, also with nothing pending any more',
    {
      view: 2,
      transactionsPending: 0,
      nextTimeoutMs: 4_000,
      validators: validators({ 0: { viewChange: 2 }, 1: { viewChange: 2 }, 2: { viewChange: 2 } }),
    },
    ['The proposal of Birch, the primary of view 2, has not come; next timeout in 4.0 s.'],
  ],
  [
    'another asks to leave the view while votes are missing',
    { proposal: 'valid', validators: validators({ 0: { prepared: true }, 3: { viewChange: 1 } }) },
    [
      'A change to view 1 is under way, asked for by Dogwood, not by Ash (this node), Birch, Cedar ' +
        '(1 of 3 needed have asked); next timeout in 0.7 s.',
      'Waiting for PREPAREs of Birch, Cedar, Dogwood (1 of 3 needed are here); next timeout in 0.7 s.',
    ],
  ],
  [
    'this node catches up: what the others wait for it does not know',
    { isCatchingUp: true },
    ['This node catches up: it fetches blocks that it missed, and votes again after them.'],
  ],
  [
    'the journal was lost',
    { silentThrough: 17, transactionsPending: 0, nextTimeoutMs: null },
    ['This node lost its journal and is silent up to height 17.'],
  ],
  [
    'the journal was lost, and nobody has shown a tip',
    { silentThrough: 'unknown', transactionsPending: 0, nextTimeoutMs: null },
    ['This node lost its journal and is silent until the other validators have shown where they stand.'],
  ],
  ...(
    [
      ['bodiesMissing', 'transactions of it could not be had from any member in time (bodiesMissing)'],
      ['attachmentsMissing', 'attachments of it could not be had from any member in time (attachmentsMissing)'],
      ['timestampAhead', 'its timestamp is ahead of the clock of this node (timestampAhead)'],
      ['unknownVersion', 'its version is not the one in force (unknownVersion)'],
      ['stateRoot', 'stateRoot'],
      [null, 'the reason is in the log'],
    ] as const
  ).map(
    ([refusal, text]) =>
      [
        `the proposal was refused: ${refusal}`,
        { proposal: 'refused', refusal } as const,
        [`The proposal of Birch, the primary of view 0, was refused here: ${text}; next timeout in 0.7 s.`],
      ] as const,
  ),
];

for (const [what, facts, explanation] of CASES)
  test(what, () => {
    assert.equal(explainStall({ ...WAITING, ...facts }), explanation);
  });

test.run();
