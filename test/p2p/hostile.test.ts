import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { privateKeyOf } from '../../src/p2p/identity.ts';
import { createNode, type NodeServices } from '../../src/p2p/libp2p-node.ts';
import { CHANNEL, DEFAULT_LIMITS, REQUESTS, TOPICS } from '../../src/p2p/protocols.ts';
import { closeAll, portOf, publicKeyOfSeed, seedOf, startMesh, startNode, type TestNode } from './loopback.ts';

/** A libp2p node that has the right key and keeps to no rule. */
async function startRogue(name: string): Promise<Libp2p<NodeServices>> {
  const rogue = await createNode(await privateKeyOf(seedOf(name)), [], DEFAULT_LIMITS, {});
  await rogue.handle(CHANNEL.id, () => undefined);
  await rogue.start();
  return rogue;
}

const connectTo = (rogue: Libp2p, { network }: TestNode) => rogue.dial(multiaddr(network.addresses()[0]!));
const admitRogue = () => startNode('victim', { peers: [{ publicKey: publicKeyOfSeed('rogue'), addresses: [] }] });

/** Resolves when the victim has counted a fault and the rogue has no connection left. */
async function isCut(rogue: Libp2p, victim: TestNode): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (rogue.getConnections().length > 0 || victim.network.connectedPeers().length > 0) {
    assert.ok(performance.now() < deadline, 'the rogue must be disconnected');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.is(victim.network.metrics().dropped.malformed, 1);
}

test('a stranger gets no connection, whoever dials', async () => {
  const [a, b] = await startMesh(['a', 'b']);
  const stranger = await startRogue('stranger');
  // The dial may resolve before the other side has refused: what counts is what is left.
  const connection = await connectTo(stranger, a).catch(() => undefined);
  if (connection?.status === 'open') await once(connection, 'close');
  assert.is(stranger.getConnections().length, 0);
  assert.equal(a.network.connectedPeers(), [b.publicKey]);
  assert.is(a.network.metrics().dropped.stranger, 1);
  await stranger.stop();
  await closeAll([a, b]);
});

test('random bytes at the port are counted and harm nobody', async () => {
  const [a, b] = await startMesh(['a', 'b']);
  const sockets = Array.from({ length: 8 }, (_, i) => {
    const socket = connect(portOf(a), '127.0.0.1');
    socket.on('error', () => undefined);
    if (i > 0) socket.write(randomBytes(10 ** (i % 6)));
    return socket;
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  assert.is(a.network.metrics().dropped.failedHandshake, 8);
  b.network.broadcast(Uint8Array.of(1));
  await a.until(() => a.consensus.length === 1);
  await closeAll([a, b]);
});

for (const [what, bytes] of [
  ['a frame over the cap', Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
  ['a frame of no class', Uint8Array.of(0, 0, 0, 2, 9, 9)],
  ['an empty frame', Uint8Array.of(0, 0, 0, 0)],
  ['a batch that is none', Uint8Array.of(0, 0, 0, 3, 3, 0xff, 0xff)],
  ['random bytes', new Uint8Array(randomBytes(5_000)).with(0, 0xaa)],
] as const) {
  test(`${what} on the channel is counted and ends the connection`, async () => {
    const victim = await admitRogue();
    const rogue = await startRogue('rogue');
    const connection = await connectTo(rogue, victim);
    await victim.until(() => victim.network.connectedPeers().length === 1);
    const stream = await connection.newStream(CHANNEL.id);
    stream.send(bytes);
    await isCut(rogue, victim);
    await connectTo(rogue, victim).catch(() => undefined);
    await isCut(rogue, victim);
    assert.ok((victim.network.metrics().dropped.shunnedPeer ?? 0) > 0, 'it is kept out for a while');
    await rogue.stop();
    await victim.network.close();
  });
}

test('a malformed request is counted and ends the connection', async () => {
  const victim = await admitRogue();
  const rogue = await startRogue('rogue');
  const connection = await connectTo(rogue, victim);
  await victim.until(() => victim.network.connectedPeers().length === 1);
  const stream = await connection.newStream(REQUESTS.bodies.id);
  stream.send(Uint8Array.of(0, 0, 0, 2, 0x81, 0x00));
  await isCut(rogue, victim);
  await rogue.stop();
  await victim.network.close();
});

test('garbage gossip is counted, not passed on, and ends the connection', async () => {
  const victim = await admitRogue();
  const rogue = await startRogue('rogue');
  const topic = TOPICS.transactions + 'ab'.repeat(32);
  rogue.services.gossip.subscribe(topic);
  await connectTo(rogue, victim);
  // Its own stream to the victim opens a moment after it has heard of the subscription.
  for (let sent = 0; sent === 0; ) {
    const { recipients } = await rogue.services.gossip.publish(topic, new Uint8Array(randomBytes(1_000)));
    sent = recipients.length;
    if (sent === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await isCut(rogue, victim);
  assert.is(victim.transactions.length, 0);
  await rogue.stop();
  await victim.network.close();
});

test('bytes on the gossip stream that gossipsub cannot read leave everything else at work', async () => {
  const victim = await admitRogue();
  const rogue = await startRogue('rogue');
  const connection = await connectTo(rogue, victim);
  await victim.until(() => victim.network.connectedPeers().length === 1);
  for (const bytes of [
    Uint8Array.of(3, 0xff, 0xff, 0xff),
    Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
    randomBytes(100_000),
  ]) {
    const stream = await connection.newStream('/meshsub/1.2.0');
    stream.send(new Uint8Array(bytes));
  }
  const channel = await connection.newStream(CHANNEL.id);
  channel.send(Uint8Array.of(0, 0, 0, 2, 1, 42));
  await victim.until(() => victim.consensus.length === 1);
  await rogue.stop();
  await victim.network.close();
});

test('a handler that finds bytes malformed cuts their sender', async () => {
  const [a, b] = await startMesh(['a', 'b'], {
    handlers: {
      onConsensus: () => {
        throw new DecodeError('no consensus message');
      },
    },
  });
  a.network.broadcast(Uint8Array.of(1));
  await b.until(() => b.network.connectedPeers().length === 0);
  assert.is(b.network.metrics().dropped.malformed, 1);
  await a.until(() => a.network.connectedPeers().length === 1);
  b.network.reportMalformed(a.publicKey, 'a wrong signature');
  assert.is(b.network.metrics().dropped.malformed, 2);
  await closeAll([a, b]);
});

test.run();
