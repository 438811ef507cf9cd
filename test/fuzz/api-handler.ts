import type { InjectOptions } from 'fastify';
import { PROBLEMS } from '../../src/api/contract/problem.ts';
import { toHex, utf8 } from '../../src/codec/bytes.ts';
import { codeOf, makeFixture, signedRequest } from '../api/api-fixture.ts';
import { people } from '../api/fake-node.ts';
import { type CaseSource, runAsyncCases } from './cases.ts';
import { type Counts, counter } from './counts.ts';
import { attachments, transactions } from './ledger-corpus.ts';
import { encodeBatch } from './wire-encoders.ts';

const submissions = transactions.slice(0, 3).map(({ encoded }, i) => ({
  encoded,
  attachment: i === 0 ? attachments[0]! : null,
}));
const CBOR_BODIES: CaseSource = { name: 'API, body in CBOR', form: 'cbor', corpus: [encodeBatch(submissions)] };
const JSON_BODIES: CaseSource = {
  name: 'API, body in JSON',
  form: 'text',
  corpus: [
    utf8(
      JSON.stringify({
        encoding: 'hex',
        transactions: submissions.map(({ encoded, attachment }) => ({
          encoded: toHex(encoded),
          attachment: attachment && toHex(attachment),
        })),
      }),
    ),
  ],
};

const id = 'ab'.repeat(16);
const TARGETS = [
  `/v1/records/${id}?version=1`,
  `/v1/records/${id}/payload`,
  '/v1/records?kind=Observation&from=2020-01-01&to=2026&limit=10&cursor=AbC',
  `/v1/transactions/${'cd'.repeat(32)}`,
  '/v1/blocks/latest',
  '/v1/blocks/1/transactions/0',
];
/** Target and headers of signed requests, a line each; every line may change. */
const HEADS: CaseSource = {
  name: 'API, head of a request',
  form: 'text',
  corpus: TARGETS.map((target) => {
    const { headers } = signedRequest(people.doctor, 'GET', target);
    return utf8([target, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\n'));
  }),
};

/** A request of the lines of a changed head; what no HTTP parser would pass on is taken out. */
function requestOf(head: Uint8Array): InjectOptions {
  const [target = '/', ...lines] = new TextDecoder().decode(head).split('\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf(': ');
    const name = line.slice(0, Math.max(0, at)).toLowerCase();
    if (/^[a-z0-9-]+$/.test(name) && name !== 'accept') headers[name] = line.slice(at + 2).replace(/[^\t -~]/g, '');
  }
  const url = target.replace(/[^!-~]/g, '~');
  return { method: 'GET', url: url.startsWith('/') && !url.startsWith('/v1/events') ? url : `/${url.length}`, headers };
}

/** Changed bodies and heads to the API over a made-up node: an answer of the contract each, never one of 500 or above. */
export async function fuzzApi(seed: number, cases: number): Promise<Counts> {
  const counts = counter();
  const { app } = await makeFixture();
  const inject = async (request: InjectOptions) => {
    const response = await app.inject(request);
    if (response.statusCode >= 500) throw new Error(`${response.statusCode} ${response.body}`);
    const code = response.statusCode >= 400 ? String(codeOf(response)) : 'answered';
    if (code !== 'answered' && !(code in PROBLEMS)) throw new Error(`${code} is no code of the list`);
    counts.add(code);
  };
  const post = (type: string) => (changed: Uint8Array) =>
    inject({
      method: 'POST',
      url: '/v1/transactions',
      headers: { 'content-type': type, host: 'node.test' },
      payload: Buffer.from(changed),
    });
  const share = Math.ceil(cases / 3);
  await runAsyncCases(CBOR_BODIES, seed, share, post('application/cbor'));
  await runAsyncCases(JSON_BODIES, seed + 1, share, post('application/json'));
  await runAsyncCases(HEADS, seed + 2, share, (changed) => inject(requestOf(changed)));
  await app.close();
  return counts.all;
}
