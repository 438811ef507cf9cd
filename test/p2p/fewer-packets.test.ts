import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { ConnectionEncrypter, MultiaddrConnection, Stream } from '@libp2p/interface';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withCorkedWrites } from '../../src/p2p/corked-writes.ts';
import { updateWindowLate } from '../../src/p2p/late-window-updates.ts';

test('writes of one turn leave together and in order; those of later turns follow by themselves', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect(address.port, '127.0.0.1');
  await once(socket, 'connect');
  const [received] = await accepted;
  await corked(socket);
  const chunks: string[] = [];
  received.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  try {
    for (const part of ['length', ' part', ' tag']) socket.write(Buffer.from(part));
    assert.is(socket.writableCorked, 1);
    assert.is(socket.writableLength, 'length part tag'.length);
    await once(received, 'data');
    socket.write(Buffer.from('next'));
    await once(received, 'data');
    assert.is(socket.writableCorked, 0);
    assert.equal(chunks, ['length part tag', 'next']);
    const large = Buffer.alloc(3_000_000, 7);
    socket.write(large);
    socket.end();
    await once(received, 'end');
    assert.is(chunks.join('').length, 'length part tagnext'.length + large.length);
  } finally {
    socket.destroy();
    received.destroy();
    server.close();
  }
});

test('a connection without a TCP socket stays as it is', async () => {
  const connection = {};
  await corked(undefined, connection);
  assert.equal(connection, {});
});

test('a sender hears of its window once half of it is used', () => {
  let updates = 0;
  const stream = { recvWindow: 100, recvWindowCapacity: 100, sendWindowUpdate: () => (updates += 1) };
  updateWindowLate(stream as unknown as Stream);
  for (const capacity of [99, 50]) {
    stream.recvWindowCapacity = capacity;
    stream.sendWindowUpdate();
  }
  assert.is(updates, 0);
  stream.recvWindowCapacity = 49;
  stream.sendWindowUpdate();
  assert.is(updates, 1);
});

/** Passes a connection through the encrypter as libp2p does, over `socket` if there is one. */
async function corked(socket: Socket | undefined, connection: object = { socket }): Promise<void> {
  const plain: ConnectionEncrypter = {
    protocol: '/plain',
    secureInbound: () => Promise.reject(new Error('not asked')),
    secureOutbound: (secured) => Promise.resolve({ connection: secured, remotePeer: undefined as never }) as never,
  };
  await withCorkedWrites(() => plain)({}).secureOutbound(connection as MultiaddrConnection);
}

test.run();
