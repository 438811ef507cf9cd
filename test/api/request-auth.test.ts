import { base64 } from '@scure/base';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  COVERED_COMPONENTS,
  contentDigestText,
  signatureBase,
  signatureParametersText,
} from '../../src/api/contract/request-signature.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { codeOf, makeFixture, NOW_MS, signedRequest } from './api-fixture.ts';
import { ledgerHash, people } from './fake-node.ts';

const TARGET = `/v1/accounts/${formatAddress(people.doctor.address)}`;
const SEARCH = `/v1/records?patient=${formatAddress(people.patient.address)}&kind=a`;

type Request = ReturnType<typeof signedRequest>;

/** Signs by hand, so that single parts can be left out or wrong. */
function forged(change: {
  covered?: readonly string[];
  parameters?: (text: string) => string;
  signer?: typeof people.doctor;
}): Request {
  const request = signedRequest(people.doctor, 'GET', TARGET);
  const text = signatureParametersText({
    created: NOW_MS / 1000,
    expires: NOW_MS / 1000 + 60,
    nonce: 'abcdefghijklmnop',
    address: formatAddress(people.doctor.address),
    keyIndex: 0,
  });
  const covered = change.covered ?? COVERED_COMPONENTS;
  const list = `(${covered.map((name) => `"${name}"`).join(' ')})`;
  const parameters = (change.parameters ?? ((same) => same))(text.replace(/^\([^)]*\)/, list));
  const base = signatureBase(
    {
      method: 'GET',
      authority: 'node.test',
      path: TARGET,
      query: '?',
      contentDigest: request.headers['content-digest']!,
      genesis: toHex(ledgerHash),
    },
    covered as typeof COVERED_COMPONENTS,
    parameters,
  );
  const signature = (change.signer ?? people.doctor).signers[0]!.signer.sign(base);
  request.headers['signature-input'] = `sig=${parameters}`;
  request.headers['signature'] = `sig=:${base64.encode(signature)}:`;
  return request;
}

const matrix: readonly [name: string, outcome: string | number, request: () => Request][] = [
  ['a signed request', 200, () => signedRequest(people.doctor, 'GET', TARGET)],
  ['a signed request with a query', 200, () => signedRequest(people.patient, 'GET', SEARCH)],
  ['the same made by hand', 200, () => forged({})],
  ['components in another order', 200, () => forged({ covered: [...COVERED_COMPONENTS].reverse() })],
  ['no signature', 'signatureMissing', () => without(['signature', 'signature-input'])],
  ['only one of the two headers', 'signatureMalformed', () => without(['signature'])],
  ['another key', 'signatureWrong', () => forged({ signer: people.patient })],
  ['an account that is not registered', 'signatureWrong', () => signedRequest(people.stranger, 'GET', TARGET)],
  [
    'a key index that the account has not',
    'signatureWrong',
    () => forged({ parameters: (text) => text.replace('#0"', '#1"') }),
  ],
  [
    'a mistyped address',
    'signatureMalformed',
    () => forged({ parameters: (text) => text.replace(/.{2}#0"/, 'qq#0"') }),
  ],
  ['an expired signature', 'signatureOutdated', () => signedAt(NOW_MS - 91_000)],
  ['a signature within the skew', 200, () => signedAt(NOW_MS - 90_000)],
  ['a signature from the future', 'signatureOutdated', () => signedAt(NOW_MS + 31_000)],
  ['a clock that runs 30 s ahead', 200, () => signedAt(NOW_MS + 30_000)],
  [
    'a life of more than 60 s',
    'signatureOutdated',
    () => forged({ parameters: (text) => text.replace(/expires=\d+/, `expires=${NOW_MS / 1000 + 61}`) }),
  ],
  [
    'an end before the beginning',
    'signatureOutdated',
    () => forged({ parameters: (text) => text.replace(/expires=\d+/, `expires=${NOW_MS / 1000}`) }),
  ],
  [
    'an altered query',
    'signatureWrong',
    () => ({ ...signedRequest(people.patient, 'GET', SEARCH), url: `${SEARCH}b` }),
  ],
  [
    'an added query',
    'signatureWrong',
    () => ({ ...signedRequest(people.doctor, 'GET', TARGET), url: `${TARGET}?x=1` }),
  ],
  [
    'an altered path',
    'signatureWrong',
    () => ({
      ...signedRequest(people.doctor, 'GET', TARGET),
      url: `/v1/accounts/${formatAddress(people.patient.address)}`,
    }),
  ],
  ['another host name of this node', 'signatureWrong', () => withHeader('host', 'second.test')],
  ['a host name of another node', 'signatureWrong', () => withHeader('host', 'evil.test')],
  [
    'an altered digest',
    'signatureWrong',
    () => withHeader('content-digest', contentDigestText(sha256(new Uint8Array(1)))),
  ],
  ['no digest header', 'signatureIncomplete', () => without(['content-digest'])],
  ['no genesis header', 'signatureIncomplete', () => without(['medledger-genesis'])],
  ['the genesis of another ledger', 'foreignLedger', () => withHeader('medledger-genesis', '00'.repeat(32))],
  ...COVERED_COMPONENTS.map((left): [string, string, () => Request] => [
    `a signature that does not cover ${left}`,
    'signatureIncomplete',
    () => forged({ covered: COVERED_COMPONENTS.filter((name) => name !== left) }),
  ]),
  ...['created', 'expires', 'nonce', 'alg', 'keyid', 'tag'].map((left): [string, string, () => Request] => [
    `a signature without ${left}`,
    'signatureIncomplete',
    () => forged({ parameters: (text) => text.replace(new RegExp(`;${left}=[^;]*`), '') }),
  ]),
  ['a component twice', 'signatureMalformed', () => forged({ covered: [...COVERED_COMPONENTS, '@method'] })],
  ['a component beyond the profile', 'signatureMalformed', () => forged({ covered: [...COVERED_COMPONENTS, 'date'] })],
  ['a parameter twice', 'signatureMalformed', () => forged({ parameters: (text) => `${text};tag="medledger-v1"` })],
  ['an unknown parameter', 'signatureMalformed', () => forged({ parameters: (text) => `${text};x="y"` })],
  ['another tag', 'signatureMalformed', () => forged({ parameters: (text) => text.replace('medledger-v1', 'other') })],
  ['another algorithm', 'signatureMalformed', () => forged({ parameters: (text) => text.replace('ed25519', 'hmac') })],
  [
    'a short nonce',
    'signatureMalformed',
    () => forged({ parameters: (text) => text.replace(/nonce="[^"]*/, 'nonce="a') }),
  ],
  [
    'two signatures',
    'signatureMalformed',
    () => {
      const request = signedRequest(people.doctor, 'GET', TARGET);
      for (const name of ['signature-input', 'signature'])
        request.headers[name] += `, ${request.headers[name]!.replace('sig=', 'two=')}`;
      return request;
    },
  ],
  [
    'two parameter lists and one signature',
    'signatureMalformed',
    () => {
      const request = signedRequest(people.doctor, 'GET', TARGET);
      request.headers['signature-input'] += `, ${request.headers['signature-input']!.replace('sig=', 'two=')}`;
      return request;
    },
  ],
  [
    'different labels',
    'signatureMalformed',
    () => withHeader('signature', `two=:${base64.encode(new Uint8Array(64))}:`),
  ],
  [
    'a signature of 63 bytes',
    'signatureMalformed',
    () => withHeader('signature', `sig=:${base64.encode(new Uint8Array(63))}:`),
  ],
  ['an endless header', 'signatureMalformed', () => withHeader('signature-input', `sig=${';'.repeat(4000)}`)],
];

function without(names: readonly string[]): Request {
  const request = signedRequest(people.doctor, 'GET', TARGET);
  for (const name of names) delete request.headers[name];
  return request;
}

function withHeader(name: string, value: string): Request {
  const request = signedRequest(people.doctor, 'GET', TARGET);
  request.headers[name] = value;
  return request;
}

function signedAt(nowMs: number): Request {
  return signedRequest(people.doctor, 'GET', TARGET, new Uint8Array(0), nowMs);
}

for (const [name, outcome, request] of matrix) {
  test(`${name}: ${outcome}`, async () => {
    const { app } = await makeFixture({ authorities: ['node.test', 'second.test'] });
    const response = await app.inject(request());
    assert.is(codeOf(response), outcome);
    if (response.statusCode === 401) assert.ok(response.headers['www-authenticate']);
    await app.close();
  });
}

test('a request is taken once', async () => {
  const { app } = await makeFixture();
  const request = signedRequest(people.doctor, 'GET', TARGET);
  assert.is(codeOf(await app.inject(request)), 200);
  assert.is(codeOf(await app.inject(request)), 'nonceUsed');
  await app.close();
});

test('a request with a wrong signature does not use up the nonce', async () => {
  const { app } = await makeFixture();
  const request = signedRequest(people.doctor, 'GET', TARGET);
  const altered = { ...request, url: `${TARGET}?x=1` };
  assert.is(codeOf(await app.inject(altered)), 'signatureWrong');
  assert.is(codeOf(await app.inject(request)), 200);
  await app.close();
});

test('a suspended account is refused', async () => {
  const { app, node } = await makeFixture();
  node.suspended.add(toHex(people.doctor.address));
  assert.is(codeOf(await app.inject(signedRequest(people.doctor, 'GET', TARGET))), 'signatureWrong');
  await app.close();
});

test('a body other than the one signed is refused, and nothing is stored', async () => {
  const { app, node } = await makeFixture();
  const cid = `b${'a'.repeat(58)}`;
  const request = signedRequest(people.doctor, 'PUT', `/v1/payloads/${cid}`, new Uint8Array(10));
  node.ports.putPayload = async () => {
    throw new Error('reached the store');
  };
  assert.is(codeOf(await app.inject({ ...request, payload: Buffer.alloc(11) })), 'digestMismatch');
  await app.close();
});

test('the signature base is the text of RFC 9421 §2.5', () => {
  const parameters = signatureParametersText({
    created: 1_800_000_000,
    expires: 1_800_000_060,
    nonce: 'nonce-nonce-nonce',
    address: 'med1qqqqqq',
    keyIndex: 2,
  });
  const base = signatureBase(
    {
      method: 'GET',
      authority: 'node.test:8080',
      path: '/v1/records',
      query: '?limit=1',
      contentDigest: contentDigestText(sha256(new Uint8Array(0))),
      genesis: 'ab',
    },
    COVERED_COMPONENTS,
    parameters,
  );
  assert.is(
    new TextDecoder().decode(base),
    [
      '"@method": GET',
      '"@authority": node.test:8080',
      '"@path": /v1/records',
      '"@query": ?limit=1',
      '"content-digest": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
      '"medledger-genesis": ab',
      '"@signature-params": ("@method" "@authority" "@path" "@query" "content-digest" "medledger-genesis");' +
        'created=1800000000;expires=1800000060;nonce="nonce-nonce-nonce";alg="ed25519";keyid="med1qqqqqq#2";' +
        'tag="medledger-v1"',
    ].join('\n'),
  );
});

test.run();
