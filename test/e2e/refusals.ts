import assert from 'node:assert/strict';
import { ENDPOINTS } from '../../src/api/contract/endpoints.ts';
import { submissionListSchema } from '../../src/api/contract/submission-list.ts';
import {
  accountRegister,
  drawAccountSecrets,
  drawSalt,
  makeAccount,
  type SignedTransaction,
  signTransaction,
  submitUntilFinal,
  transactionBody,
} from '../../src/client/index.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { TRANSACTION_BYTES_MAX } from '../../src/ledger/transaction.ts';
import { type Cluster, createCluster } from '../cluster/cluster.ts';
import { lostAt, type Parties, RecordLoad, registerParties, signRecord } from '../cluster/record-load.ts';
import { showRandomBytes } from './random-bytes.ts';
import type { Report } from './report.ts';

const PATIENCE_MS = 60_000;
const CLIENTS = 4;

/** Sends a running cluster what it must refuse, while honest records go on being committed. */
export async function showRefusals(report: Report): Promise<void> {
  const cluster = await createCluster();
  try {
    cluster.start();
    await cluster.ready();
    const parties = await registerParties(cluster, 0);
    const load = new RecordLoad(cluster, [parties], CLIENTS);
    await load.more(20, PATIENCE_MS);
    await showRefusedTransactions(report, cluster, parties);
    await showDuplicate(report, cluster, parties);
    await showRandomBytes(report, cluster);
    await report.check(
      'after all of it: commits go on, nothing is lost, the four state roots are the same',
      async () => {
        await load.more(50, PATIENCE_MS);
        await load.stop();
        assert.deepEqual(load.faults, []);
        assert.deepEqual(cluster.unexpectedExits, []);
        const newest = Math.max(...load.acknowledged.map(({ height }) => height));
        const statuses = await cluster.agreed(newest, PATIENCE_MS);
        assert.equal(new Set(statuses.map(({ stateRoot }) => stateRoot)).size, 1);
        for (const { client } of cluster.nodes) assert.equal(await lostAt(client, load.acknowledged), undefined);
        return `${load.acknowledged.length} acknowledged`;
      },
    );
  } finally {
    await cluster.close();
  }
}

interface Refusal {
  readonly what: string;
  readonly encoded: Uint8Array;
  readonly genesis: Uint8Array;
  readonly code: string;
  readonly status: number;
}

async function showRefusedTransactions(report: Report, cluster: Cluster, parties: Parties): Promise<void> {
  const { genesisHash } = cluster;
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const other = random(32);
  const now = Date.now();
  const refusals: readonly Refusal[] = [
    { what: 'malformed', encoded: random(200), genesis: genesisHash, code: 'malformed', status: 400 },
    {
      what: 'oversized',
      encoded: random(TRANSACTION_BYTES_MAX + 1),
      genesis: genesisHash,
      code: 'oversized',
      status: 413,
    },
    {
      what: 'unsigned',
      encoded: registration(genesisHash, parties, now + 60_000, 'nobody').encoded,
      genesis: genesisHash,
      code: 'unsigned',
      status: 403,
    },
    {
      what: 'signed for another ledger',
      encoded: registration(other, parties, now + 60_000).encoded,
      genesis: genesisHash,
      code: 'badSignature',
      status: 403,
    },
    {
      what: 'expired',
      encoded: registration(genesisHash, parties, now - 60_000).encoded,
      genesis: genesisHash,
      code: 'expired',
      status: 410,
    },
    {
      what: 'valid for too long',
      encoded: registration(genesisHash, parties, now + 86_400_000).encoded,
      genesis: genesisHash,
      code: 'validityTooFar',
      status: 422,
    },
    {
      what: 'meant for another ledger by the header of its request',
      encoded: registration(genesisHash, parties, now + 60_000).encoded,
      genesis: other,
      code: 'foreignLedger',
      status: 409,
    },
  ];
  for (const { what, encoded, genesis, code, status } of refusals) {
    await report.check(`a transaction that is ${what}: ${status} ${code}, by every node`, async () => {
      for (const { url } of cluster.nodes) {
        const response = await fetch(new URL(ENDPOINTS.submit.url, url), {
          method: 'POST',
          headers: { 'content-type': 'application/cbor', 'medledger-genesis': toHex(genesis) },
          body: Buffer.from(encode(submissionListSchema, [{ encoded, attachment: null }])),
        });
        const problem = (await response.json()) as { readonly code: string; readonly status: number };
        assert.deepEqual([response.status, problem.status, problem.code], [status, status, code]);
        assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
      }
      return undefined;
    });
  }
}

async function showDuplicate(report: Report, cluster: Cluster, parties: Parties): Promise<void> {
  await report.check('a transaction sent again, to any node, returns the status of the first', async () => {
    const transaction = await signRecord(cluster.genesisHash, parties);
    const [first] = await submitUntilFinal(cluster.nodes[0]!.client, [transaction]);
    assert.equal(first?.status, 'Committed');
    await cluster.agreed(first.height, PATIENCE_MS);
    const before = await cluster.nodes[0]!.client.transactionStatus(transaction.txId);
    for (const { client } of cluster.nodes) {
      const [again] = await client.submit([transaction], 5_000);
      assert.deepEqual(again, first);
      const [twice, thrice] = await client.submit([transaction, transaction], 5_000);
      assert.deepEqual([twice, thrice], [first, first]);
    }
    assert.deepEqual(before, first);
    return `Committed at ${first.height}/${first.index}`;
  });
}

/** A patient's registration that is right but for what the arguments make wrong. */
function registration(
  genesisHash: Uint8Array,
  { organisation }: Parties,
  validUntilMs: number,
  signedBy: 'all' | 'nobody' = 'all',
): SignedTransaction {
  const patient = makeAccount(drawAccountSecrets());
  const home = { role: 'patient', organisation: organisation.address, control: { kind: 'self' } } as const;
  const body = transactionBody(accountRegister(patient, home), { validUntilMs, salt: drawSalt(), attachment: null });
  return signTransaction(genesisHash, body, signedBy === 'all' ? [organisation, patient] : [], null);
}
