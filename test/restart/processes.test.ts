import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64url } from '../../src/api/contract/text.ts';
import {
  genesisHashAt,
  type LedgerStart,
  makeNodeClient,
  type NodeClient,
  openRecordFields,
  readLedgerStart,
  type SignedTransaction,
  submitUntilFinal,
  trustedStart,
  verifyBlock,
} from '../../src/client/index.ts';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { decodeTransaction, recordIdOf } from '../../src/ledger/transaction.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import { createCluster } from '../cluster/cluster.ts';
import { medledger } from '../cluster/medledger.ts';
import { type Parties, registerParties, signRecord } from '../cluster/record-load.ts';

const cluster = await createCluster();
const file = path.join(cluster.root, 'restart.cbor');
const keyFile = (number: number) =>
  path.join(cluster.keysFolder, `${path.basename(cluster.nodes[number]!.folder)}.json`);

async function run(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await medledger(args);
  assert.is(status, 0, stderr);
  return stdout;
}

async function refused(...args: readonly string[]): Promise<string> {
  const { status, stderr } = await medledger(args);
  assert.is(status, 1);
  return stderr;
}

async function committed(client: NodeClient, transaction: SignedTransaction): Promise<number> {
  const [status] = await submitUntilFinal(client, [transaction]);
  assert.is(status?.status, 'Committed', JSON.stringify(status));
  return (status as { height: number }).height;
}

/** The title of a record as its organisation opens it, from what a node serves. */
async function titleOf(client: NodeClient, parties: Parties, recordId: Uint8Array, start: LedgerStart) {
  const { version, height, attachment } = await client.record(recordId);
  const fetched = {
    genesisHash: genesisHashAt(start, height),
    recordId,
    version,
    reference: { hash: fromHex(attachment!.hash), bytes: attachment!.bytes },
    attachment: await client.recordAttachment(recordId, version),
  };
  return (await openRecordFields(fetched, { identity: parties.organisation, party: 'organisation' }))?.title;
}

function recordIdIn(genesisHash: Uint8Array, { encoded }: SignedTransaction, { doctor }: Parties): Uint8Array {
  return recordIdOf(genesisHash, doctor.address, decodeTransaction(genesisHash, encoded).transaction.salt);
}

test('two of four hospitals are lost: three organisations sign, two nodes go on, and nothing committed is lost', async () => {
  try {
    cluster.start();
    await cluster.ready();
    const parties = await registerParties(cluster, 0);
    const old = await signRecord(cluster.genesisHash, parties);
    const oldHeight = await committed(cluster.nodes[0]!.client, old);
    await cluster.kill([2, 3]);
    for (const number of [2, 3]) rmSync(cluster.nodes[number]!.folder, { recursive: true });
    const { height } = (await cluster.agreed(oldHeight, 20_000, [0, 1]))[0]!;
    assert.equal(await cluster.terminate([0, 1]), [0, 0]);

    const [first, second, third, fourth] = cluster.nodes as [
      (typeof cluster.nodes)[0],
      (typeof cluster.nodes)[0],
      (typeof cluster.nodes)[0],
      (typeof cluster.nodes)[0],
    ];
    const lost = [third, fourth].map(({ organisation }) => formatAddress(organisation.address));
    const seats = [first, second].map(({ publicKey }) => toHex(publicKey));
    const proposed = await run(
      ...['restart', 'propose', '--data', first.folder, '--validator', ...seats, '--suspend', ...lost, '--out', file],
    );
    assert.match(proposed, /4 to 2; 2 agree, 1 to 0 may be faulty/);
    const unsigned = await refused('restart', 'apply', file, '--data', first.folder);
    assert.match(unsigned, /missing: 3 more of 4 active member organisations/);
    await run('restart', 'sign', file, '--data', second.folder, '--sign', keyFile(0), keyFile(1));
    assert.match(await refused('restart', 'apply', file, '--data', first.folder), /1 more of 4 active/);
    await run('restart', 'sign', file, '--sign', keyFile(2));
    for (const { folder } of [first, second]) await run('restart', 'apply', file, '--data', folder);

    const document = new Uint8Array(readFileSync(file));
    const start = readLedgerStart(document);
    assert.is(start.parent.height, height);
    cluster.start([0, 1]);
    await cluster.ready([0, 1]);
    const clients = [first, second].map(({ url }) =>
      makeNodeClient({ url, genesisHash: start.genesisHash, identity: parties.organisation }),
    );
    const [client, other] = clients as [NodeClient, NodeClient];
    assert.equal(await client.genesis(), document);
    const recordId = recordIdIn(cluster.genesisHash, old, parties);
    assert.is(await titleOf(other, parties, recordId, start), 'Heart rate');
    const [replayed] = await client.submit([old], 1_000);
    assert.is(replayed?.status === 'Rejected' && replayed.code, 'badSignature');
    assert.ok((await committed(client, old)) <= height);

    const next = await signRecord(start.genesisHash, parties);
    const nextHeight = await committed(client, next);
    assert.ok(nextHeight > height);
    assert.is(await titleOf(client, parties, recordIdIn(start.genesisHash, next, parties), start), 'Heart rate');
    const { trusted } = trustedStart(document, start.genesisHash);
    const block = await client.block(nextHeight);
    const bytes = { header: fromBase64url(block.header), certificate: fromBase64url(block.certificate) };
    assert.is(verifyBlock(bytes, trusted).header.height, nextHeight);
    assert.is((await client.transactionStatus(old.txId)).status, 'Committed');

    assert.equal(await cluster.terminate([0, 1]), [0, 0]);
    for (const { folder } of [first, second]) {
      const verified = await run('verify', '--data', folder);
      assert.match(verified, /blocks {8}1 to \d+, all sound/);
    }
    // One loses the disk of its ledger: it begins with what the restart began with, and fetches the rest.
    rmSync(dataFolder(second.folder).ledger, { recursive: true });
    cluster.start([0, 1]);
    await cluster.ready([0, 1]);
    // It takes both to commit.
    assert.ok((await committed(other, await signRecord(start.genesisHash, parties))) > nextHeight);
    assert.equal(await cluster.terminate([0, 1]), [0, 0]);
    const verified = await run('verify', '--data', second.folder);
    assert.match(verified, new RegExp(`blocks {8}${height + 1} to \\d+, all sound`));
    assert.match(await run('reindex', '--data', first.folder), /3 versions of records of heights 1/);
  } finally {
    await cluster.close();
  }
});

test.run();
