import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Cluster, createCluster, numberOfValidator, readClusterGenesis } from '../node/cluster.ts';
import { medledger } from '../node/medledger.ts';
import { PrimaryForecast } from '../node/primary.ts';
import { lostAt, RecordLoad, registerParties } from '../node/record-load.ts';
import { tearJournal } from '../node/torn-journal.ts';
import type { Report } from './report.ts';

const CLIENTS = 16;
const PATIENCE_MS = 60_000;
const POLL_MS = 50;
const FROZEN_MS = 25_000;
/** A few seconds: the view timeout is one second, its first doubling two, and the machine may be slow. */
const INTERRUPTION_MS_MAX = 6_000;

/** Kills nodes of a cluster under load, each alone, then all at once, and looks for what was lost. */
export async function showFaults(report: Report): Promise<void> {
  const cluster = await createCluster();
  try {
    cluster.start();
    await cluster.ready();
    const parties = await Promise.all(cluster.nodes.map((_, number) => registerParties(cluster, number)));
    const load = new RecordLoad(cluster, parties, CLIENTS);
    await report.check('four nodes commit records that sixteen clients sign', async () => {
      const startMs = performance.now();
      await load.more(300, PATIENCE_MS);
      return `${perSecond(300, performance.now() - startMs)} records/s`;
    });
    const forecast = new PrimaryForecast(readClusterGenesis(cluster));
    for (const round of [1, 2]) await showPrimaryKill(report, cluster, load, forecast, round);
    for (const number of cluster.nodes.keys()) await showKill(report, cluster, load, number);
    await showFrozen(report, cluster, load, 2);
    await showKillOfAll(report, cluster, load);
    await load.stop();
    await showNothingLost(report, cluster, load);
    await showVerify(report, cluster);
  } finally {
    if (process.env['MEDLEDGER_E2E_LOGS'] !== undefined) console.log(cluster.logs(60));
    await cluster.close();
  }
}

async function showPrimaryKill(
  report: Report,
  cluster: Cluster,
  load: RecordLoad,
  forecast: PrimaryForecast,
  round: number,
): Promise<void> {
  await report.check(`kill -9 of the primary whose turn is next (${round})`, async () => {
    const validator = await forecast.next(cluster.nodes[0]!.client);
    return killAndReturn(cluster, load, numberOfValidator(cluster, validator));
  });
}

async function showKill(report: Report, cluster: Cluster, load: RecordLoad, number: number): Promise<void> {
  await report.check(`kill -9 of hospital-${number + 1}`, () => killAndReturn(cluster, load, number));
}

/** Kills a node, lets the others commit, starts it again, and measures both. */
async function killAndReturn(cluster: Cluster, load: RecordLoad, number: number): Promise<string> {
  const killedMs = performance.now();
  await cluster.kill([number]);
  await load.more(150, PATIENCE_MS);
  const startedMs = performance.now();
  cluster.start([number]);
  await cluster.ready([number]);
  const readyMs = performance.now();
  const { height } = await cluster.nodes[number]!.client.status();
  await load.more(50, PATIENCE_MS);
  const gapMs = load.longestGapMs(killedMs, performance.now());
  assert.deepEqual(load.faults, []);
  assert.deepEqual(cluster.unexpectedExits, []);
  assert(gapMs <= INTERRUPTION_MS_MAX, `no commit for ${gapMs.toFixed(0)} ms`);
  return `longest time without a commit ${gapMs.toFixed(0)} ms; back and caught up at height ${height} after ${(readyMs - startedMs).toFixed(0)} ms`;
}

/** A node that hangs for longer than pings and view timeouts last, and then goes on as if nothing had been. */
async function showFrozen(report: Report, cluster: Cluster, load: RecordLoad, number: number): Promise<void> {
  await report.check(`hospital-${number + 1} hangs for ${FROZEN_MS / 1_000} s (SIGSTOP) and goes on`, async () => {
    const frozenMs = performance.now();
    cluster.signal(number, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
    const gapMs = load.longestGapMs(frozenMs, performance.now());
    assert(gapMs <= INTERRUPTION_MS_MAX, `no commit for ${gapMs.toFixed(0)} ms`);
    const thawedMs = performance.now();
    cluster.signal(number, 'SIGCONT');
    const { height } = await cluster.nodes[(number + 1) % cluster.nodes.length]!.client.status();
    const { client } = cluster.nodes[number]!;
    while ((await client.status()).height < height) {
      assert(performance.now() - thawedMs < PATIENCE_MS, 'it does not catch up');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const caughtUpMs = performance.now() - thawedMs;
    assert.deepEqual(cluster.unexpectedExits, []);
    return `longest time without a commit ${gapMs.toFixed(0)} ms; caught up ${caughtUpMs.toFixed(0)} ms after it went on`;
  });
}

async function showKillOfAll(report: Report, cluster: Cluster, load: RecordLoad): Promise<void> {
  await report.check('kill -9 of all four at once, one journal torn in its last record: repaired, and on', async () => {
    await cluster.kill();
    const { folder, logFile } = cluster.nodes[1]!;
    const cutBytes = tearJournal(folder);
    const startedMs = performance.now();
    cluster.start();
    await cluster.ready();
    await load.more(100, PATIENCE_MS);
    const [first] = load.acknowledged.filter(({ atMs }) => atMs > startedMs);
    assert.match(readFileSync(logFile, 'utf8'), new RegExp(`"bytes":${cutBytes},"msg":"a torn end of the journal`));
    assert.deepEqual(load.faults, []);
    assert.deepEqual(cluster.unexpectedExits, []);
    return `${cutBytes} bytes cut; first commit ${(first!.atMs - startedMs).toFixed(0)} ms after the start`;
  });
}

async function showNothingLost(report: Report, cluster: Cluster, load: RecordLoad): Promise<void> {
  const { acknowledged } = load;
  await report.check('all four nodes have the same state root', async () => {
    const statuses = await cluster.agreed(Math.max(...acknowledged.map(({ height }) => height)), PATIENCE_MS);
    const [{ height, stateRoot, transactionsCommitted, tipHash } = assert.fail()] = statuses;
    for (const status of statuses) {
      assert.equal(status.stateRoot, stateRoot);
      assert.equal(status.tipHash, tipHash);
      assert.equal(status.transactionsCommitted, transactionsCommitted);
    }
    return `height ${height}, ${transactionsCommitted} transactions, state root ${stateRoot.slice(0, 16)}…`;
  });
  await report.check(
    'every acknowledged transaction is committed, once, where it was acknowledged, on every node',
    async () => {
      const ids = new Set(acknowledged.map(({ txId }) => txId));
      assert.equal(ids.size, acknowledged.length);
      for (const { client } of cluster.nodes) assert.equal(await lostAt(client, acknowledged), undefined);
      return `${acknowledged.length} acknowledged`;
    },
  );
}

async function showVerify(report: Report, cluster: Cluster): Promise<void> {
  const { stateRoot } = await cluster.nodes[0]!.client.status();
  await report.check('SIGTERM: every node exits with status 0', async () => {
    assert.deepEqual(await cluster.terminate(), [0, 0, 0, 0]);
    return undefined;
  });
  for (const { folder } of cluster.nodes) {
    await report.check(`medledger verify of ${path.basename(folder)}`, async () => {
      const { status, stdout, stderr } = await medledger(['verify', '--json', '--data', folder]);
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      const result = JSON.parse(stdout) as { height: number; transactions: number; stateRoot: string };
      assert.equal(result.stateRoot, stateRoot);
      return `blocks 1 to ${result.height}, ${result.transactions} transactions, same state root`;
    });
  }
}

function perSecond(count: number, ms: number): string {
  return ((count * 1_000) / ms).toFixed(0);
}
