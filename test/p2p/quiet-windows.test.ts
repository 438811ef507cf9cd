// A stream that is opened just as its connection closes must not end the process.
import { yamux } from '@chainsafe/libp2p-yamux';
import type { MultiaddrConnection, StreamMuxerFactory } from '@libp2p/interface';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withQuietWindows } from '../../src/p2p/quiet-windows.ts';

/** What a stream opened on a connection that throws this at every write makes of it, outside of any call. */
async function thrownBeside(makeFactory: () => StreamMuxerFactory, thrown: Error): Promise<unknown[]> {
  const log = Object.assign(() => undefined, { trace: () => undefined, error: () => undefined, newScope: () => log });
  const connection = Object.assign(new EventTarget(), {
    log,
    status: 'open',
    send() {
      throw thrown;
    },
  });
  const beside: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => beside.push(error));
  try {
    await makeFactory()
      .createStreamMuxer(connection as unknown as MultiaddrConnection)
      .createStream();
    await new Promise(setImmediate);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
  return beside;
}

test('a stream opened as its connection closes ends with it, and not the process', async () => {
  const closed = Object.assign(new Error('Cannot write to a stream that is closed'), { name: 'StreamStateError' });
  const other = new Error('a fault of the program');
  assert.equal(
    await thrownBeside(yamux({ enableKeepAlive: false }), closed),
    [closed],
    'without it Yamux throws past every handler',
  );
  assert.equal(await thrownBeside(withQuietWindows(yamux({ enableKeepAlive: false })), closed), []);
  assert.equal(await thrownBeside(withQuietWindows(yamux({ enableKeepAlive: false })), other), [other]);
});

test.run();
