import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REQUESTS } from '../../src/p2p/protocols.ts';
import type { RequestError } from '../../src/p2p/request.ts';
import { closeAll, seedOf, startMesh } from './loopback.ts';

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.unreachable('it should have failed'),
    (error: RequestError) => error.kind,
  );

test('each request brings what the peer holds, in order', async () => {
  const asked: unknown[] = [];
  const nodes = await startMesh(['a', 'b'], {
    requests: {
      blocks: async (request, from) => {
        asked.push(request, from);
        return [Uint8Array.of(1), new Uint8Array(2 * 1024 * 1024)];
      },
      bodies: async (hashes) => hashes.map((hash, i) => (i % 2 === 0 ? hash.subarray(0, 4) : null)),
      attachments: async (hashes) => hashes.map((hash) => hash.subarray(4, 8)),
      payload: async (cid) => (cid.length === 36 ? new Uint8Array(1024 * 1024 + 20).fill(5) : null),
    },
  });
  const [a, b] = nodes;
  const request = { fromHeight: 7, maxBlocks: 2, maxBytes: 1_000 };
  const blocks = await a.network.requestBlocks(b.publicKey, request);
  assert.equal(
    blocks.map(({ length }) => length),
    [1, 2 * 1024 * 1024],
  );
  assert.equal(asked, [request, a.publicKey]);
  const hashes = ['x', 'y', 'z'].map(seedOf);
  assert.equal(await a.network.requestBodies(b.publicKey, hashes), [
    hashes[0]!.slice(0, 4),
    null,
    hashes[2]!.slice(0, 4),
  ]);
  assert.equal((await b.network.requestAttachments(a.publicKey, hashes))[1], hashes[1]!.slice(4, 8));
  assert.is((await a.network.requestPayload(b.publicKey, new Uint8Array(36)))?.length, 1024 * 1024 + 20);
  assert.is(await a.network.requestPayload(b.publicKey, new Uint8Array(35)), null);
  await closeAll(nodes);
});

test('what does not fit a reply is null, and the list of blocks ends', async () => {
  const nodes = await startMesh(['a', 'b'], {
    requests: {
      blocks: async () => Array.from({ length: 4 }, () => new Uint8Array(1_000_000)),
      bodies: async (hashes) => hashes.map(() => new Uint8Array(16 * 1024)),
    },
  });
  const [a, b] = nodes;
  const blocks = await a.network.requestBlocks(b.publicKey, { fromHeight: 1, maxBlocks: 64, maxBytes: 2_000_000 });
  assert.is(blocks.length, 3);
  const bodies = await a.network.requestBodies(
    b.publicKey,
    Array.from({ length: 200 }, (_, i) => new Uint8Array(32).fill(i)),
  );
  assert.is(bodies.filter((body) => body !== null).length, 191);
  assert.is(bodies.at(-1), null);
  await closeAll(nodes);
});

test('a request ends at its deadline, by its signal, at a failure, and over the budget', async () => {
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const nodes = await startMesh(['a', 'b'], {
    requests: {
      bodies: async () => {
        throw new Error('disk error');
      },
      attachments: async (hashes) => {
        await held;
        return hashes.map(() => null);
      },
    },
  });
  const [a, b] = nodes;
  const hashes = [new Uint8Array(32)];
  assert.is(await failure(a.network.requestAttachments(b.publicKey, hashes, { timeoutMs: 50 })), 'deadline');
  const controller = new AbortController();
  const aborted = failure(a.network.requestAttachments(b.publicKey, hashes, { signal: controller.signal }));
  controller.abort();
  assert.is(await aborted, 'aborted');
  assert.is(await failure(a.network.requestBodies(b.publicKey, hashes)), 'failed');
  assert.is(await failure(a.network.requestBodies(seedOf('nobody'), hashes)), 'notConnected');
  const many = Array.from({ length: 2 * REQUESTS.attachments.concurrentMax }, () =>
    a.network.requestAttachments(b.publicKey, hashes).then(
      () => 'answered',
      ({ kind }: RequestError) => kind,
    ),
  );
  assert.is(await Promise.race(many), 'busy');
  release?.();
  const outcomes = await Promise.all(many);
  assert.ok(outcomes.includes('answered'));
  assert.ok((b.network.metrics().dropped.overBudget ?? 0) > 0);
  assert.is(a.network.connectedPeers().length, 1, 'none of this costs the connection');
  await closeAll(nodes);
});

test('a reply that does not fit the question cuts the peer', async () => {
  const nodes = await startMesh(['a', 'b'], { requests: { bodies: async () => [] } });
  const [a, b] = nodes;
  assert.is(await failure(a.network.requestBodies(b.publicKey, [new Uint8Array(32)])), 'malformed');
  await a.until(() => a.network.connectedPeers().length === 0);
  assert.is(a.network.metrics().dropped.malformed, 1);
  await closeAll(nodes);
});

test.run();
