// How quickly a node with an empty folder follows four others: node bin/run.cjs bench/join.ts [--blocks N] [--clients N]
// Once block by block, once by a snapshot. Prints blocks and transactions a second, and what the snapshot took.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sodiumSigner } from '../src/crypto/node/sign.ts';
import { drawSeed } from '../src/node/init-node.ts';
import { createCluster } from '../test/node/cluster.ts';
import { findFreePorts } from '../test/node/free-ports.ts';
import { Joiner, listPeers } from '../test/node/joiner.ts';
import { RecordLoad, registerParties } from '../test/node/record-load.ts';

const INTERVAL = 64;
const PATIENCE_MS = 60_000;
const POLL_MS = 10;

const { values } = parseArgs({
  options: { blocks: { type: 'string', default: '200' }, clients: { type: 'string', default: '8' } },
});
const cluster = await createCluster({
  parameters: { snapshotInterval: INTERVAL, keepRecent: 64, heartbeatMs: 3_600_000 },
});
const joiners: Joiner[] = [];
try {
  for (const [place, history] of ['full', 'recent'].entries()) {
    const port = await findFreePorts(1);
    const seed = drawSeed();
    const address = `/ip4/127.0.0.1/tcp/${port + 100}`;
    for (const { folder } of cluster.nodes)
      listPeers(folder, [{ name: `joiner-${place}`, publicKey: sodiumSigner(seed).publicKey, address }]);
    const joiner = await Joiner.make(cluster, `joiner-${place}`, seed, port);
    const config = path.join(joiner.folder, 'config.toml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('history = "recent"', `history = "${history}"`));
    joiners.push(joiner);
  }
  cluster.start();
  await cluster.ready();
  await fill(Number(values.blocks), Number(values.clients));
  for (const joiner of joiners) await measure(joiner);
} finally {
  for (const joiner of joiners) await joiner.stop();
  await cluster.close();
}

/** Puts records on the ledger until it has so many blocks. */
async function fill(blocks: number, clients: number): Promise<void> {
  const load = new RecordLoad(cluster, [await registerParties(cluster, 0)], clients);
  while ((await cluster.nodes[0]!.client.status()).height < blocks) await load.more(clients, PATIENCE_MS);
  await load.stop();
}

async function measure(joiner: Joiner): Promise<void> {
  const goal = await cluster.nodes[0]!.client.status();
  joiner.start();
  let firstMs: number | undefined;
  for (;;) {
    const status = await joiner.client.status().catch(() => undefined);
    if (status !== undefined) firstMs ??= performance.now();
    if (status?.tipHash === goal.tipHash) {
      const seconds = (performance.now() - firstMs!) / 1_000;
      const blocks = status.height - status.historyFrom + 1;
      const at = (message: string) => Number(joiner.log().find(({ msg }) => msg === message)?.['time']);
      const snapshotMs = at('joined by a snapshot') - at('fetching the state of a certified snapshot');
      process.stdout.write(
        `${status.historyFrom === 1 ? 'by blocks  ' : 'by snapshot'}  height ${status.height}, ` +
          `${status.transactionsCommitted} transactions, ${seconds.toFixed(2)} s from the first answer of its API; ` +
          `${blocks} blocks executed, ${(blocks / seconds).toFixed(0)} blocks/s` +
          `${Number.isNaN(snapshotMs) ? '' : `, the state fetched and put in place in ${snapshotMs} ms`}\n`,
      );
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
