// A fifth node, listed by the operators and no validator, joins four real ones with an empty folder, among liars.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockView, NodeStatusView } from '../../src/api/contract/schemas.ts';
import { fromBase64url } from '../../src/api/contract/text.ts';
import { compareBytes, toHex } from '../../src/codec/bytes.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { decodeHeader } from '../../src/ledger/block.ts';
import { readConfig } from '../../src/node/config.ts';
import { drawSeed } from '../../src/node/init-node.ts';
import { waitUntilReady } from '../../src/node/process-group.ts';
import { verifyData } from '../../src/node/verify-data.ts';
import { openStore } from '../../src/storage/block-store.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import { type Cluster, createCluster } from '../cluster/cluster.ts';
import { findFreePorts } from '../cluster/free-ports.ts';
import { RecordLoad, registerParties } from '../cluster/record-load.ts';
import { withLogs } from '../cluster/with-logs.ts';
import { Joiner, listPeers } from './joiner.ts';
import { LyingPeer } from './lying-peer.ts';

const PATIENCE_MS = 30_000;
const POLL_MS = 50;
const INTERVAL = 16;
const JOINS_MAX = 6;

let cluster: Cluster;
let liars: readonly LyingPeer[] = [];
const joinerKey = lowSeed();
let joiner: Joiner;

/** Of two nodes the one with the lower key dials: the joiner so reaches a peer with this seed at once. */
function seedAbove(key: Uint8Array): Uint8Array {
  for (;;) {
    const seed = drawSeed();
    if (compareBytes(sodiumSigner(seed).publicKey, key) > 0) return seed;
  }
}

/** A key from the lower half, so that higher ones are soon found. */
function lowSeed(): Uint8Array {
  for (;;) {
    const seed = drawSeed();
    if (sodiumSigner(seed).publicKey[0]! < 128) return seed;
  }
}

const testNodes = withLogs(() => [cluster.logs(), joiner.log(), liars.map(({ asked }) => asked)]);

test.before(async () => {
  cluster = await createCluster({ parameters: { heartbeatMs: 200, snapshotInterval: INTERVAL, keepRecent: 16 } });
  const port = await findFreePorts(3);
  const address = (at: number) => `/ip4/127.0.0.1/tcp/${at}`;
  const victim = { publicKey: sodiumSigner(joinerKey).publicKey, addresses: [address(port + 100)] };
  const first = cluster.nodes[0]!;
  const honestAddresses = readConfig(path.join(first.folder, 'config.toml'), {}).p2p.listen;
  liars = (['badData', 'absurdHeight'] as const).map(
    (lie, place) =>
      new LyingPeer({
        lie,
        seed: seedAbove(victim.publicKey),
        port: port + 101 + place,
        genesisHash: cluster.genesisHash,
        honest: { publicKey: first.publicKey, addresses: honestAddresses },
        victim,
      }),
  );
  const listedLiars = liars.map(({ publicKey }, place) => ({
    name: `liar-${place}`,
    publicKey,
    address: address(port + 101 + place),
  }));
  for (const { folder } of cluster.nodes)
    listPeers(folder, [{ name: 'joiner', publicKey: victim.publicKey, address: victim.addresses[0]! }, ...listedLiars]);
  joiner = await Joiner.make(cluster, 'joiner', joinerKey, port);
  listPeers(joiner.folder, listedLiars);
  cluster.start();
  await cluster.ready();
});

test.after(async () => {
  if (process.exitCode)
    console.log(
      cluster.logs(),
      joiner.log(),
      liars.map(({ asked }) => asked),
    );
  await joiner.stop();
  for (const liar of liars) await liar.close();
  await cluster.close();
});

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function headerAt(url: string, height: number): Promise<{ hash: string; stateRoot: string } | undefined> {
  const response = await fetch(`${url}/v1/blocks/${height}`);
  if (response.status !== 200) return undefined;
  const block = (await response.json()) as BlockView;
  return { hash: block.hash, stateRoot: toHex(decodeHeader(fromBase64url(block.header)).stateRoot) };
}

async function startJoiner(): Promise<void> {
  await waitUntilReady([joiner.start()], PATIENCE_MS);
}

/** Resolves with the joiner's status once it stands at a height where all four have the same block. */
async function joinerAgrees(least: number): Promise<NodeStatusView> {
  const status = await until(`the joiner at ${least}`, async () => {
    const seen = await joiner.client.status();
    return seen.height >= least ? seen : undefined;
  });
  for (const { url } of cluster.nodes) {
    const theirs = await until(`block ${status.height} of ${url}`, () => headerAt(url, status.height));
    assert.equal(theirs, { hash: status.tipHash, stateRoot: status.stateRoot });
  }
  return status;
}

/** Whether the joiner, which has the whole state, found both liars out: the one by its data, the other by its height. */
async function joinsPastLiars(least: number): Promise<boolean> {
  const { height, validator, historyFrom } = await joinerAgrees(least);
  assert.is(validator, null);
  assert.ok(historyFrom > 2 * INTERVAL && historyFrom % INTERVAL === 1, `from ${historyFrom} at ${height}`);
  const early = await fetch(`${joiner.url}/v1/blocks/1`);
  assert.is(early.status, 410);
  assert.is(((await early.json()) as { code: string }).code, 'beforeHistory');
  await until('the first block after the snapshot', () => headerAt(joiner.url, historyFrom));
  const [badData, absurdHeight] = liars.map(refusedOf);
  return /chunk|malformed|certificate|hash|txRoot/.test(badData!) && /certificate/.test(absurdHeight!);
}

function refused(): Record<string, unknown>[] {
  return joiner.log().filter(({ msg }) => msg === 'a peer served what is not so');
}

function refusedOf(liar: LyingPeer): string {
  const lines = refused().filter(({ peer }) => peer === toHex(liar.publicKey));
  return lines.map(({ reason }) => String(reason)).join(' ');
}

testNodes('an empty node joins by a snapshot, past liars, to the same state, without the early blocks', async () => {
  const parties = await registerParties(cluster, 0);
  const load = new RecordLoad(cluster, [parties], 8);
  await load.more(150, PATIENCE_MS);
  const before = await until('two snapshots', async () => {
    const { height } = await cluster.nodes[0]!.client.status();
    return height >= 3 * INTERVAL ? height : undefined;
  });
  for (const liar of liars) {
    await liar.start();
    await liar.connected();
  }
  await startJoiner();
  await load.more(50, PATIENCE_MS);
  await load.stop();
  assert.equal(load.faults, []);
  let joins = 1;
  // Whom it asks first, and who answers before all is there, is chance: until both were found out it begins anew.
  for (; !(await joinsPastLiars(before)); joins += 1) {
    assert.ok(joins < JOINS_MAX, `liars not found out: ${liars.map(refusedOf).join(', ')}`);
    await joiner.kill();
    for (const name of ['ledger', 'index', 'snapshots'] as const)
      rmSync(dataFolder(joiner.folder)[name], { recursive: true });
    await startJoiner();
  }
  assert.is(joiner.log().filter(({ msg }) => msg === 'joined by a snapshot').length, joins);
  const honest = cluster.nodes.map(({ publicKey }) => toHex(publicKey));
  assert.equal(
    refused().filter(({ peer }) => honest.includes(String(peer))),
    [],
    'no honest peer is blamed',
  );
});

testNodes(
  'a joined node comes back after a crash and a pause, by blocks or by a newer snapshot, and verifies',
  async () => {
    const { historyFrom } = await joiner.client.status();
    await joiner.kill();
    const goal = (await cluster.nodes[0]!.client.status()).height + 8;
    await until('more blocks', async () =>
      (await cluster.nodes[0]!.client.status()).height >= goal ? true : undefined,
    );
    await startJoiner();
    const status = await joinerAgrees(goal);
    assert.ok(status.historyFrom >= historyFrom);
    await joiner.stop();
    const verified = await verifyData(joiner.folder, () => undefined);
    assert.is(verified.kind, 'sound');
    if (verified.kind === 'sound') assert.is(verified.fromHeight, status.historyFrom);
    const store = await openStore(dataFolder(joiner.folder).ledger, { genesisHash: cluster.genesisHash });
    for (let height = 1; height < historyFrom; height += 1) assert.is(await store.bodies(height), undefined);
    assert.is(await store.indexPages(1), undefined);
    await store.close();
    assert.equal(joiner.exits, []);
  },
);

test.run();
