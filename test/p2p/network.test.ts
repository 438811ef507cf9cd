import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asPeer, closeAll, portOf, publicKeyOfSeed, startMesh, startNode } from './loopback.ts';

const numbered = (number: number) => Uint8Array.of(number >> 8, number & 255);
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => numbered(from + i));

test('consensus frames arrive in order both ways, the largest too', async () => {
  const [a, b] = await startMesh(['a', 'b']);
  const large = new Uint8Array(3 * 1024 * 1024 - 1).fill(7);
  for (let i = 0; i < 1_000; i += 1) {
    assert.ok(a.network.send(b.publicKey, numbered(i)));
    b.network.broadcast(numbered(1_000 + i));
  }
  assert.ok(a.network.send(b.publicKey, large));
  await Promise.all([b.until(() => b.consensus.length === 1_001), a.until(() => a.consensus.length === 1_000)]);
  const framesAtB = b.consensus.map(({ frame }) => frame);
  assert.equal(framesAtB.slice(0, 1_000), numbers(0, 1_000));
  assert.ok(Buffer.from(framesAtB[1_000]!).equals(large));
  assert.equal(
    a.consensus.map(({ frame }) => frame),
    numbers(1_000, 1_000),
  );
  assert.equal(b.consensus[0]!.from, a.publicKey);
  assert.throws(() => a.network.send(b.publicKey, new Uint8Array(3 * 1024 * 1024)), /at most/);
  assert.equal(a.network.metrics().framesOut, { consensus: 1_001 });
  assert.equal(a.network.metrics().framesIn, { consensus: 1_000 });
  await closeAll([a, b]);
});

test('transactions reach all of four nodes directly; blocks are not announced to those who agree on them', async () => {
  const nodes = await startMesh(['a', 'b', 'c', 'd']);
  const [a, ...others] = nodes;
  const plain = { encoded: new Uint8Array(300).fill(1), attachment: null };
  const attached = { encoded: new Uint8Array(16_384).fill(2), attachment: new Uint8Array(16_384).fill(3) };
  // An announcement would leave first: its class is the more urgent one.
  a.network.publishBlock(numbered(9));
  a.network.publishTransactions([plain, attached]);
  for (const node of others) {
    await node.until(() => node.transactions.length === 2);
    assert.equal(node.transactions, [plain, attached]);
    assert.is(node.blocks.length, 0);
  }
  assert.is(a.network.metrics().bytesOut['medledger/transactions/1/'], undefined);
  await closeAll(nodes);
});

test('with a member missing, transactions and blocks go by gossip, past a missing connection', async () => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => startNode(name)));
  // a and c know each other as members, but not how to reach each other.
  const unreachable = (publicKey: Uint8Array) => ({ publicKey, addresses: [] });
  a!.network.setMembers([asPeer(b!), unreachable(c!.publicKey)]);
  b!.network.setMembers([asPeer(a!), asPeer(c!)]);
  c!.network.setMembers([asPeer(b!), unreachable(a!.publicKey)]);
  await b!.until(() => b!.network.connectedPeers().length === 2);
  const transaction = { encoded: new Uint8Array(300).fill(4), attachment: null };
  // Gossip needs a moment to learn who has joined; until then messages may be lost.
  for (let i = 0; i < 40 && (c!.transactions.length === 0 || c!.blocks.length === 0); i += 1) {
    a!.network.publishTransactions([{ ...transaction, encoded: transaction.encoded.with(0, i) }]);
    a!.network.publishBlock(numbered(i));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(c!.transactions[0]!.encoded.subarray(1), transaction.encoded.subarray(1));
  assert.equal(c!.blocks[0]!.from, b!.publicKey, 'the neighbour that passed it on');
  await closeAll([a!, b!, c!]);
});

test('a peer that restarts is reached again, and a new member is reached at once', async () => {
  const [a, b] = await startMesh(['a', 'b']);
  const port = portOf(b);
  await b.network.close();
  await a.until(() => a.network.connectedPeers().length === 0);
  assert.not(a.network.send(b.publicKey, numbered(1)));
  const again = await startNode('b', { port, peers: [asPeer(a)] });
  await Promise.all([
    a.until(() => a.network.connectedPeers().length === 1),
    again.until(() => again.network.connectedPeers().length === 1),
  ]);
  a.network.broadcast(numbered(2));
  again.network.broadcast(numbered(3));
  await Promise.all([again.until(() => again.consensus.length === 1), a.until(() => a.consensus.length === 1)]);

  const c = await startNode('c', { peers: [asPeer(a)] });
  a.network.setMembers([asPeer(again), asPeer(c)]);
  await a.until(() => a.network.connectedPeers().length === 2);
  a.network.setMembers([asPeer(c)]);
  await a.until(() => a.network.connectedPeers().length === 1);
  assert.equal(a.network.connectedPeers(), [c.publicKey]);
  await closeAll([a, again, c]);
});

test('nodes that dial each other at the same moment settle on working links', async () => {
  for (let round = 0; round < 5; round += 1) {
    // Without a wait before the first dial both sides dial at once.
    const nodes = await startMesh(['a', 'b', 'c'], { limits: { reconnectFirstMs: 0, reconnectMaxMs: 20 } });
    for (const { network } of nodes) network.broadcast(numbered(round));
    for (const node of nodes) await node.until(() => node.consensus.length === 2);
    await closeAll(nodes);
  }
});

test('an observer hears of blocks and neither gets nor gives consensus messages', async () => {
  const [member, observer] = await Promise.all([startNode('a'), startNode('b')]);
  observer.network.setMembers([asPeer(member)]);
  member.network.setMembers([{ ...asPeer(observer), role: 'observer' }]);
  await member.until(() => member.network.connectedPeers().length === 1);
  await observer.until(() => observer.network.connectedPeers().length === 1);
  member.network.broadcast(numbered(1));
  member.network.publishBlock(numbered(2));
  observer.network.broadcast(numbered(3));
  await observer.until(() => observer.blocks.length === 1);
  await member.until(() => member.network.metrics().dropped.fromObserver === 1);
  assert.is(observer.consensus.length + member.consensus.length, 0);
  await closeAll([member, observer]);
});

test('an observer passes transactions on, since its clients have no other way', async () => {
  const [member, observer] = await Promise.all([startNode('a'), startNode('b')]);
  observer.network.setMembers([asPeer(member)]);
  member.network.setMembers([{ ...asPeer(observer), role: 'observer' }]);
  await observer.until(() => observer.network.connectedPeers().length === 1);
  observer.network.publishTransactions([{ encoded: numbered(5), attachment: null }]);
  await member.until(() => member.transactions.length === 1);
  assert.is(member.network.metrics().dropped.fromObserver ?? 0, 0);
  await closeAll([member, observer]);
});

test('a change of roles holds on the connection that stands', async () => {
  const [member, joiner] = await Promise.all([startNode('a'), startNode('b')]);
  joiner.network.setMembers([asPeer(member)]);
  member.network.setMembers([{ ...asPeer(joiner), role: 'observer' }]);
  await member.until(() => member.network.connectedPeers().length === 1);
  await joiner.until(() => joiner.network.connectedPeers().length === 1);
  member.network.broadcast(numbered(1));
  member.network.setMembers([{ ...asPeer(joiner), role: 'member' }]);
  member.network.broadcast(numbered(2));
  joiner.network.broadcast(numbered(3));
  await Promise.all([
    joiner.until(() => joiner.consensus.length === 1),
    member.until(() => member.consensus.length === 1),
  ]);
  assert.equal(joiner.consensus[0]!.frame, numbered(2), 'what was said before was not for an observer');
  member.network.setMembers([{ ...asPeer(joiner), role: 'observer' }]);
  member.network.broadcast(numbered(4));
  member.network.publishBlock(numbered(5));
  await joiner.until(() => joiner.blocks.length === 1);
  assert.is(joiner.consensus.length, 1);
  assert.equal(member.network.connectedPeers().length, 1);
  await closeAll([member, joiner]);
});

test('a port in use is said in words', async () => {
  const a = await startNode('a');
  const error = await startNode('b', { port: portOf(a) }).catch((reason: Error) => reason);
  assert.match((error as Error).message, /Cannot listen on .*set p2p.listen to another address/);
  await a.network.close();
  assert.equal(a.publicKey, publicKeyOfSeed('a'));
});

test.run();
