import { mock } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Batcher, decodeBatch } from '../../src/p2p/batch.ts';
import { readChannel } from '../../src/p2p/channel.ts';
import { Conduct } from '../../src/p2p/conduct.ts';
import { Counters } from '../../src/p2p/counters.ts';
import { ADDRESSES_MAX, Gate, type KnownPeer, PEERS_MAX } from '../../src/p2p/gate.ts';
import { Outbox } from '../../src/p2p/outbox.ts';
import { BATCH, CHANNEL, OUTBOX } from '../../src/p2p/protocols.ts';
import { RateLimit } from '../../src/p2p/rate.ts';
import { Reconnector } from '../../src/p2p/reconnect.ts';
import { publicKeyOfSeed } from './loopback.ts';

/** The parts of a libp2p stream that outbox and channel use; it is full until `drain` is called. */
class FullStream extends EventTarget {
  readonly writes: Uint8Array[] = [];
  writableNeedsDrain = false;
  writeStatus = 'writable';
  readStatus = 'readable';
  send(bytes: Uint8Array): boolean {
    this.writes.push(bytes);
    this.writableNeedsDrain = true;
    return false;
  }
  drain(): void {
    this.writableNeedsDrain = false;
    this.dispatchEvent(new Event('drain'));
  }
  receive(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
  pause(): void {
    this.readStatus = 'paused';
  }
  resume(): void {
    this.readStatus = 'readable';
  }
  asStream(): Stream {
    return this as unknown as Stream;
  }
}

test.after.each(() => mock.timers.reset());

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('an outbox writes the urgent first and waits for drain', async () => {
  const stream = new FullStream();
  const outbox = new Outbox(stream.asStream(), new Counters(), () => assert.unreachable());
  outbox.push('transactions', new Uint8Array(100_000).fill(3));
  await turn();
  outbox.push('transactions', Uint8Array.of(3));
  outbox.push('block', Uint8Array.of(2));
  outbox.push('consensus', Uint8Array.of(1));
  await turn();
  assert.is(stream.writes.length, 1);
  stream.drain();
  await turn();
  assert.equal([...stream.writes[1]!], [0, 0, 0, 2, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0, 2, 3, 3]);
  assert.is(outbox.queuedBytes, 0);
  outbox.close();
});

test('an outbox drops transactions without room, and cuts a peer that leaves no room for consensus', async () => {
  const stream = new FullStream();
  stream.writableNeedsDrain = true;
  const counters = new Counters();
  const reasons: string[] = [];
  const outbox = new Outbox(stream.asStream(), counters, (reason) => reasons.push(reason));
  const megabyte = new Uint8Array(1024 * 1024);
  for (let i = 0; i < OUTBOX.bytesMax.transactions / megabyte.length; i += 1)
    assert.ok(outbox.push('transactions', megabyte));
  assert.not(outbox.push('transactions', Uint8Array.of(1)));
  assert.is(counters.snapshot(0).dropped.outboxFull, 1);
  assert.equal(reasons, []);
  for (let i = 0; i < OUTBOX.framesMax.consensus; i += 1) assert.ok(outbox.push('consensus', Uint8Array.of(1)));
  assert.not(outbox.push('consensus', Uint8Array.of(1)));
  assert.is(reasons.length, 1);
  outbox.close();
  assert.is(outbox.queuedBytes, 0);
});

test('a peer that takes nothing for too long is cut', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const stream = new FullStream();
  const reasons: string[] = [];
  const outbox = new Outbox(stream.asStream(), new Counters(), (reason) => reasons.push(reason));
  outbox.push('consensus', Uint8Array.of(1));
  await turn();
  mock.timers.tick(OUTBOX.stalledAfterMs - 1);
  assert.is(reasons.length, 0);
  mock.timers.tick(1);
  assert.is(reasons.length, 1);
});

test('a frame that never ends is given up at its deadline, a row of frames is not', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const stream = new FullStream();
  const faults: string[] = [];
  const counters = new Counters();
  readChannel(stream.asStream(), counters, { onFrame: () => undefined, onFault: (reason) => faults.push(reason) });
  stream.receive(Uint8Array.of(0, 0, 0, 2, 1, 1, 0, 0));
  mock.timers.tick(CHANNEL.frameDeadlineMs - 1);
  stream.receive(Uint8Array.of(0, 2, 1, 1, 0, 0));
  mock.timers.tick(1);
  assert.equal(faults, []);
  for (const byte of [0, 9, 1]) {
    mock.timers.tick(CHANNEL.frameDeadlineMs / 3 + 1);
    stream.receive(Uint8Array.of(byte));
  }
  assert.is(faults.length, 1);
  assert.is(counters.snapshot(0).dropped.slowFrame, 1);
});

test('a channel over its rate is not read until the debt is paid', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const stream = new FullStream();
  readChannel(stream.asStream(), new Counters(), { onFrame: () => undefined, onFault: () => assert.unreachable() });
  const frames = new Uint8Array(5 * 1_000);
  for (let i = 0; i < frames.length; i += 5) frames.set([0, 0, 0, 1, 1], i);
  let rounds = 0;
  for (; stream.readStatus === 'readable' && rounds < 1_000; rounds += 1) stream.receive(frames);
  assert.ok(rounds >= CHANNEL.framesBurst / 1_000 && rounds < 1_000);
  mock.timers.tick(2_000);
  assert.is(stream.readStatus, 'readable');
});

test('a lone transaction leaves at once, others a few milliseconds after the last batch or at its size', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const batches: number[] = [];
  const batcher = new Batcher(
    (frame) => batches.push(decodeBatch(frame).length),
    () => 5_000,
  );
  const lone = { encoded: Uint8Array.of(1), attachment: null };
  const transaction = { encoded: new Uint8Array(16_384), attachment: new Uint8Array(16_384) };
  batcher.add([lone]);
  assert.equal(batches, [1]);
  batcher.add([lone, lone]);
  batcher.add([lone]);
  assert.equal(batches, [1]);
  mock.timers.tick(BATCH.flushAfterMs);
  assert.equal(batches, [1, 3]);
  batcher.add(Array.from({ length: 17 }, () => transaction));
  assert.equal(batches, [1, 3, 8, 8]);
  assert.throws(() => batcher.add([{ encoded: new Uint8Array(16_385), attachment: null }]), RangeError);
  batcher.close();
  mock.timers.tick(100);
  assert.equal(batches, [1, 3, 8, 8]);
});

test('faults keep a peer out for longer each time, but never for good', () => {
  let now = 0;
  const conduct = new Conduct(() => now);
  const waits = Array.from({ length: 8 }, () => conduct.recordFault('p'));
  assert.equal(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  now = 59_999;
  assert.ok(conduct.isShunned('p'));
  now = 60_000;
  assert.not(conduct.isShunned('p'));
  now = 700_000;
  assert.is(conduct.recordFault('p'), 1_000);
  conduct.retain(new Set());
  assert.not(conduct.isShunned('p'));
});

test('a rate allows its burst, then its average', () => {
  let now = 0;
  const rate = new RateLimit(10, 20, () => now);
  assert.is(rate.charge(20), 0);
  assert.is(rate.charge(5), 500);
  assert.not(rate.take(1));
  now = 600;
  assert.ok(rate.take(1));
});

test('the gate has room for so many peers and addresses, and none for itself or for what is no address', () => {
  const gate = new Gate(publicKeyOfSeed('own'), new Conduct(() => 0), new Counters());
  const peers = Array.from({ length: PEERS_MAX + 1 }, (_, i) => ({
    publicKey: publicKeyOfSeed(`${i}`),
    addresses: [],
  }));
  assert.throws(() => gate.setPeers(peers), RangeError);
  const many = Array.from({ length: ADDRESSES_MAX + 1 }, () => '/ip4/127.0.0.1/tcp/1');
  assert.throws(() => gate.setPeers([{ publicKey: publicKeyOfSeed('x'), addresses: many }]), RangeError);
  const unusable = gate.setPeers([
    { publicKey: publicKeyOfSeed('own'), addresses: [] },
    { publicKey: publicKeyOfSeed('x'), addresses: ['/ip4/127.0.0.1/tcp/1', 'hospital:4001'] },
  ]);
  assert.equal(unusable, ['hospital:4001']);
  assert.equal(
    [...gate.peers()].map(({ addresses }) => addresses.length),
    [1],
  );
});

test('a peer that cannot be reached is dialled ever more rarely, and not at all while connected', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let dials = 0;
  const reconnector = new Reconnector({
    firstMs: 100,
    maxMs: 400,
    initialDelayMs: () => 0,
    random: () => 0.5,
    dial: async () => {
      dials += 1;
      throw new Error('refused');
    },
  });
  const peer = { name: 'p', addresses: ['somewhere'] } as unknown as KnownPeer;
  reconnector.setPeers([peer]);
  const dialsAfter = async (ms: number) => {
    mock.timers.tick(ms);
    await turn();
    return dials;
  };
  assert.is(await dialsAfter(0), 1);
  assert.is(await dialsAfter(199), 1);
  assert.is(await dialsAfter(1), 2);
  assert.is(await dialsAfter(400), 3);
  assert.is(await dialsAfter(400), 4);
  reconnector.connected('p');
  assert.is(await dialsAfter(5_000), 4);
  reconnector.lost('p');
  assert.is(await dialsAfter(400), 5);
  reconnector.close();
  assert.is(await dialsAfter(5_000), 5);
});

test.run();
