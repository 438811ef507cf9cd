// Four real nodes of which two are killed: a survivor tells whom the agreement misses, and goes on when they are back.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NodeStatusView } from '../../src/api/contract/schemas.ts';
import { type Cluster, createCluster, numberOfValidator } from './cluster.ts';
import { registerParties, signRecord } from './record-load.ts';
import { withLogs } from './with-logs.ts';

const PATIENCE_MS = 30_000;
const POLL_MS = 50;
const GONE = [2, 3];

let cluster: Cluster;

const testNodes = withLogs(() => [cluster.logs()]);

test.before(async () => {
  cluster = await createCluster();
  cluster.start();
  await cluster.ready();
});

test.after(async () => {
  await cluster.close();
});

function areConnected({ validators }: NodeStatusView['consensus']): boolean {
  return validators.every(({ connected }) => connected);
}

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

/** Resolves once node 0 has logged this message. Throws at the deadline. */
async function logged(message: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!readFileSync(cluster.nodes[0]!.logFile, 'utf8').includes(`"msg":"${message}"`)) {
    if (performance.now() > end) throw new Error(`${message} was not logged`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

testNodes(
  'with two of four killed a survivor names them and how many are needed; with them back nothing is to explain',
  async () => {
    const { client } = cluster.nodes[0]!;
    const parties = await registerParties(cluster, 0);
    const before = await statusWhere(({ consensus }) => consensus.lastCommitAgeMs !== null && areConnected(consensus));
    assert.is(before.consensus.quorum, 3);

    // A node that reaches no quorum takes no transactions: this one comes while the two only hang.
    for (const number of GONE) cluster.signal(number, 'SIGSTOP');
    const transaction = await signRecord(cluster.genesisHash, parties);
    const [taken] = await client.submit([transaction], 0);
    assert.is(taken!.status, 'Pending');
    await cluster.kill(GONE);
    const stalled = await statusWhere(({ consensus: { explanation } }) => {
      const [connected = '', ...others] = explanation;
      return connected.startsWith('2 of 4') && others.some((line) => line.includes('(2 of 3 needed have asked)'));
    });
    assert.is(stalled.transactionsPending, 1);
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

    await logged('nothing commits');

    const { height } = stalled;
    cluster.start(GONE);
    await cluster.ready(GONE);
    const after = await statusWhere(
      ({ consensus, transactionsPending }) =>
        transactionsPending === 0 && consensus.explanation.length === 0 && areConnected(consensus),
    );
    await logged('commits go on');
    assert.ok(after.height > height);
    assert.is((await client.transactionStatus(transaction.txId)).status, 'Committed');
  },
);

test.run();
