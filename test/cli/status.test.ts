// What an operator reads of a ledger that stands still.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NodeStatusView } from '../../src/api/contract/schemas.ts';
import { formatStatus } from '../../src/cli/status.ts';

const vote = { connected: true, prepared: false, committed: false, viewChange: null, voteLagMs: 0, missedHeights: 0 };
const STALLED: NodeStatusView = {
  version: '0.1.0',
  ledger: 'north',
  genesisHash: '00',
  organisation: { name: 'Ash', address: 'med1' },
  validator: 0,
  validators: 3,
  height: 41,
  tipHash: '01',
  stateRoot: '02',
  timestampMs: 0,
  view: 2,
  peers: [
    { validator: 1, name: 'Birch', connected: false, height: 40, view: 1 },
    { validator: 2, name: 'Cedar', connected: true, height: 41, view: 2 },
  ],
  consensus: {
    primary: 1,
    primaryName: 'Birch',
    quorum: 3,
    proposal: 'none',
    validators: [
      { validator: 0, name: 'Ash', ...vote, viewChange: 2 },
      { validator: 1, name: 'Birch', ...vote, connected: false, voteLagMs: 1_250, missedHeights: 7 },
      { validator: 2, name: 'Cedar', ...vote, viewChange: 2, voteLagMs: null },
    ],
    nextTimeoutMs: null,
    lastCommitAgeMs: 61_234,
    evidence: 1,
    explanation: ['2 of 3 validators are connected.', 'A change to view 2 is under way.'],
  },
  transactionsCommitted: 1,
  transactionsPending: 5,
  indexedHeight: 41,
  historyFrom: 1,
  upSinceMs: 0,
  updateBefore: null,
  ready: false,
};

test('a stalled ledger shows each validator and why nothing commits', () => {
  const text = formatStatus(STALLED);
  assert.match(text, /^view +2, primary Birch \(1\), proposal none$/m);
  assert.match(text, /^quorum +3 of 3$/m);
  assert.match(text, /^next timeout +none runs$/m);
  assert.match(text, /^last commit +61\.2 s ago$/m);
  assert.match(text, /^evidence +1 on the ledger$/m);
  const [, table, explanation] = text.split('\n\n');
  assert.equal(table!.split('\n'), [
    'validator  name             connected  height  view  prepared  committed  view change  lag ms  missed',
    '        0  Ash (this node)  yes            41     2  no        no         2            0            0',
    '        1  Birch            no             40     1  no        no         -            1,250        7',
    '        2  Cedar            yes            41     2  no        no         2            -            0',
  ]);
  assert.is(explanation, 'Nothing commits:\n2 of 3 validators are connected.\nA change to view 2 is under way.');
});

test('where all is well nothing is explained', () => {
  const well = { ...STALLED.consensus, explanation: [], nextTimeoutMs: 740, lastCommitAgeMs: null };
  const text = formatStatus({ ...STALLED, consensus: well });
  assert.not.match(text, 'Nothing commits');
  assert.match(text, /^next timeout +in 0\.7 s$/m);
  assert.match(text, /^last commit +none yet$/m);
});

test.run();
