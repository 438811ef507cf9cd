import { makeAccount } from '../src/client/keys.ts';
import { makeNodeClient, type NodeClient } from '../src/client/node-client.ts';
import { toHex } from '../src/codec/bytes.ts';
import { readAccountKey } from '../src/crypto/node/keystore.ts';
import { sodiumSigner } from '../src/crypto/node/sign.ts';
import type { BenchNode } from './network.ts';
import { type CombinedQuestion, HITS_MAX, type Questions } from './retrieval-questions.ts';
import { type Timing, timeEach } from './timing.ts';

const INDEXED_MS = 1_800_000;
const POLL_MS = 200;
const WARM_UP = ['warm-up', ''] as const;

/** Waits until the node's search index has seen every block; returns the seconds that this took. */
export async function waitUntilIndexed(node: BenchNode, genesisHash: Uint8Array): Promise<number> {
  const client = makeNodeClient({ url: node.apiUrl, genesisHash, identity: null });
  const begun = performance.now();
  for (;;) {
    const { height, indexedHeight, transactionsPending } = await client.status();
    const waitedMs = performance.now() - begun;
    if (indexedHeight >= height && transactionsPending === 0) return waitedMs / 1_000;
    if (waitedMs > INDEXED_MS) throw new Error(`the search index is still at block ${indexedHeight} of ${height}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Signed requests of the node's organisation, one after another, each answer read and checked. */
export async function measureHttp(
  node: BenchNode,
  genesisHash: Uint8Array,
  questions: Questions,
  repeats: number,
): Promise<readonly Timing[]> {
  const { signingSeed, sealingSecret } = readAccountKey(node.keyFile);
  const identity = makeAccount({ signingSeeds: [signingSeed], sealingSecret }, sodiumSigner);
  const client = makeNodeClient({ url: node.apiUrl, genesisHash, identity });
  const lookup = async (recordId: Uint8Array) => {
    const record = await client.record(recordId);
    if (record.recordId !== toHex(recordId)) throw new Error('a lookup over HTTP gave another record');
  };
  const search = (question: CombinedQuestion) => searchOverHttp(client, question);
  const { warmUp } = questions;
  await timeEach(WARM_UP, warmUp.lookups, 1, lookup);
  await timeEach(WARM_UP, [...warmUp.byRegion, ...warmUp.byMonth], 1, search);
  return [
    await timeEach(['HTTP: record by id, signed request', 'HTTP: id'], questions.lookups, repeats, lookup),
    await timeEach(['HTTP: code, department and region', 'HTTP: region'], questions.byRegion, repeats, search),
    await timeEach(['HTTP: code, department and month', 'HTTP: month'], questions.byMonth, repeats, search),
  ];
}

async function searchOverHttp(client: NodeClient, { search, hits }: CombinedQuestion): Promise<void> {
  const page = await client.records({ ...search, limit: HITS_MAX });
  if (page.records.length !== hits)
    throw new Error(`${JSON.stringify(search)} gave ${page.records.length} records over HTTP, not ${hits}`);
}
