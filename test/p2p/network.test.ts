import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asPeer, closeAll, portOf, startMesh, type startNode } from './loopback.ts';

const numbered = (number: number) => Uint8Array.of(number >> 8, number & 255);

test('four nodes that start at once end up with a link between each two', async () => {
  const nodes = await startMesh(['a', 'b', 'c', 'd']);
  await closeAll(nodes);
});

test('consensus frames arrive in order both ways, large ones too', async () => {
  const [a, b] = (await startMesh(['a', 'b'])) as [
    Awaited<ReturnType<typeof startNode>>,
    Awaited<ReturnType<typeof startNode>>,
  ];
  const large = new Uint8Array(3 * 1024 * 1024 - 1).fill(7);
  for (let i = 0; i < 1_000; i += 1) {
    assert.ok(a.network.send(b.publicKey, numbered(i)));
    b.network.broadcast(numbered(1_000 + i));
  }
  assert.ok(a.network.send(b.publicKey, large));
  await Promise.all([b.until(() => b.consensus.length === 1_001), a.until(() => a.consensus.length === 1_000)]);
  assert.equal(
    b.consensus.slice(0, 1_000).map(({ frame }) => frame),
    Array.from({ length: 1_000 }, (_, i) => numbered(i)),
  );
  assert.equal(
    a.consensus.map(({ frame }) => frame),
    Array.from({ length: 1_000 }, (_, i) => numbered(1_000 + i)),
  );
  assert.ok(Buffer.from(b.consensus[1_000]!.frame).equals(large));
  assert.equal(b.consensus[0]!.from, a.publicKey);
  assert.throws(() => a.network.send(b.publicKey, new Uint8Array(3 * 1024 * 1024)), /at most/);
  await closeAll([a, b]);
});

test.run();
