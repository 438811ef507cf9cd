import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64url } from '../../src/api/contract/text.ts';
import {
  accountRegister,
  drawAccountSecrets,
  drawSalt,
  makeAccount,
  makeNodeClient,
  NodeProblem,
  NodeResponseError,
  NodeUnreachable,
  signTransaction,
  transactionBody,
  trustedLedger,
  verifyBlock,
} from '../../src/client/index.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { makeRecord } from '../api/api-fixture.ts';
import { ledgerHash, people } from '../api/fake-node.ts';
import { clientOf, startNode } from './fixture.ts';

async function problemOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof NodeProblem) return error.code;
    throw error;
  }
  return 'none';
}

test('a record goes in and comes out over HTTP', async () => {
  const { api } = await startNode();
  const doctor = clientOf(api, people.doctor);
  const made = await makeRecord();
  const { payload, ciphertext } = made.sealed;
  await doctor.putPayload(payload.cid, ciphertext);
  const [outcome] = await doctor.submit([made.transaction], 1000);
  assert.equal(outcome, { txId: toHex(made.transaction.txId), status: 'Committed', height: 1, index: 0 });
  assert.equal(await doctor.transactionStatus(made.transaction.txId), outcome);
  const patient = clientOf(api, people.patient);
  const record = await patient.record(made.recordId);
  assert.is(record.author, formatAddress(people.doctor.address));
  assert.equal(await patient.recordPayload(made.recordId, 1), ciphertext);
  assert.equal(await patient.recordAttachment(made.recordId), made.sealed.attachment);
  assert.equal(fromBase64url((await patient.blockTransaction(1, 0)).encoded), made.transaction.encoded);
  assert.is((await patient.records({ patient: formatAddress(people.patient.address), limit: 5 })).records.length, 1);
  assert.is((await doctor.account(people.patient.address)).role, 'patient');
  assert.is(await problemOf(clientOf(api, people.otherDoctor).record(made.recordId)), 'notPermitted');
  await api.close();
});

test('status, genesis and a block that is checked without trust in the node', async () => {
  const { api, node } = await startNode();
  const client = clientOf(api, null);
  node.commitEmptyBlock();
  assert.is((await client.status()).height, 1);
  const trusted = trustedLedger(await client.genesis(), ledgerHash);
  const block = await client.block('latest');
  const verified = verifyBlock(
    { header: fromBase64url(block.header), certificate: fromBase64url(block.certificate) },
    trusted,
  );
  assert.is(toHex(verified.hash), block.hash);
  assert.equal(await client.block(verified.hash), block);
  await api.close();
});

test('events follow the chain until the signal', async () => {
  const { api, node } = await startNode();
  node.commitEmptyBlock();
  const abort = new AbortController();
  const heights: number[] = [];
  try {
    for await (const event of clientOf(api, null).events(0, abort.signal)) {
      heights.push(event.height);
      if (event.height === 3) abort.abort();
      else node.commitEmptyBlock();
    }
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  }
  assert.equal(heights, [1, 2, 3]);
  await api.close();
});

test('a lone rejection is an outcome, as in a batch', async () => {
  const { api, node } = await startNode();
  const client = clientOf(api, null);
  const { transaction } = await makeRecord();
  const rejected = { kind: 'Rejected', code: 'versionConflict', detail: 'No.', retryable: true } as const;
  node.scripted.push(rejected, rejected);
  const [alone] = await client.submit([transaction], 0);
  assert.is(alone?.status, 'Rejected');
  assert.is(alone?.status === 'Rejected' && alone.code, 'versionConflict');
  const [first, second] = await client.submit([transaction, transaction], 0);
  assert.is(first?.status === 'Rejected' && first.code, 'versionConflict');
  assert.is(second?.status, 'Committed');
  await api.close();
});

test('refusals carry code and waiting time; no answer and a wrong answer are told apart', async () => {
  const { api, node } = await startNode();
  const { transaction } = await makeRecord();
  node.missing = ['peers'];
  try {
    await clientOf(api, null).submit([transaction], 0);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, NodeProblem);
    assert.is((error as NodeProblem).code, 'notReady');
    assert.ok((error as NodeProblem).retryAfterMs! > 0);
  }
  const foreign = makeNodeClient({ url: api.url, genesisHash: new Uint8Array(32), identity: null });
  assert.is(await problemOf(foreign.status()), 'foreignLedger');
  await api.close();
  try {
    await clientOf(api, null).status();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, NodeUnreachable);
  }
  const other = createServer((_, response) => response.writeHead(200).end('{"hello": 1}'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  try {
    await makeNodeClient({ url, genesisHash: ledgerHash, identity: null }).status();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, NodeResponseError);
  }
  other.closeAllConnections();
  await new Promise((resolve) => other.close(resolve));
});

test('a new account registers itself with proof of possession, its signatures in canonical order', () => {
  const identity = makeAccount(drawAccountSecrets());
  const action = accountRegister(identity, {
    role: 'patient',
    organisation: people.hospital.address,
    control: { kind: 'self' },
  });
  const body = transactionBody(action, { validUntilMs: 1, salt: drawSalt(), attachment: null });
  const one = signTransaction(ledgerHash, body, [identity, people.hospital], null);
  const two = signTransaction(ledgerHash, body, [people.hospital, identity], null);
  assert.equal(one.encoded, two.encoded);
  const { txId, transaction } = decodeTransaction(ledgerHash, one.encoded);
  assert.equal(txId, one.txId);
  assert.is(transaction.signatures.length, 2);
});

test.run();
