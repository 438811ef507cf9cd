import assert from 'node:assert/strict';
import path from 'node:path';
import { toHex } from '../../src/codec/bytes.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { openStore } from '../../src/storage/block-store.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { medledger } from '../cluster/medledger.ts';
import { type Acknowledged, lostAt } from '../cluster/record-load.ts';
import { PATIENCE_MS } from './trial.ts';

interface Verified {
  readonly kind: string;
  readonly height: number;
  readonly transactions: number;
  readonly tipHash: string;
  readonly stateRoot: string;
}

/**
 * What must hold after any faults, of a cluster whose load has ended: every node comes to the same height and state;
 * each acknowledged transaction stands where it was acknowledged, on every node, and once in the whole chain; every
 * node ends on SIGTERM with status 0; what it leaves verifies from the genesis on. Throws what does not hold.
 */
export async function audit(cluster: Cluster, acknowledged: readonly Acknowledged[]): Promise<string> {
  const ids = new Set(acknowledged.map(({ txId }) => txId));
  assert.equal(ids.size, acknowledged.length, 'a transaction was acknowledged twice');
  const [first, ...others] = await cluster.agreed(Math.max(...acknowledged.map(({ height }) => height)), PATIENCE_MS);
  for (const status of others) {
    assert.equal(status.stateRoot, first!.stateRoot);
    assert.equal(status.tipHash, first!.tipHash);
  }
  for (const { client } of cluster.nodes) assert.equal(await lostAt(client, acknowledged), undefined);
  assert.deepEqual(cluster.unexpectedExits, []);
  const statuses = await cluster.terminate();
  assert.deepEqual(
    statuses,
    cluster.nodes.map(() => 0),
  );

  const ends = new Map<number, Verified>();
  for (const { folder } of cluster.nodes) {
    const verified = await verify(folder);
    assert(verified.height >= first!.height, `${path.basename(folder)} has lost blocks`);
    const same = ends.get(verified.height) ?? verified;
    assert.deepEqual(verified.tipHash, same.tipHash);
    assert.deepEqual(verified.stateRoot, same.stateRoot);
    ends.set(verified.height, verified);
  }
  const times = await timesInChain(cluster);
  for (const id of ids) assert.equal(times.get(id), 1, `${id} stands ${times.get(id) ?? 0} times in the chain`);
  return `${ids.size} acknowledged once each, height ${first!.height}, one state root, ${cluster.nodes.length} verified`;
}

async function verify(folder: string): Promise<Verified> {
  const { status, stdout, stderr } = await medledger(['verify', '--json', '--data', folder]);
  assert.equal(status, 0, `${path.basename(folder)}: ${stdout}\n${stderr}`);
  const verified = JSON.parse(stdout) as Verified;
  assert.equal(verified.kind, 'sound');
  return verified;
}

/** How often each transaction stands in the blocks of the first node, which is stopped. */
async function timesInChain({ nodes, genesisHash }: Cluster): Promise<ReadonlyMap<string, number>> {
  const store = await openStore(dataFolder(nodes[0]!.folder).ledger, { genesisHash });
  try {
    const times = new Map<string, number>();
    for (let height = 1; height <= store.tip()!.height; height += 1)
      for (const encoded of (await store.bodies(height)) ?? assert.fail(`block ${height} has no transactions`)) {
        const id = toHex(decodeTransaction(genesisHash, encoded).txId);
        times.set(id, (times.get(id) ?? 0) + 1);
      }
    return times;
  } finally {
    await store.close();
  }
}
