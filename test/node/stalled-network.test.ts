// Four real nodes of which two are killed: a survivor tells whom the agreement misses, and goes on when they are back.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NodeStatusView } from '../../src/api/contract/schemas.ts';
import { type Cluster, createCluster, numberOfValidator } from './cluster.ts';
import { registerParties, signRecord } from './record-load.ts';

const PATIENCE_MS = 15_000;
const POLL_MS = 50;
const GONE = [2, 3];

let cluster: Cluster;

test.before(async () => {
  cluster = await createCluster();
  cluster.start();
  await cluster.ready();
});

test.after(async () => {
  if (process.exitCode) console.log(cluster.logs());
  await cluster.close();
});

/** The status of node 0 once it is as asked. Throws at the deadline. */
async function statusWhere(isMeant: (status: NodeStatusView) => boolean): Promise<NodeStatusView> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = await cluster.nodes[0]!.client.status();
    if (isMeant(status)) return status;
    if (performance.now() > end) throw new Error(`the status stayed ${JSON.stringify(status.consensus, null, 2)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

test('with two of four killed a survivor names them and how many are needed; with them back nothing is to explain', async () => {
  const { client } = cluster.nodes[0]!;
  const parties = await registerParties(cluster, 0);
  const before = await statusWhere(({ consensus }) => consensus.lastCommitAgeMs !== null);
  assert.is(before.consensus.quorum, 3);
  assert.ok(before.consensus.validators.every(({ connected }) => connected));

  // A node that reaches no quorum takes no transactions: this one comes while the two only hang.
  for (const number of GONE) cluster.signal(number, 'SIGSTOP');
  const transaction = await signRecord(cluster.genesisHash, parties);
  const [taken] = await client.submit([transaction], 0);
  assert.is(taken!.status, 'Pending');
  await cluster.kill(GONE);
  const stalled = await statusWhere(
    ({ consensus, transactionsPending, view }) =>
      transactionsPending > 0 && view > 0 && consensus.explanation.some((line) => line.includes('under way')),
  );
  const { explanation, validators } = stalled.consensus;
  const missing = validators.filter(({ connected }) => !connected);
  assert.equal(missing.map(({ validator }) => numberOfValidator(cluster, validator)).sort(), GONE);
  const names = missing.map(({ name }) => name);
  assert.is(
    explanation[0],
    `2 of 4 validators are connected, this node included; 3 are needed. Missing: ${names.join(', ')}.`,
  );
  const viewChange = explanation.find((line) => line.startsWith('A change to view'))!;
  for (const name of names) assert.match(viewChange, `${name} (not connected)`);
  assert.match(viewChange, '(2 of 3 needed have asked)');

  const { height } = stalled;
  cluster.start(GONE);
  await cluster.ready(GONE);
  const after = await statusWhere(
    ({ consensus, transactionsPending }) => transactionsPending === 0 && consensus.explanation.length === 0,
  );
  assert.ok(after.height > height);
  assert.is((await client.transactionStatus(transaction.txId)).status, 'Committed');
  assert.ok(after.consensus.validators.every(({ connected }) => connected));
});

test.run();
