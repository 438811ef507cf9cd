import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ENDPOINTS, type Endpoint } from '../../src/api/contract/endpoints.ts';
import { signRequest } from '../../src/client/index.ts';
import { concatBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { readConfig } from '../../src/node/config.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import type { Cluster, ClusterNode } from '../cluster/cluster.ts';
import { makePrng, type Prng } from '../simulation/prng.ts';
import type { Report } from './report.ts';

const SEED = Number(process.env['MEDLEDGER_E2E_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const REQUESTS_PER_ROUTE = 40;
const SOCKETS = 60;
const BODY_BYTES_MAX = 100_000;
const FLOOD_BYTES = 4 * 1024 * 1024;
const ANSWER_MS = 10_000;
/** Prefixes that get past the first check of what listens: multistream-select, Noise's token, HTTP. */
const PREFIXES: readonly Uint8Array[] = [
  new Uint8Array(0),
  utf8('\x13/multistream/1.0.0\n'),
  utf8('\x13/multistream/1.0.0\n\x07/noise\n'),
  utf8('\x13/multistream/1.0.0\n\x0d/yamux/1.0.0\n'),
  utf8('POST /v1/transactions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n'),
  utf8('GET /v1/status HTTP/1.1\r\n'),
];

/** Sends random bytes to everything that listens; nothing may crash, and every answer is one of the contract. */
export async function showRandomBytes(report: Report, cluster: Cluster): Promise<void> {
  const prng = makePrng(SEED);
  for (const [name, endpoint] of Object.entries(ENDPOINTS) as [string, Endpoint][]) {
    if (endpoint.auth === 'operator') continue;
    await report.check(`random bytes to ${endpoint.method} ${endpoint.url}: no crash, no 5xx`, async () => {
      const seen = new Map<number, number>();
      for (let turn = 0; turn < REQUESTS_PER_ROUTE; turn += 1) {
        const status = await sendRandomRequest(cluster, prng.pick(cluster.nodes), endpoint, prng);
        // Streams are rationed, and say so.
        assert(status < 500 || (name === 'events' && status === 503), `status ${status}, seed ${SEED}`);
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
      assert.deepEqual(cluster.unexpectedExits, []);
      return [...seen]
        .sort()
        .map(([status, count]) => `${count} × ${status}`)
        .join(', ');
    });
  }
  await showRandomSockets(report, cluster, prng, 'API', ({ url }) => Number(new URL(url).port));
  await showRandomSockets(report, cluster, prng, 'libp2p', ({ folder }) => {
    const { listen } = readConfig(dataFolder(folder).config, {}).p2p;
    return Number(listen[0]!.split('/').at(-1));
  });
  await report.check('the nodes are still connected to one another, and ready', async () => {
    for (const { client } of cluster.nodes) {
      const { ready, peers } = await client.status();
      assert(ready);
      assert.equal(peers.filter(({ connected }) => connected).length, peers.length);
    }
    return `seed ${SEED}`;
  });
}

async function showRandomSockets(
  report: Report,
  cluster: Cluster,
  prng: Prng,
  name: string,
  portOf: (node: ClusterNode) => number,
): Promise<void> {
  await report.check(`random bytes to the ${name} port of every node: no crash`, async () => {
    for (const node of cluster.nodes) {
      const port = portOf(node);
      const sockets = Array.from({ length: SOCKETS }, () =>
        sendToPort(port, concatBytes(prng.pick(PREFIXES), randomBytes(prng, prng.between(0, 3_000)))),
      );
      sockets.push(sendToPort(port, randomBytes(prng, FLOOD_BYTES)));
      await Promise.all(sockets);
    }
    assert.deepEqual(cluster.unexpectedExits, []);
    return `${SOCKETS} connections and one of ${FLOOD_BYTES / 1024 ** 2} MiB to each`;
  });
}

/** Writes bytes to a port and hangs up, whether they were all taken or not. */
async function sendToPort(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  // The other side may hang up at any moment, which is well.
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.setTimeout(1_000, () => socket.destroy());
  if (!(await Promise.race([once(socket, 'connect').then(() => true), closed.then(() => false)]))) return;
  socket.end(bytes);
  await closed;
}

/** One request to an endpoint, partly right, partly random; resolves to the status of the answer. */
async function sendRandomRequest(cluster: Cluster, node: ClusterNode, endpoint: Endpoint, prng: Prng): Promise<number> {
  const path = endpoint.url.replace(/\{[a-z]+\}/g, () => encodeURIComponent(randomParameter(prng)));
  const url = new URL(`${path}${randomQuery(prng, endpoint)}`, node.url);
  const { method } = endpoint;
  const body = method === 'GET' ? new Uint8Array(0) : randomBytes(prng, prng.between(0, BODY_BYTES_MAX));
  const headers: Record<string, string> = {};
  if (prng.chance(0.7)) headers['medledger-genesis'] = toHex(cluster.genesisHash);
  if (method !== 'GET')
    headers['content-type'] = prng.pick(['application/cbor', 'application/json', 'application/octet-stream']);
  if (prng.chance(0.6)) {
    const signed = signRequest(node.organisation, cluster.genesisHash, { method, url, body }, Date.now());
    Object.assign(headers, signed, { 'medledger-genesis': toHex(cluster.genesisHash) });
    if (prng.chance(0.3)) headers[prng.pick(Object.keys(signed))] = randomText(prng);
  }
  const response = await fetch(url, {
    method,
    headers,
    ...(method !== 'GET' && { body: Buffer.from(body) }),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  await response.body?.cancel();
  return response.status;
}

function randomParameter(prng: Prng): string {
  return prng.pick([
    () => randomText(prng),
    () => toHex(randomBytes(prng, 32)),
    () => toHex(randomBytes(prng, 16)),
    () => String(prng.between(0, 40)),
    () => String(prng.next() * 1e20),
    () => 'latest',
    () => `med1${'q'.repeat(58)}`,
    () => `b${'a'.repeat(58)}`,
  ])();
}

function randomQuery(prng: Prng, endpoint: Endpoint): string {
  const known = Object.keys(endpoint.query.properties);
  const query = new URLSearchParams();
  while (prng.chance(0.5)) {
    const name = known.length > 0 && prng.chance(0.8) ? prng.pick(known) : randomText(prng);
    query.append(name, prng.chance(0.5) ? randomParameter(prng) : prng.pick(['2020', '2020-02-30', '1', '-1', '']));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** Printable text, as headers and addresses can carry. */
function randomText(prng: Prng): string {
  return Array.from({ length: prng.between(1, 80) }, () => String.fromCharCode(prng.between(0x21, 0x7e))).join('');
}

function randomBytes(prng: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => prng.between(0, 255));
}
