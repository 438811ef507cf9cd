// Real nodes change their parameters by the command, and stop in good time before rules that they do not know.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { drawSalt, parametersSet, signTransaction, submitUntilFinal, transactionBody } from '../../src/client/index.ts';
import { type Cluster, createCluster } from '../cluster/cluster.ts';
import { medledger } from '../cluster/medledger.ts';
import { withLogs } from '../cluster/with-logs.ts';

const PATIENCE_MS = 30_000;
const ALL = [0, 1, 2, 3];
/** Blocks that the members are given to update. */
const NOTICE = 25;

let cluster: Cluster;
/** First height of a version that no build knows. */
let stopsBefore = 0;

const testNodes = withLogs(() => [cluster.logs()]);

test.before(async () => {
  cluster = await createCluster({ parameters: { heartbeatMs: 60_000 } });
  cluster.start();
  await cluster.ready();
});

test.after(async () => {
  await cluster.close();
});

function set(...values: readonly string[]) {
  const keys = [1, 2, 3].map((number) => path.join(cluster.keysFolder, `hospital-${number}.json`));
  const { url } = cluster.nodes[0]!;
  return medledger(['parameters', 'set', ...values, '--node', url, '--json', '--sign', ...keys]);
}

testNodes('a changed heartbeat is followed by all nodes without a restart', async () => {
  const changed = await set('heartbeatMs=200');
  assert.is(changed.status, 0, changed.stderr);
  assert.match(changed.stderr, 'heartbeatMs: 60000 to 200');
  const { height, fromHeight } = JSON.parse(changed.stdout);
  assert.is(fromHeight, height + 2);
  // Height 2 waits for the old heartbeat, unless a transaction comes.
  const { current, scheduled } = await cluster.nodes[1]!.client.parameters();
  assert.equal([current.heartbeatMs, scheduled?.heartbeatMs], [60_000, 200]);
  const inFlight = await set('viewTimeoutMs=2000');
  assert.is(inFlight.status, 1);
  assert.match(inFlight.stderr, `in flight: try again from height ${fromHeight} on`);
  const registered = await medledger([
    ...['account', 'create', '--keys', cluster.keysFolder, '--role', 'patient', '--name', 'anna'],
    ...['--organisation', path.join(cluster.keysFolder, 'hospital-1.json'), '--node', cluster.nodes[0]!.url],
  ]);
  assert.is(registered.status, 0, registered.stderr);
  // Nothing is sent any more: these come from the heartbeat alone.
  const statuses = await cluster.agreed(fromHeight + 5, PATIENCE_MS);
  assert.is(new Set(statuses.map(({ view }) => view)).size, 1);
  const shown = await medledger(['parameters', 'show', '--node', cluster.nodes[3]!.url]);
  assert.match(shown.stdout, /heartbeatMs +200/);
});

testNodes('the command refuses what the ledger would, and a version that its node does not know', async () => {
  for (const [value, words] of [
    ['heartbeatMs=1', 'parameter heartbeatMs is 1; it must be'],
    ['heartbeatMs=200', 'the parameters are those that they follow'],
    ['viewTimeoutMaxMs=2000', 'a change takes it no lower than 4000'],
    ['protocolVersion=2', 'version 1 stands until height'],
  ] as const) {
    const refused = await set(value);
    assert.is(refused.status, 1);
    assert.match(refused.stderr, words);
  }
  const unknown = await set('protocolVersion=2', 'protocolVersionFrom=100000');
  assert.is(unknown.status, 1);
  assert.match(unknown.stderr, 'knows protocol versions up to 1 and would stop at height 100000');
  assert.match((await set('heartbeatMss=1')).stderr, 'Did you mean "heartbeatMs"');
});

testNodes(
  'a version announced that no node knows is warned of by its height, and blocks are made up to it',
  async () => {
    const [{ client }] = cluster.nodes as [Cluster['nodes'][number]];
    const view = await client.parameters();
    stopsBefore = view.height + NOTICE;
    const action = parametersSet(view.current, { protocolVersion: 2, protocolVersionFrom: stopsBefore });
    const body = transactionBody(action, { validUntilMs: Date.now() + 60_000, salt: drawSalt(), attachment: null });
    const approvers = cluster.nodes.slice(0, 3).map(({ organisation }) => organisation);
    const [status] = await submitUntilFinal(client, [signTransaction(cluster.genesisHash, body, approvers, null)]);
    assert.is(status?.status, 'Committed');
    await cluster.agreed((status as { height: number }).height, PATIENCE_MS);
    for (const node of cluster.nodes) {
      assert.is((await node.client.status()).updateBefore, stopsBefore);
      assert.match(readFileSync(node.logFile, 'utf8'), `"updateBefore":${stopsBefore}`);
    }
    const shown = await medledger(['status', '--node', cluster.nodes[0]!.url]);
    assert.match(shown.stdout, `height ${stopsBefore}: it stops there`);
  },
);

testNodes('there a node stops with a message, makes no block of it, and does not start again', async () => {
  // The last of the four may miss the votes of those that stop: it stands a block below, and can not go on either.
  const [number, code] = await Promise.any(ALL.map(async (one) => [one, await cluster.exit(one)] as const));
  assert.is(code, 1);
  await cluster.terminate();
  const message = `Block ${stopsBefore} is of protocol version 2, and this build knows 1: update the node`;
  const { logFile, folder } = cluster.nodes[number]!;
  const before = readFileSync(logFile, 'utf8');
  assert.match(before, message);
  cluster.start([number]);
  assert.is(await cluster.exit(number), 1);
  assert.match(readFileSync(logFile, 'utf8').slice(before.length), message);
  const verified = await medledger(['verify', '--json', '--data', folder]);
  assert.is(verified.status, 0, verified.stderr);
  assert.is(JSON.parse(verified.stdout).height, stopsBefore - 1);
});

test.run();
