import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ENDPOINTS, type Endpoint } from '../../src/api/contract/endpoints.ts';
import { parseSignature } from '../../src/api/contract/request-signature.ts';
import { answerUnreadable } from '../../src/api/problem-response.ts';
import { codeOf, makeFixture, signedRequest } from './api-fixture.ts';
import { people } from './fake-node.ts';

const endpoints: readonly Endpoint[] = Object.values(ENDPOINTS).filter(({ auth }) => auth !== 'operator');
const RUNS = 400;

const piece = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '..', '%00', '%', '%ff', '__proto__', 'constructor', '0', '-1', '1e9', '00'.repeat(32), 'latest'),
  fc.nat().map(String),
);

const requests = fc.record({
  endpoint: fc.constantFrom(...endpoints),
  params: fc.array(piece, { minLength: 2, maxLength: 2 }),
  query: fc.array(fc.tuple(fc.oneof(piece, fc.constantFrom('limit', 'wait', 'version', 'cursor')), piece), {
    maxLength: 3,
  }),
  escaped: fc.boolean(),
  mediaType: fc.constantFrom('application/cbor', 'application/json', 'application/octet-stream', 'a/b', ''),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
  ),
  signed: fc.boolean(),
});

test('random requests to every route are answered, never with a 500', async () => {
  const { app } = await makeFixture();
  const property = fc.asyncProperty(requests, async ({ endpoint, params, query, escaped, mediaType, body, signed }) => {
    // Without a parameter to refuse, and a # may cut them all off, the event stream opens and does not end.
    if (endpoint === ENDPOINTS.events && (query.length === 0 || !escaped)) return;
    const shown = escaped ? encodeURIComponent : (text: string) => text.replace(/[^!-~]/g, '~');
    let next = 0;
    const wellFormed = params.map((text) => text.toWellFormed());
    const path = endpoint.url.replace(/\{[a-z]+\}/g, () => shown(wellFormed[next++]!));
    const search = query
      .map(([name, value]) => `${shown(name.toWellFormed())}=${shown(value.toWellFormed())}`)
      .join('&');
    const target = search === '' ? path : `${path}?${search}`;
    const headers: Record<string, string> = { host: 'node.test' };
    if (mediaType !== '') headers['content-type'] = mediaType;
    const method = endpoint.method === 'PUT' ? 'PUT' : 'GET';
    const payload = endpoint.method === 'GET' ? new Uint8Array(0) : body;
    if (signed) Object.assign(headers, signedRequest(people.doctor, method, target, payload).headers, { ...headers });
    const response = await app.inject({
      method: endpoint.method,
      url: target,
      headers,
      ...(payload.length > 0 && { payload: Buffer.from(payload) }),
    });
    assert.ok(response.statusCode < 500, `${endpoint.method} ${target}: ${response.statusCode} ${response.body}`);
    if (response.statusCode >= 400) assert.type(codeOf(response), 'string');
  });
  await fc.assert(property, { numRuns: RUNS });
  await app.close();
});

test('random signature headers are refused, never with a 500', async () => {
  const { app } = await makeFixture();
  const field = fc.string({ maxLength: 60 }).map((text) => text.replace(/[^ -~]/g, ''));
  const property = fc.asyncProperty(field, field, fc.nat(300), async (junk, other, place) => {
    const request = signedRequest(people.doctor, 'GET', '/v1/records');
    const genuine = request.headers['signature-input']!;
    const cut = place % genuine.length;
    request.headers['signature-input'] = `${genuine.slice(0, cut)}${junk}${genuine.slice(cut + junk.length)}`.trim();
    if (other.length > 0) request.headers['signature'] = other.trim();
    const response = await app.inject(request);
    assert.ok([200, 401].includes(response.statusCode), `${response.statusCode} ${response.body}`);
  });
  await fc.assert(property, { numRuns: RUNS });
  await app.close();
});

test('reading signature headers takes time linear in their length', () => {
  const hostile = ['sig=()', ';a=1'.repeat(200), ','].join('');
  const startedCpu = process.cpuUsage();
  for (let i = 0; i < 1000; i += 1) parseSignature(hostile, 'x');
  const { user } = process.cpuUsage(startedCpu);
  assert.ok(user < 2_000_000, `${user} µs`);
});

test('paths and methods that do not exist are problems too', async () => {
  const { app } = await makeFixture();
  for (const url of ['/', '/v1', '/v1/blocks/', '/v1//status', '/v1/status/', '/V1/status', '/v1/records/a/b/c'])
    assert.ok(['unknownPath', 'badParameter'].includes(String(codeOf(await app.inject(url)))), url);
  for (const method of ['DELETE', 'PATCH', 'OPTIONS', 'HEAD'] as const) {
    const response = await app.inject({ method, url: '/v1/status' });
    assert.is(response.statusCode, 404, method);
  }
  assert.is(codeOf(await app.inject('/v1/blocks/%zz')), 'malformedRequest');
  assert.is(codeOf(await app.inject(`/v1/blocks/${'1'.repeat(500)}`)), 'badParameter');
  assert.is(codeOf(await app.inject('/v1/status?a=1')), 'unknownParameter');
});

/** What the server says to raw bytes, until it hangs up. */
function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (part) => {
      answer += part.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

test('what is no HTTP is answered with a problem or a closed line, and the server lives on', async () => {
  const { app } = await makeFixture();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const nonsense = await exchange(port, 'nonsense\r\n\r\n');
  assert.match(nonsense, /^HTTP\/1\.1 400/);
  assert.match(nonsense, 'malformedRequest');
  const large = await exchange(port, `GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431/);
  assert.match(large, 'headersTooLarge');
  await exchange(
    port,
    Uint8Array.from({ length: 200 }, (_, i) => (i * 37) % 256),
  );
  const noHost = await exchange(port, 'GET /v1/status HTTP/1.1\r\n\r\n');
  assert.match(noHost, /^HTTP\/1\.1 400/);
  assert.is((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
  await app.close();
});

test('a request that does not arrive in time is told so', async () => {
  const late = Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  const server = createServer((socket) => answerUnreadable(late, socket.resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const answer = await exchange((server.address() as AddressInfo).port, 'GET /v1');
  assert.match(answer, /^HTTP\/1\.1 408/);
  assert.match(answer, 'requestTimeout');
  await new Promise((resolve) => server.close(resolve));
});

test.run();
