import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SUBMISSION_BODY_BYTES_MAX } from '../../src/api/contract/endpoints.ts';
import { PROBLEMS, REJECTION_CODES } from '../../src/api/contract/problem.ts';
import { submissionListSchema } from '../../src/api/contract/submission-list.ts';
import { toBase64url } from '../../src/api/contract/text.ts';
import type { SignedTransaction } from '../../src/client/build-transaction.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { ATTACHMENT_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../../src/ledger/transaction.ts';
import type { Submission } from '../../src/node/ports.ts';
import { codeOf, type Fixture, makeFixture, makeRecord } from './api-fixture.ts';

function post({ app }: Fixture, submissions: readonly Submission[], query = '') {
  return app.inject({
    method: 'POST',
    url: `/v1/transactions${query}`,
    headers: { 'content-type': 'application/cbor' },
    payload: Buffer.from(encode(submissionListSchema, submissions)),
  });
}

function postJson({ app }: Fixture, body: unknown, headers = {}) {
  return app.inject({
    method: 'POST',
    url: '/v1/transactions',
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const { transaction } = await makeRecord();
const id = toHex((transaction as SignedTransaction).txId);

test('a pending transaction is answered with 202 and where its status is', async () => {
  const fixture = await makeFixture();
  fixture.node.scripted.push({ kind: 'Pending' });
  const response = await post(fixture, [transaction]);
  assert.is(response.statusCode, 202);
  assert.is(response.headers['location'], `/v1/transactions/${id}`);
  assert.is(response.headers['cache-control'], 'no-store');
  assert.equal(response.json(), { outcomes: [{ txId: id, status: 'Pending' }] });
});

test('sending the same bytes again gives the status of the first', async () => {
  const fixture = await makeFixture();
  const first = await post(fixture, [transaction]);
  const second = await post(fixture, [transaction]);
  assert.equal(first.json(), { outcomes: [{ txId: id, status: 'Committed', height: 1, index: 0 }] });
  assert.equal(second.json(), first.json());
  const status = await fixture.app.inject(`/v1/transactions/${id}`);
  assert.equal(status.json(), { txId: id, status: 'Committed', height: 1, index: 0 });
});

test('JSON takes the same in base64url and in hex', async () => {
  for (const [encoding, text] of [
    ['base64url', toBase64url],
    ['hex', toHex],
  ] as const) {
    const fixture = await makeFixture();
    const body = {
      encoding,
      transactions: [{ encoded: text(transaction.encoded), attachment: text(transaction.attachment!) }],
    };
    assert.is((await postJson(fixture, body)).json().outcomes[0].status, 'Committed', encoding);
    assert.equal(fixture.node.submitted, [{ encoded: transaction.encoded, attachment: transaction.attachment }]);
  }
});

test('waiting gives the outcome, or Pending when the time is up', async () => {
  const fixture = await makeFixture();
  fixture.node.scripted.push({ kind: 'Pending' }, { kind: 'Pending' }, { kind: 'Pending' }, { kind: 'Pending' });
  fixture.node.waitAnswer = { kind: 'Committed', height: 9, index: 3 };
  const settled = await post(fixture, [transaction], '?wait=committed&timeoutMs=1000');
  assert.is(settled.statusCode, 200);
  assert.equal(settled.json(), { outcomes: [{ txId: id, status: 'Committed', height: 9, index: 3 }] });
  fixture.node.waitAnswer = { kind: 'Pending' };
  assert.is((await post(fixture, [transaction], '?wait=committed&timeoutMs=0')).statusCode, 202);
  fixture.node.waitAnswer = { kind: 'Rejected', code: 'versionConflict', detail: 'It is at 2.', retryable: true };
  assert.is(codeOf(await post(fixture, [transaction], '?wait=committed')), 'versionConflict');
  fixture.node.waitAnswer = { kind: 'Expired' };
  assert.is(codeOf(await post(fixture, [transaction], '?wait=committed')), 'expired');
});

test('closing the server ends a wait with the status so far', async () => {
  const fixture = await makeFixture();
  fixture.node.scripted.push({ kind: 'Pending' });
  const waiting = Promise.withResolvers<void>();
  fixture.node.ports.waitForTransaction = () => {
    waiting.resolve();
    return new Promise(() => {});
  };
  fixture.node.ports.transactionStatus = async () => ({ kind: 'Pending' });
  const answer = post(fixture, [transaction], '?wait=committed&timeoutMs=60000');
  await waiting.promise;
  const closed = fixture.app.close();
  assert.is((await answer).statusCode, 202);
  await closed;
});

for (const code of REJECTION_CODES) {
  test(`a lone transaction rejected as ${code} is answered with that problem`, async () => {
    const fixture = await makeFixture();
    const { status, retryable } = PROBLEMS[code];
    fixture.node.scripted.push({ kind: 'Rejected', code, detail: 'What is wrong here.', retryable });
    const response = await post(fixture, [transaction]);
    assert.is(codeOf(response), code);
    const problem = response.json();
    assert.is(response.statusCode, status);
    assert.is(problem.retryable, retryable);
    assert.match(problem.detail, /What is wrong here\./);
    assert.match(problem.detail, id);
    assert.is(problem.type, `/v1/problems#${code}`);
  });
}

test('in a batch each transaction has its own outcome, in order', async () => {
  const fixture = await makeFixture();
  const garbage = { encoded: Uint8Array.of(1, 2, 3), attachment: null };
  const large = { encoded: new Uint8Array(TRANSACTION_BYTES_MAX + 1), attachment: null };
  const heavy = { encoded: transaction.encoded, attachment: new Uint8Array(ATTACHMENT_BYTES_MAX + 1) };
  const response = await post(fixture, [large, garbage, transaction, heavy]);
  assert.is(response.statusCode, 200);
  const outcomes = response.json().outcomes as { status: string; code?: string; txId: string | null }[];
  assert.equal(
    outcomes.map(({ status, code, txId }) => [status, code, txId]),
    [
      ['Rejected', 'oversized', null],
      ['Rejected', 'malformed', null],
      ['Committed', undefined, id],
      ['Rejected', 'oversized', null],
    ],
  );
  assert.is(fixture.node.submitted.length, 2, 'what is too large is not handed to the node');
});

test('a lone transaction over the size limit is refused before the node sees it', async () => {
  const fixture = await makeFixture();
  const response = await post(fixture, [{ encoded: new Uint8Array(TRANSACTION_BYTES_MAX + 1), attachment: null }]);
  assert.is(codeOf(response), 'oversized');
  assert.is(response.statusCode, 413);
  assert.is(fixture.node.submitted.length, 0);
});

test('1,000 transactions are taken, 1,001 are not', async () => {
  const fixture = await makeFixture();
  const one = { encoded: Uint8Array.of(1), attachment: null };
  const full = await post(fixture, new Array(1000).fill(one));
  assert.is(full.json().outcomes.length, 1000);
  const head = Buffer.from([0x99, 0x03, 0xe9]);
  const body = Buffer.concat([head, ...new Array(1001).fill(Buffer.from([0x82, 0x41, 0x01, 0xf6]))]);
  const headers = { 'content-type': 'application/cbor' };
  const over = await fixture.app.inject({ method: 'POST', url: '/v1/transactions', headers, payload: body });
  assert.is(codeOf(over), 'tooManyTransactions');
  const json = { transactions: new Array(1001).fill({ encoded: 'AQ' }) };
  assert.is(codeOf(await postJson(fixture, json)), 'tooManyTransactions');
});

test('bodies outside the contract are refused without an echo of what they hold', async () => {
  const fixture = await makeFixture();
  const secret = 'diagnosis-E11';
  const bodies: readonly [string, string | Buffer][] = [
    ['application/json', `{"transactions": [${secret}`],
    ['application/json', `{"transactions": [{"encoded": "A", "${secret}": 1}]}`],
    ['application/json', `{"transactions": [{"encoded": "${secret} not base64url"}]}`],
    ['application/json', '{"transactions": []}'],
    ['application/json', ''],
    ['application/json', '{"__proto__": {"transactions": []}}'],
    ['application/cbor', Buffer.from([0x80])],
    ['application/cbor', Buffer.from([])],
    ['application/cbor', Buffer.from([0x81, 0x81, 0x41, 0x00])],
    ['application/cbor', Buffer.from([0x9f, 0xff])],
    ['application/cbor', Buffer.from([0xa0])],
    ['application/cbor', Buffer.from(secret)],
  ];
  for (const [mediaType, payload] of bodies) {
    const headers = { 'content-type': mediaType };
    const response = await fixture.app.inject({ method: 'POST', url: '/v1/transactions', headers, payload });
    assert.is(codeOf(response), 'malformedRequest', `${mediaType} ${payload.toString('latin1')}`);
    assert.not.match(response.body, secret, response.body);
  }
  assert.not.match(fixture.log.join(''), secret);
  assert.is(fixture.node.submitted.length, 0);
});

test('a body over the limit, of another media type, or for another ledger is refused', async () => {
  const fixture = await makeFixture();
  const url = '/v1/transactions';
  const large = Buffer.alloc(SUBMISSION_BODY_BYTES_MAX + 1);
  const cbor = { 'content-type': 'application/cbor' };
  assert.is(codeOf(await fixture.app.inject({ method: 'POST', url, headers: cbor, payload: large })), 'bodyTooLarge');
  const text = { 'content-type': 'text/plain' };
  assert.is(
    codeOf(await fixture.app.inject({ method: 'POST', url, headers: text, payload: 'a' })),
    'unsupportedMediaType',
  );
  const foreign = { 'medledger-genesis': '11'.repeat(32) };
  assert.is(codeOf(await postJson(fixture, { transactions: [] }, foreign)), 'foreignLedger');
});

test('a node that is not ready takes no transactions and says when to try again', async () => {
  const fixture = await makeFixture();
  fixture.node.missing = ['a quorum of validators'];
  const response = await post(fixture, [transaction]);
  assert.is(codeOf(response), 'notReady');
  assert.is(response.statusCode, 503);
  assert.match(response.json().detail, /a quorum of validators/);
  assert.ok(Number(response.headers['retry-after']) > 0);
});

test('the status of a transaction that nobody sent is Unknown', async () => {
  const { app } = await makeFixture();
  const response = await app.inject(`/v1/transactions/${'0a'.repeat(32)}`);
  assert.equal(response.json(), { txId: '0a'.repeat(32), status: 'Unknown' });
});

test.run();
