import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cluster, createCluster, numberOfValidator, readClusterGenesis } from './cluster.ts';
import { medledger } from './medledger.ts';
import { PrimaryForecast } from './primary.ts';
import { lostAt, type Parties, RecordLoad, registerParties } from './record-load.ts';
import { tearJournal } from './torn-journal.ts';
import { withLogs } from './with-logs.ts';

const CLIENTS = 8;
const PATIENCE_MS = 30_000;

let cluster: Cluster;
let parties: readonly Parties[];
/** All that any test of this file was told to be committed. */
const acknowledged: RecordLoad['acknowledged'] = [];

const testNodes = withLogs(() => [cluster.logs()]);

test.before(async () => {
  cluster = await createCluster();
  cluster.start();
  await cluster.ready();
  parties = await Promise.all(cluster.nodes.map((_, number) => registerParties(cluster, number)));
});

test.after(async () => {
  await cluster.close();
});

/** All four nodes have one state, and hold every acknowledged transaction exactly where it was acknowledged. */
async function assertNothingLost(): Promise<void> {
  const statuses = await cluster.agreed(Math.max(...acknowledged.map(({ height }) => height)), PATIENCE_MS);
  assert.is(new Set(statuses.map(({ stateRoot }) => stateRoot)).size, 1);
  assert.is(new Set(statuses.map(({ tipHash }) => tipHash)).size, 1);
  assert.is(new Set(statuses.map(({ transactionsCommitted }) => transactionsCommitted)).size, 1);
  for (const { client } of cluster.nodes) assert.is(await lostAt(client, acknowledged), undefined);
  assert.equal(cluster.unexpectedExits, []);
}

testNodes('what any of four nodes takes is committed on all', async () => {
  const load = new RecordLoad(cluster, parties, CLIENTS);
  await load.more(40, PATIENCE_MS);
  await load.stop();
  assert.equal(load.faults, []);
  acknowledged.push(...load.acknowledged);
  await assertNothingLost();
});

testNodes('kill -9 of the primary under load: the others go on, and it comes back without a loss', async () => {
  const forecast = new PrimaryForecast(readClusterGenesis(cluster));
  const load = new RecordLoad(cluster, parties, CLIENTS);
  await load.more(20, PATIENCE_MS);
  const primary = numberOfValidator(cluster, await forecast.next(cluster.nodes[0]!.client));
  await cluster.kill([primary]);
  await load.more(60, PATIENCE_MS);
  cluster.start([primary]);
  await cluster.ready([primary]);
  await load.more(20, PATIENCE_MS);
  await load.stop();
  assert.equal(load.faults, []);
  acknowledged.push(...load.acknowledged);
  await assertNothingLost();
});

testNodes('kill -9 of all four under load, one journal torn: they go on from their disks', async () => {
  const load = new RecordLoad(cluster, parties, CLIENTS);
  await load.more(30, PATIENCE_MS);
  await cluster.kill();
  const cutBytes = tearJournal(cluster.nodes[2]!.folder);
  cluster.start();
  await cluster.ready();
  await load.more(30, PATIENCE_MS);
  await load.stop();
  assert.equal(load.faults, []);
  assert.match(readFileSync(cluster.nodes[2]!.logFile, 'utf8'), `"bytes":${cutBytes},"msg":"a torn end of the journal`);
  acknowledged.push(...load.acknowledged);
  await assertNothingLost();
});

testNodes('SIGTERM ends a node with status 0, and what it leaves verifies from the genesis on', async () => {
  const status = await cluster.nodes[0]!.client.status();
  assert.equal(await cluster.terminate(), [0, 0, 0, 0]);
  const verified = await medledger(['verify', '--json', '--data', cluster.nodes[0]!.folder]);
  assert.is(verified.status, 0, verified.stderr);
  const { kind, stateRoot } = JSON.parse(verified.stdout) as { kind: string; stateRoot: string };
  assert.equal({ kind, stateRoot }, { kind: 'sound', stateRoot: status.stateRoot });
});

test.run();
