// A validator that signs twice is found out by real nodes, and the ledger tells all members.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { readConfig } from '../../src/node/config.ts';
import { readFolderIdentity } from '../../src/node/identity.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import { createCluster, numberOfValidator } from './cluster.ts';
import { EquivocatingPeer } from './equivocating-peer.ts';
import { registerParties } from './record-load.ts';

const PATIENCE_MS = 30_000;
const POLL_MS = 100;

test('two PREPAREs of one validator in one slot come to stand on the ledger of all others, who go on', async () => {
  // A proposal comes often: a vote that arrives after the decision is nobody's business any more.
  const cluster = await createCluster({ parameters: { heartbeatMs: 400 } });
  const accused = cluster.nodes[3]!;
  const honest = [0, 1, 2];
  const addressOf = (folder: string) => readConfig(dataFolder(folder).config, {}).p2p.listen;
  const peer = new EquivocatingPeer({
    seed: readFolderIdentity(accused.folder).seed,
    validator: [0, 1, 2, 3].find((validator) => numberOfValidator(cluster, validator) === 3)!,
    port: Number(addressOf(accused.folder)[0]!.split('/').at(-1)),
    genesisHash: cluster.genesisHash,
    peers: honest.map((number) => {
      const { folder, publicKey } = cluster.nodes[number]!;
      return { publicKey, addresses: addressOf(folder), role: 'member' as const };
    }),
  });
  try {
    cluster.start(honest);
    await cluster.ready(honest);
    await peer.start();
    await registerParties(cluster, 0);
    const end = performance.now() + PATIENCE_MS;
    for (const number of honest)
      for (;;) {
        const { evidence } = await cluster.nodes[number]!.client.evidence();
        if (evidence.length > 0) {
          assert.equal(
            evidence.map(({ accused: key, statement }) => [key, statement]),
            [[toHex(accused.publicKey), 'PREPARE']],
          );
          break;
        }
        if (performance.now() > end) throw new Error(`no evidence stands on node ${number}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    const { height } = await cluster.nodes[0]!.client.status();
    await registerParties(cluster, 1);
    await cluster.agreed(height + 1, PATIENCE_MS, honest);
  } catch (error) {
    console.log(cluster.logs());
    throw error;
  } finally {
    await peer.close();
    await cluster.close();
  }
});

test.run();
