import pino from 'pino';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ENDPOINTS, PAYLOAD_BYTES_MAX, RECORDS_PAGE_MAX } from '../../src/api/contract/endpoints.ts';
import { PROBLEMS } from '../../src/api/contract/problem.ts';
import { formatCid, fromBase64url } from '../../src/api/contract/text.ts';
import { buildOperatorApi } from '../../src/api/server.ts';
import type { AccountIdentity } from '../../src/client/keys.ts';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { decodeHeader } from '../../src/ledger/block.ts';
import { codeOf, type Fixture, makeFixture, makeRecord, signedRequest } from './api-fixture.ts';
import { genesisDocument, ledgerHash, people } from './fake-node.ts';

const { doctor, patient, hospital, otherDoctor, otherPatient, otherHospital } = people;
const parties: readonly [string, AccountIdentity][] = [
  ['author', doctor],
  ['patient', patient],
  ['organisation', hospital],
];
const strangers: readonly [string, AccountIdentity][] = [
  ['another doctor', otherDoctor],
  ['another patient', otherPatient],
  ['another organisation', otherHospital],
];

async function fixtureWithRecord() {
  const fixture = await makeFixture();
  const record = await makeRecord();
  await fixture.node.ports.submit([record.transaction]);
  await fixture.node.ports.putPayload(record.sealed.payload.cid, record.sealed.ciphertext);
  return { ...fixture, record };
}

function get({ app }: Fixture, who: AccountIdentity, target: string) {
  return app.inject(signedRequest(who, 'GET', target));
}

function hasForm(content: unknown, value: unknown): boolean {
  return Value.Check((content as { 'application/json': TSchema })['application/json'], value);
}

test('what is open to all needs no signature and has the form of the contract', async () => {
  const { app } = await fixtureWithRecord();
  for (const name of [
    'liveness',
    'readiness',
    'status',
    'validators',
    'parameters',
    'evidence',
    'genesis',
    'problems',
  ] as const) {
    const { url, success } = ENDPOINTS[name];
    const response = await app.inject(url);
    assert.is(response.statusCode, 200, name);
    assert.ok(hasForm(success[200], response.json()), name);
  }
  const genesis = (await app.inject('/v1/genesis')).json();
  assert.is(genesis.genesisHash, toHex(ledgerHash));
  assert.equal(fromBase64url(genesis.document), genesisDocument);
});

test('the parameters in force and those scheduled are told apart', async () => {
  const { app } = await makeFixture();
  const { height, current, scheduled, ...versions } = (await app.inject('/v1/parameters')).json();
  assert.is(height, 1);
  assert.equal([current.viewTimeoutMs, scheduled.viewTimeoutMs], [1_000, 2_000]);
  assert.equal(versions, { protocolVersion: 1, newestVersion: 1, updateBefore: null });
  assert.is((await app.inject('/v1/status')).json().updateBefore, null);
});

test('readiness fails with what is missing while liveness holds', async () => {
  const fixture = await makeFixture();
  fixture.node.missing = ['12 blocks'];
  const response = await fixture.app.inject('/readyz');
  assert.is(codeOf(response), 'notReady');
  assert.match(response.json().detail, '12 blocks');
  assert.is((await fixture.app.inject('/livez')).statusCode, 200);
  assert.is((await fixture.app.inject('/v1/status')).json().ready, false);
});

test('metrics are on the listener of the operator alone', async () => {
  const { app, node } = await makeFixture();
  assert.is(codeOf(await app.inject('/metrics')), 'unknownPath');
  const operator = await buildOperatorApi({ ports: node.ports, logger: pino({ enabled: false }) });
  const response = await operator.inject('/metrics');
  assert.match(String(response.headers['content-type']), /^text\/plain/);
  assert.match(response.body, 'medledger_height 1');
  assert.is(codeOf(await operator.inject('/v1/status')), 'unknownPath');
});

test('a block is found by height, hash and latest, with a strong tag', async () => {
  const { app } = await fixtureWithRecord();
  const byHeight = await app.inject('/v1/blocks/1');
  const block = byHeight.json();
  assert.ok(hasForm(ENDPOINTS.block.success[200], block));
  assert.is(decodeHeader(fromBase64url(block.header)).height, 1);
  assert.is(byHeight.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal((await app.inject(`/v1/blocks/${block.hash}`)).json(), block);
  const latest = await app.inject('/v1/blocks/latest');
  assert.equal(latest.json(), block);
  assert.is(latest.headers['cache-control'], 'no-cache');
  const tag = String(byHeight.headers['etag']);
  assert.match(tag, /^"[^"]+"$/);
  const unchanged = await app.inject({ url: '/v1/blocks/1', headers: { 'if-none-match': tag } });
  assert.is(unchanged.statusCode, 304);
  assert.is(unchanged.body, '');
  assert.is(codeOf(await app.inject('/v1/blocks/99')), 'notFound');
  assert.is(codeOf(await app.inject(`/v1/blocks/${'00'.repeat(32)}`)), 'notFound');
  assert.is(codeOf(await app.inject('/v1/blocks/newest')), 'badParameter');
});

test('an account shows role and keys to members', async () => {
  const fixture = await makeFixture();
  const response = await get(fixture, otherPatient, `/v1/accounts/${formatAddress(doctor.address)}`);
  const account = response.json();
  assert.ok(hasForm(ENDPOINTS.account.success[200], account));
  assert.is(account.role, 'doctor');
  assert.is(account.sealingKey, toHex(doctor.keyDocument.sealingKey));
  assert.is(codeOf(await get(fixture, doctor, `/v1/accounts/${formatAddress(new Uint8Array(32))}`)), 'notFound');
  const mistyped = formatAddress(doctor.address).replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'));
  assert.is(codeOf(await get(fixture, doctor, `/v1/accounts/${mistyped}`)), 'badParameter');
});

for (const [name, who] of parties) {
  test(`the ${name} reads record, attachment, payload and transaction`, async () => {
    const fixture = await fixtureWithRecord();
    const { recordId, sealed, transaction } = fixture.record;
    const id = toHex(recordId);
    const record = (await get(fixture, who, `/v1/records/${id}`)).json();
    assert.ok(hasForm(ENDPOINTS.record.success[200], record));
    assert.is(record.patient, formatAddress(patient.address));
    assert.is(record.payload.cid, formatCid(sealed.payload.cid));
    assert.equal((await get(fixture, who, `/v1/records/${id}?version=1`)).json(), record);
    assert.is(codeOf(await get(fixture, who, `/v1/records/${id}?version=2`)), 'notFound');
    const attachment = await get(fixture, who, `/v1/records/${id}/attachment`);
    assert.ok(equalBytes(attachment.rawPayload, sealed.attachment));
    assert.is(attachment.headers['cache-control'], 'no-store');
    const payload = await get(fixture, who, `/v1/records/${id}/payload`);
    assert.ok(equalBytes(payload.rawPayload, sealed.ciphertext));
    const inBlock = (await get(fixture, who, '/v1/blocks/1/transactions/0')).json();
    assert.equal(fromBase64url(inBlock.encoded), transaction.encoded);
    assert.is(codeOf(await get(fixture, who, '/v1/blocks/1/transactions/1')), 'notFound');
  });
}

for (const [name, who] of strangers) {
  test(`${name} reads none of them`, async () => {
    const fixture = await fixtureWithRecord();
    const id = toHex(fixture.record.recordId);
    for (const path of ['', '/attachment', '/payload'])
      assert.is(codeOf(await get(fixture, who, `/v1/records/${id}${path}`)), 'notPermitted', path);
    assert.is(codeOf(await get(fixture, who, '/v1/blocks/1/transactions/0')), 'notPermitted');
  });
}

test('parts that this node does not hold are said to be elsewhere', async () => {
  const fixture = await fixtureWithRecord();
  const id = toHex(fixture.record.recordId);
  fixture.node.ports.payload = async () => undefined;
  fixture.node.ports.attachment = async () => undefined;
  for (const part of ['payload', 'attachment']) {
    const response = await get(fixture, doctor, `/v1/records/${id}/${part}`);
    assert.is(codeOf(response), 'notHeld');
    assert.ok(response.json().retryable);
  }
  assert.is(codeOf(await get(fixture, doctor, `/v1/records/${'00'.repeat(16)}`)), 'notFound');
});

test('a search is narrowed to what the caller may see', async () => {
  const fixture = await fixtureWithRecord();
  const own = formatAddress(hospital.address);
  const other = formatAddress(otherHospital.address);
  const me = formatAddress(patient.address);
  const cases: readonly [AccountIdentity, string, string | number][] = [
    [hospital, '', 200],
    [doctor, `?organisation=${own}&code=E11&from=2026&to=2026-02-03T10:00:00Z&limit=5`, 200],
    [doctor, `?organisation=${other}`, 'notPermitted'],
    [otherDoctor, '', 'notPermitted'],
    [otherHospital, `?organisation=${other}`, 'notPermitted'],
    [patient, `?patient=${me}`, 200],
    [patient, '', 'notPermitted'],
    [otherPatient, `?patient=${me}`, 'notPermitted'],
    [doctor, '?limit=0', 'badParameter'],
    [doctor, `?limit=${RECORDS_PAGE_MAX}`, 200],
    [doctor, `?limit=${RECORDS_PAGE_MAX + 1}`, 'badParameter'],
    [doctor, '?limit=x', 'badParameter'],
    [doctor, '?from=yesterday', 'badParameter'],
    [doctor, '?paitent=x', 'unknownParameter'],
  ];
  for (const [who, query, outcome] of cases) {
    const response = await get(fixture, who, `/v1/records${query}`);
    assert.is(codeOf(response), outcome, query);
    if (outcome === 200) assert.ok(hasForm(ENDPOINTS.records.success[200], response.json()));
  }
  const [byHospital, byDoctor, byPatient] = fixture.node.queries.filter(({ limit }) => limit < RECORDS_PAGE_MAX);
  assert.equal(byHospital, { limit: 100, organisation: hospital.address });
  assert.equal(byDoctor, {
    code: 'E11',
    from: '2026',
    to: '2026-02-03T10:00:00Z',
    limit: 5,
    organisation: hospital.address,
  });
  assert.equal(byPatient, { limit: 100, patient: patient.address });
  assert.not.match(fixture.log.join(''), 'E11', 'what was searched for is not logged');
});

test('a payload is stored under its own CID only', async () => {
  const fixture = await makeFixture();
  const { sealed } = await makeRecord();
  const target = `/v1/payloads/${formatCid(sealed.payload.cid)}`;
  assert.is((await fixture.app.inject(signedRequest(doctor, 'PUT', target, sealed.ciphertext))).statusCode, 204);
  assert.equal(await fixture.node.ports.payload(sealed.payload.cid), sealed.ciphertext);
  const put = (bytes: Uint8Array, url = target) => fixture.app.inject(signedRequest(doctor, 'PUT', url, bytes));
  assert.is(codeOf(await put(Uint8Array.of(1))), 'cidMismatch');
  assert.is(codeOf(await put(new Uint8Array(13))), 'storageFull');
  assert.is(codeOf(await put(new Uint8Array(0))), 'malformedRequest');
  assert.is(codeOf(await put(Uint8Array.of(1), `/v1/payloads/b${'a'.repeat(58)}`)), 'badParameter');
  assert.is(codeOf(await put(Uint8Array.of(1), '/v1/payloads/x')), 'badParameter');
  assert.is(codeOf(await put(new Uint8Array(PAYLOAD_BYTES_MAX + 1))), 'bodyTooLarge');
  fixture.node.missing = ['disk'];
  assert.is(codeOf(await put(sealed.ciphertext)), 'notReady');
  const unsigned = await fixture.app.inject({ method: 'PUT', url: target, payload: Buffer.alloc(1) });
  assert.is(codeOf(unsigned), 'signatureMissing');
});

test('requests over the limit are told how long to wait; probes are exempt', async () => {
  const { app } = await makeFixture({ requestsPerWindow: 3, windowMs: 60_000 });
  const codes: (string | number)[] = [];
  for (let i = 0; i < 4; i += 1) codes.push(codeOf(await app.inject('/v1/problems')));
  assert.equal(codes, [200, 200, 200, 'rateLimited']);
  const refused = await app.inject('/v1/nothing');
  assert.is(codeOf(refused), 'rateLimited');
  const wait = Number(refused.headers['retry-after']);
  assert.ok(wait > 0 && wait <= 60);
  assert.is((await app.inject('/livez')).statusCode, 200);
});

test('what goes wrong inside is answered with 500 and logged without the words of the error', async () => {
  const fixture = await makeFixture();
  fixture.node.ports.transactionStatus = async () => {
    throw new Error('patient Jane Doe');
  };
  const response = await fixture.app.inject(`/v1/transactions/${'00'.repeat(32)}`);
  assert.is(codeOf(response), 'internal');
  assert.not.match(response.body, 'Jane');
  const line = fixture.log.find((entry) => entry.includes('request failed'));
  assert.match(String(line), response.json().requestId);
  assert.not.match(fixture.log.join(''), 'Jane');
});

test('every problem of the list says what it means and what to do', async () => {
  const { app } = await makeFixture();
  const { problems } = (await app.inject('/v1/problems')).json();
  assert.is(problems.length, Object.keys(PROBLEMS).length);
  for (const { code, meaning, remedy, status } of problems) {
    assert.match(meaning, /\.$/, code);
    assert.match(remedy, /\.$/, code);
    assert.ok(status >= 400 && status < 600, code);
  }
});

test('what stands in blocks from before a snapshot is answered as such, never as if it did not exist', async () => {
  const fixture = await fixtureWithRecord();
  const { node, record } = fixture;
  const block = node.commitEmptyBlock();
  const first = (await node.ports.block(1))!;
  node.historyFrom = block.height;
  const id = toHex(record.recordId);
  const targets = [
    '/v1/blocks/1',
    `/v1/blocks/${toHex(first.hash)}`,
    `/v1/transactions/${toHex(record.transaction.txId)}`,
  ];
  for (const target of targets) assert.is(codeOf(await fixture.app.inject(target)), 'beforeHistory', target);
  for (const target of [`/v1/records/${id}`, `/v1/records/${id}/payload`, '/v1/blocks/1/transactions/0'])
    assert.is(codeOf(await get(fixture, doctor, target)), 'beforeHistory', target);
  assert.is(codeOf(await fixture.app.inject(`/v1/blocks/${block.height}`)), 200);
  assert.is(codeOf(await fixture.app.inject('/v1/blocks/77')), 'notFound');
  assert.is(codeOf(await get(fixture, otherDoctor, `/v1/records/${id}`)), 'notPermitted');
  assert.is((await fixture.app.inject('/v1/status')).json().historyFrom, block.height);
  assert.is((await get(fixture, doctor, '/v1/records')).json().indexedFrom, block.height);
});

test.run();
