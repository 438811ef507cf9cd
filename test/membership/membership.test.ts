// Seats change hands under real nodes: one joins, one leaves, one rotates its key, and the ledger goes on.
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64url } from '../../src/api/contract/text.ts';
import {
  assembleTransaction,
  drawSalt,
  followValidators,
  submitUntilFinal,
  transactionBody,
  trustedLedger,
  verifyBlock,
} from '../../src/client/index.ts';
import { equalBytes, fromHex, toHex } from '../../src/codec/bytes.ts';
import { encodeGenesis } from '../../src/ledger/genesis.ts';
import { transactionPreimage } from '../../src/ledger/transaction.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { readFolderIdentity } from '../../src/node/identity.ts';
import { type Cluster, createCluster, readClusterGenesis } from '../cluster/cluster.ts';
import { findFreePorts } from '../cluster/free-ports.ts';
import { medledger } from '../cluster/medledger.ts';
import { withLogs } from '../cluster/with-logs.ts';

const PATIENCE_MS = 30_000;

let cluster: Cluster;
/** Numbers of the nodes beyond the first four: one takes a new seat, the other the seat of node 2. */
let joiner: number;
let successor: number;

const testNodes = withLogs(() => [cluster.logs()]);

test.before(async () => {
  cluster = await createCluster({ parameters: { heartbeatMs: 400 } });
  joiner = await prepareNode('joiner', 'hospital-1');
  successor = await prepareNode('successor', 'hospital-3');
  cluster.start([0, 1, 2, 3, joiner]);
  await cluster.ready([0, 1, 2, 3, joiner]);
});

test.after(async () => {
  await cluster.close();
});

/** A fresh node folder for the ledger, with a key that was never a validator's, listed by the first four. */
async function prepareNode(name: string, hospital: string): Promise<number> {
  const port = await findFreePorts(1);
  const folder = path.join(cluster.root, name);
  const address = `/ip4/127.0.0.1/tcp/${port + 100}`;
  const configs = [0, 1].map((number) => path.join(cluster.nodes[number]!.folder, 'config.toml'));
  const keys = cluster.keysFolder;
  const made = await command('init', '--out', folder, '--name', name, '--port', String(port), '--listen', address, [
    ['--genesis', path.join(keys, 'genesis.cbor'), '--organisation', path.join(keys, `${hospital}.json`)],
    ['--peers', ...configs],
  ]);
  const entry = `\n[[p2p.peers]]\nname = "${name}"\npublicKey = "${made['publicKey']}"\naddresses = ["${address}"]\n`;
  for (const { folder: other } of cluster.nodes.slice(0, 4)) appendFileSync(path.join(other, 'config.toml'), entry);
  return cluster.adopt(folder, `http://127.0.0.1:${port}`, fromHex(made['publicKey'] as string), hospital);
}

/** Runs a command that has to succeed; its result, with what it said on the way as `notes`. */
async function command(
  ...args: readonly (string | readonly (readonly string[])[])[]
): Promise<Record<string, unknown>> {
  const ended = await medledger([...args.flat(2), '--json']);
  assert.is(ended.status, 0, ended.stderr);
  return { ...(JSON.parse(ended.stdout) as Record<string, unknown>), notes: ended.stderr };
}

function signers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => path.join(cluster.keysFolder, `hospital-${i + 1}.json`));
}

function keyOf(number: number): string {
  return toHex(cluster.nodes[number]!.publicKey);
}

/** Waits until these nodes are a few blocks beyond `height` together; returns where they stand. */
async function goesOn(numbers: readonly number[], height: number) {
  return cluster.agreed(height + 3, PATIENCE_MS, numbers);
}

testNodes(
  'a listed node follows as an observer, is given a seat, and its vote is needed from its height on',
  async () => {
    const node = cluster.nodes[joiner]!;
    const [before] = await goesOn([joiner], 0);
    assert.is(before!.validator, null);
    const file = path.join(cluster.root, 'joiner.json');
    await command('validator', 'ready', '--data', node.folder, '--node', node.url, '--out', file);
    const sign = ['--sign', ...signers(3)];
    const added = await command('validator', 'add', file, '--node', cluster.nodes[1]!.url, [sign]);
    assert.equal(added['faultyMax'], { before: 1, after: 1 });
    const fromHeight = added['fromHeight'] as number;
    assert.is(fromHeight, (added['height'] as number) + 2);
    const statuses = await cluster.agreed(fromHeight, PATIENCE_MS, [0, 1, 2, 3, joiner]);
    for (const { validators } of statuses) assert.is(validators, 5);
  },
);

testNodes(
  'with one of five stopped the quorum of four needs the new one, which was killed itself and came back',
  async () => {
    await cluster.kill([joiner]);
    cluster.start([joiner]);
    await cluster.ready([joiner]);
    await cluster.kill([3]);
    const { height } = await cluster.nodes[0]!.client.status();
    const statuses = await goesOn([0, 1, 2, joiner], height);
    assert.type(statuses[3]!.validator, 'number');
    cluster.start([3]);
    await cluster.ready([3]);
  },
);

testNodes('a validator that is removed goes on as an observer and signs nothing', async () => {
  const removed = await command('validator', 'remove', keyOf(1), '--node', cluster.nodes[0]!.url, [
    ['--sign', ...signers(3)],
  ]);
  assert.equal(removed['faultyMax'], { before: 1, after: 1 });
  const statuses = await goesOn([0, 1, 2, 3, joiner], removed['fromHeight'] as number);
  assert.is(statuses[1]!.validator, null);
  assert.is(statuses[1]!.validators, 4);
  const { validators } = await cluster.nodes[0]!.client.validators();
  const left = validators.find(({ publicKey }) => publicKey === keyOf(1));
  assert.is(left?.untilHeight, removed['fromHeight']);
});

testNodes('a key that left is refused for ever', async () => {
  const node = cluster.nodes[1]!;
  const file = path.join(cluster.root, 'again.json');
  await command('validator', 'ready', '--data', node.folder, '--node', node.url, '--out', file);
  const again = await medledger(['validator', 'add', file, '--node', node.url, '--sign', ...signers(3)]);
  assert.is(again.status, 1);
  assert.match(again.stderr, 'keySpent');
});

testNodes('a seat goes to the new key of its hospital, whose vote is then needed', async () => {
  cluster.start([successor]);
  await cluster.ready([successor]);
  const node = cluster.nodes[successor]!;
  const file = path.join(cluster.root, 'successor.json');
  await command('validator', 'ready', '--data', node.folder, '--node', node.url, [
    ['--out', file, '--replaces', keyOf(2)],
  ]);
  const rotated = await command('validator', 'rotate', file, '--node', cluster.nodes[0]!.url, [
    ['--sign', ...signers(3)],
  ]);
  const fromHeight = rotated['fromHeight'] as number;
  const statuses = await goesOn([0, 2, 3, joiner, successor], fromHeight);
  assert.equal(
    statuses.map(({ validator, validators }) => [validator !== null, validators]),
    [true, false, true, true, true].map((hasSeat) => [hasSeat, 4]),
  );
  assert.equal(await cluster.terminate([2]), [0]);
  await cluster.kill([3]);
  const { height } = await cluster.nodes[0]!.client.status();
  await goesOn([0, joiner, successor], height);
  cluster.start([3]);
  await cluster.ready([3]);
});

testNodes('what lowers the number of faults borne says so', async () => {
  const removed = await command('validator', 'remove', keyOf(3), '--node', cluster.nodes[0]!.url, [
    ['--sign', ...signers(3)],
  ]);
  assert.equal(removed['faultyMax'], { before: 1, after: 0 });
  assert.match(removed['notes'] as string, 'lowers the number of faulty validators that the ledger bears: 1 to 0');
  await goesOn([0, 3, joiner, successor], removed['fromHeight'] as number);
});

testNodes('evidence that a validator hands in stands on all nodes, once', async () => {
  const { genesisHash } = cluster;
  const [accused, witness] = [0, joiner].map((number) => readFolderIdentity(cluster.nodes[number]!.folder).signer);
  const { height } = await cluster.nodes[0]!.client.status();
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)].map((blockHash) => {
    const signature = accused!.sign(votePreimage('COMMIT', genesisHash, { height, view: 0, blockHash }));
    return { blockHash, signature };
  });
  const pair = { kind: 'votes', statement: 'COMMIT', first: first!, second: second! } as const;
  const submit = async () => {
    const action = { kind: 'evidence.submit', submitter: witness!.publicKey, accused: accused!.publicKey } as const;
    const options = { validUntilMs: Date.now() + 60_000, salt: drawSalt(), attachment: null };
    const body = transactionBody({ ...action, height, view: 0, pair }, options);
    const bytes = witness!.sign(transactionPreimage(genesisHash, body));
    const signature = { account: witness!.publicKey, keyIndex: 0, bytes };
    const transaction = assembleTransaction(genesisHash, body, [signature], null);
    return submitUntilFinal(cluster.nodes[3]!.client, [transaction]);
  };
  const [taken] = await submit();
  assert.is(taken?.status, 'Committed');
  const [again] = await submit();
  assert.is(again?.status === 'Rejected' && again.code, 'evidenceKnown');
  await goesOn([0, 3, joiner, successor], (taken as { height: number }).height);
  for (const number of [0, 3, joiner, successor]) {
    const { evidence } = await cluster.nodes[number]!.client.evidence();
    assert.equal(
      evidence.map((entry) => [entry.accused, entry.statement, entry.height]),
      [[keyOf(0), 'COMMIT', height]],
    );
  }
  const listed = await command('validator', 'evidence', '--node', cluster.nodes[0]!.url);
  assert.is((listed['evidence'] as readonly unknown[]).length, 1);
});

testNodes('a client follows the validators from the genesis to the newest block', async () => {
  const { client } = cluster.nodes[joiner]!;
  const document = encodeGenesis(readClusterGenesis(cluster));
  const genesis = { height: 1, trusted: trustedLedger(document, cluster.genesisHash) };
  const view = await client.block('latest');
  const block = { header: fromBase64url(view.header), certificate: fromBase64url(view.certificate) };
  assert.throws(() => verifyBlock(block, genesis.trusted), /another validator set/);
  const { trusted, height } = await followValidators(client, genesis, view.height);
  assert.ok(height > 1);
  assert.is(toHex(verifyBlock(block, trusted).hash), view.hash);
  assert.not.ok(
    trusted.validators.validators.some(({ publicKey }) => equalBytes(publicKey, cluster.nodes[1]!.publicKey)),
  );
});

testNodes('nothing ended by itself, and every folder verifies from the genesis on', async () => {
  assert.equal(cluster.unexpectedExits, []);
  const running = [0, 1, 3, joiner, successor];
  await cluster.agreed(1, PATIENCE_MS, running);
  assert.equal(await cluster.terminate(running), [0, 0, 0, 0, 0]);
  const results = await Promise.all(
    cluster.nodes.map(({ folder }) => medledger(['verify', '--json', '--data', folder])),
  );
  for (const { status, stderr } of results) assert.is(status, 0, stderr);
});

test.run();
