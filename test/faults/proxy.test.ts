import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FaultProxy } from './fault-proxy.ts';
import { CLEAR_LINE } from './network.ts';

let proxy: FaultProxy;
let server: Server;
/** Connections as node 1 accepts them. */
let accepted: Socket[];

test.before.each(async () => {
  proxy = await FaultProxy.open(2, 1);
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.setTarget(1, { host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});

test.after.each(async () => {
  await proxy.close();
  server.close();
});

/** Dials node 1 as node 0; both ends. */
async function dial(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const connected = once(server, 'connection');
  const near = connect({ port: proxy.portOf(0, 1), host: '127.0.0.1', allowHalfOpen: true });
  near.on('error', () => undefined);
  await connected;
  return { near, far: accepted.at(-1)! };
}

/** Not by `once`, which takes the error of a reset for a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

async function read(socket: Socket, bytes: number): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString();
    if (text.length >= bytes) break;
  }
  return text;
}

test('bytes pass in both directions, and each end may end its own', async () => {
  const { near, far } = await dial();
  near.write('there');
  assert.is(await read(far, 5), 'there');
  near.end();
  far.write('back');
  assert.is(await read(near, 4), 'back');
  const ended = once(near, 'end');
  near.resume();
  far.end();
  await ended;
});

test('a blocked line holds what one end sends and leaves the other direction open', async () => {
  const { near, far } = await dial();
  let heard = '';
  far.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  proxy.block(0, 1);
  near.write('held');
  far.write('open');
  assert.is(await read(near, 4), 'open');
  assert.is(heard, '');
  const arrived = once(far, 'data');
  proxy.open(0, 1);
  await arrived;
  assert.is(heard, 'held');
});

test('a blocked direction is blocked whoever dialled', async () => {
  const { near, far } = await dial();
  let heard = '';
  near.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  proxy.block(1, 0);
  far.write('held');
  near.write('open');
  assert.is(await read(far, 4), 'open');
  assert.is(heard, '');
  const arrived = once(near, 'data');
  proxy.open(1, 0);
  await arrived;
  assert.is(heard, 'held');
});

test('a connection dialled over a blocked line stands when the line opens', async () => {
  proxy.block(1, 0);
  const near = connect(proxy.portOf(0, 1), '127.0.0.1');
  near.write('hello');
  await once(near, 'connect');
  assert.is(accepted.length, 0);
  const connected = once(server, 'connection');
  proxy.open(1, 0);
  await connected;
  assert.is(await read(accepted[0]!, 5), 'hello');
});

test('behind a blocked line nobody hears of an end or a reset', async () => {
  const { near, far } = await dial();
  const events: string[] = [];
  far.on('end', () => events.push('end'));
  far.on('close', () => events.push('close'));
  far.resume();
  proxy.block(0, 1);
  near.resetAndDestroy();
  const other = await dialOther();
  other.destroy();
  assert.equal(events, []);
  const end = closed(far);
  proxy.open(0, 1);
  await end;
  assert.equal(events, ['close']);
});

/** A round trip on loopback, in which a reset would have arrived. */
async function dialOther(): Promise<Socket> {
  const other = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(other, 'connect');
  return other;
}

test('a delayed line keeps the order and takes its time', async () => {
  const { near, far } = await dial();
  proxy.shape(0, 1, { ...CLEAR_LINE, delayMs: 60, jitterMs: 60, loss: 0.2 });
  const startMs = performance.now();
  let sent = '';
  for (let part = 0; part < 20; part += 1) {
    const text = `${part},`;
    sent += text;
    near.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.is(await read(far, sent.length), sent);
  assert.ok(performance.now() - startMs >= 60);
});

test('a narrow line lets through no more than its bytes a second', async () => {
  const { near, far } = await dial();
  proxy.shape(0, 1, { ...CLEAR_LINE, bytesPerSecond: 1_000_000 });
  const startMs = performance.now();
  near.write('x'.repeat(200_000));
  assert.is((await read(far, 200_000)).length, 200_000);
  assert.ok(performance.now() - startMs >= 190);
});

test('a reset reaches both ends', async () => {
  const { near, far } = await dial();
  const ends = [closed(near), closed(far)];
  near.resume();
  far.resume();
  proxy.reset(1, 0);
  await Promise.all(ends);
});

test.run();
