import pino from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_API_OPTIONS, type RunningApi, startApi } from '../../src/api/server.ts';
import { readEventStream, type StreamEvent } from '../../src/client/event-stream.ts';
import { codeOf, makeFixture } from './api-fixture.ts';
import { type FakeNode, makeFakeNode } from './fake-node.ts';

async function start(options: { eventStreamsMax?: number } = {}): Promise<{ api: RunningApi; node: FakeNode }> {
  const node = makeFakeNode();
  const listen = { host: '127.0.0.1', port: 0 };
  const api = await startApi(
    { ...DEFAULT_API_OPTIONS, ...options, listen, operatorListen: null },
    { ports: node.ports, logger: pino({ enabled: false }) },
  );
  return { api, node };
}

async function open(api: RunningApi, lastEventId?: string) {
  const headers = { accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
  const response = await fetch(`${api.url}/v1/events`, { headers });
  assert.is(response.status, 200);
  assert.is(response.headers.get('content-type'), 'text/event-stream');
  const stream = readEventStream(response.body!);
  return { response, next: async () => (await stream.next()).value as StreamEvent };
}

test('a stream begins with the next block', async () => {
  const { api, node } = await start();
  node.commitEmptyBlock();
  const stream = await open(api);
  const block = node.commitEmptyBlock();
  const event = await stream.next();
  assert.is(event.id, '2');
  assert.is(event.event, 'block');
  const data = JSON.parse(event.data);
  assert.equal(Object.keys(data).sort(), ['hash', 'height', 'timestampMs', 'transactions']);
  assert.is(data.height, block.height);
  await api.close();
});

test('Last-Event-ID resumes from the chain without a gap, then follows', async () => {
  const { api, node } = await start();
  for (let i = 0; i < 5; i += 1) node.commitEmptyBlock();
  const stream = await open(api, '2');
  const seen = [await stream.next(), await stream.next(), await stream.next()];
  node.commitEmptyBlock();
  seen.push(await stream.next());
  assert.equal(
    seen.map(({ id }) => id),
    ['3', '4', '5', '6'],
  );
  await api.close();
});

test('blocks that the node does not have are reported as a gap', async () => {
  const { api, node } = await start();
  for (let i = 0; i < 4; i += 1) node.commitEmptyBlock();
  const { block } = node.ports;
  node.ports.block = async (which) => (typeof which === 'number' && which < 4 ? undefined : block(which));
  const stream = await open(api, '0');
  const gap = await stream.next();
  assert.is(gap.event, 'gap');
  assert.equal(JSON.parse(gap.data), { after: 0, upTo: 4 });
  node.commitEmptyBlock();
  assert.is((await stream.next()).id, '5');
  await api.close();
});

test('closing the server ends the streams', async () => {
  const { api } = await start();
  const stream = await open(api);
  const ended = stream.next();
  await api.close();
  assert.is(await ended, undefined);
});

test('streams are limited, and one that the client leaves makes room', async () => {
  const { api, node } = await start({ eventStreamsMax: 1 });
  const unsubscribed = Promise.withResolvers<void>();
  const { onBlock } = node.ports;
  node.ports.onBlock = (listener) => {
    const stop = onBlock(listener);
    return () => {
      stop();
      unsubscribed.resolve();
    };
  };
  const abort = new AbortController();
  const first = await fetch(`${api.url}/v1/events`, { signal: abort.signal });
  assert.is(first.status, 200);
  const second = await fetch(`${api.url}/v1/events`);
  assert.is(second.status, 503);
  assert.is(((await second.json()) as { code: string }).code, 'tooManyStreams');
  abort.abort();
  await unsubscribed.promise;
  await open(api);
  await api.close();
});

test('what is no stream request is refused with a problem', async () => {
  const { app } = await makeFixture();
  const json = { accept: 'application/json' };
  assert.is(codeOf(await app.inject({ url: '/v1/events', headers: json })), 'notAcceptable');
  const badId = { 'last-event-id': 'yesterday' };
  assert.is(codeOf(await app.inject({ url: '/v1/events', headers: badId })), 'badParameter');
});

test.run();
