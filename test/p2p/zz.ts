import { randomBytes } from 'node:crypto';
import { closeAll, startMesh } from './loopback.ts';

const mode = process.argv[2];
const size = Number(process.argv[3] ?? 300);
let got = 0;
const nodes = await startMesh(['a', 'b', 'c', 'd'], {
  handlers: {
    onTransactions: (_f, b) => {
      got += b.length;
    },
  },
});
if (mode === 'gossip') {
  const { publicKeyOfSeed } = await import('./loopback.ts');
  const ghost = { publicKey: publicKeyOfSeed('ghost'), addresses: [] };
  const peers = [...nodes.map((n) => ({ publicKey: n.publicKey, addresses: n.network.addresses() })), ghost];
  for (const n of nodes) n.network.setMembers(peers);
  await new Promise((r) => setTimeout(r, 1500));
}
const per = Number(process.argv[4] ?? 50),
  rounds = 400;
await new Promise((r) => setTimeout(r, 300));
const batches = Array.from({ length: rounds }, () =>
  Array.from({ length: per }, () => ({ encoded: new Uint8Array(randomBytes(size)), attachment: null })),
);
const c0 = process.cpuUsage(),
  t0 = performance.now();
for (let i = 0; i < rounds; i++) {
  nodes[i % 4]!.network.publishTransactions(batches[i]!);
  if (i % 4 === 3) await new Promise((r) => setTimeout(r, 6));
}
const sent = rounds * per;
const end = performance.now() + 8000;
while (got < sent * 3 && performance.now() < end) await new Promise((r) => setTimeout(r, 2));
const c = process.cpuUsage(c0);
console.log(
  mode,
  'size',
  size,
  'per',
  per,
  'got',
  got,
  'of',
  sent * 3,
  'ms',
  (performance.now() - t0).toFixed(0),
  'cpu us/tx on 4 nodes',
  ((c.user + c.system) / sent).toFixed(2),
);
if (process.argv[5]) console.log(nodes[0]!.network.metrics());
await closeAll(nodes);
