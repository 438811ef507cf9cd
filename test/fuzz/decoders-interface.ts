import { base64urlnopad } from '@scure/base';
import { InvalidArgumentError } from 'commander';
import { Value } from 'typebox/value';
import {
  parseSignature,
  signatureBase,
  signatureHeaders,
  signatureParametersText,
} from '../../src/api/contract/request-signature.ts';
import { type SubmissionBody, submissionBodySchema } from '../../src/api/contract/schemas.ts';
import { formatCid, fromBase64url, parseCid, toBase64url } from '../../src/api/contract/text.ts';
import { parseAddressParameter } from '../../src/api/parameters.ts';
import { ProblemError } from '../../src/api/problem-response.ts';
import { readSubmissions } from '../../src/api/submission-body.ts';
import { parseBundle } from '../../src/cli/fhir/bundle.ts';
import { dateSpan } from '../../src/cli/fhir/date-span.ts';
import { mapBundle } from '../../src/cli/fhir/mapping.ts';
import { syntheticBundles } from '../../src/cli/fhir/synthetic.ts';
import { readWhole } from '../../src/cli/options.ts';
import { fromHex, toHex, utf8 } from '../../src/codec/bytes.ts';
import { AddressError, formatAddress, parseAddress } from '../../src/crypto/address.ts';
import { cidText } from '../../src/crypto/payload-cid.ts';
import { decodeCursor, encodeCursor } from '../../src/index/outer/cursor.ts';
import { dateInterval } from '../../src/index/outer/date-interval.ts';
import { OuterIndexError } from '../../src/index/outer/outer-index-error.ts';
import { checkedRange, type OuterQuery, UNDATED_MS } from '../../src/index/outer/query.ts';
import { formatConfig, parseConfig } from '../../src/node/config.ts';
import { nodeConfig } from '../../src/node/init-node.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { Refused } from './decoder-run.ts';
import type { TableEntry } from './decoders.ts';
import { attachments, hospitalAddresses, madeUp, transactions } from './ledger-corpus.ts';
import { encodeBatch } from './wire-encoders.ts';

const asText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const TEXT = { form: 'text' } as const;

const submissions = transactions.map(({ encoded }, i) => ({
  encoded,
  attachment: i % 2 === 0 ? attachments[1]! : null,
}));
const jsonBodies = [
  ['hex', toHex],
  ['base64url', toBase64url],
].map(([encoding, format]) =>
  JSON.stringify({
    encoding,
    transactions: submissions.slice(0, 2).map(({ encoded, attachment }) => ({
      encoded: (format as typeof toHex)(encoded),
      attachment: attachment && (format as typeof toHex)(attachment),
    })),
  }),
);

const parametersText = signatureParametersText({
  created: 1_800_000_000,
  expires: 1_800_000_060,
  nonce: 'abcdefghij-KLMNOP_12345',
  address: formatAddress(hospitalAddresses[0]!),
  keyIndex: 0,
});
const signed = signatureHeaders(parametersText, madeUp('signature', 64));

const queries: readonly OuterQuery[] = [{ limit: 10 }, { limit: 5, kind: 'Observation', from: '2020', to: '2026-05' }];
const positions = [0, 1_620_000_000_000, 1_700_000_000_001].map((dateMs) => ({
  dateMs,
  recordId: madeUp(`record ${dateMs}`, 16),
}));
const cursors = [
  ...positions.map((position) => encodeCursor(queries[0]!, position)),
  ...positions.slice(1).map((position) => encodeCursor(queries[1]!, position)),
  encodeCursor(queries[0]!, { dateMs: UNDATED_MS, recordId: madeUp('undated', 16) }),
];

/** The one query that takes the cursor decides; its text must be the one that the place encodes to. */
function reencodedCursor(text: string): string {
  for (const query of queries) {
    try {
      return encodeCursor(query, decodeCursor(query, checkedRange(query), text));
    } catch (error) {
      if (query === queries.at(-1)) throw error;
    }
  }
  throw new Refused();
}

const config = nodeConfig({
  name: 'hospital-1',
  listen: '/ip4/127.0.0.1/tcp/7000',
  peers: hospitalAddresses.map((address, i) => ({
    name: `hospital-${i}`,
    publicKey: toHex(address),
    addresses: [`/ip4/127.0.0.1/tcp/${7001 + i}`],
  })),
  apiPort: 7100,
  operatorPort: 7200,
});

const cids = [0x55, 0x70].map((codec) => Uint8Array.of(1, codec, 0x12, 0x20, ...madeUp('payload', 32)));
const dates = [
  '',
  '2024',
  '2024-02',
  '2024-02-29',
  '2024-02-29T23:59:59.123456789+14:00',
  '0001-01-01',
  '9999-12-31T00:00Z',
];

function textEntry(
  name: string,
  covers: readonly string[],
  refusals: TableEntry['refusals'],
  corpus: readonly string[],
  decode: (text: string) => string | undefined,
): TableEntry {
  return {
    ...TEXT,
    name,
    covers,
    refusals,
    corpus: corpus.map(utf8),
    decode(bytes) {
      const text = asText(bytes);
      const encoded = decode(text);
      if (encoded !== undefined && encoded !== text) throw new Error(`took ${text} for ${encoded}`);
      return undefined;
    },
  };
}

/** What clients, operators and their files bring. */
export const interfaceDecoders: readonly TableEntry[] = [
  {
    name: 'submission in CBOR',
    form: 'cbor',
    refusals: [ProblemError],
    covers: ['src/api/submission-body.ts#readSubmissions', 'src/api/submission-body.ts#decode'],
    corpus: [submissions, submissions.slice(0, 1)].map(encodeBatch),
    decode: (bytes) => encodeBatch(readSubmissions(bytes)),
  },
  textEntry('submission in JSON', [], [ProblemError, SyntaxError, Refused], jsonBodies, (text) => {
    const body: unknown = JSON.parse(text);
    if (!Value.Check(submissionBodySchema, body)) throw new Refused();
    readSubmissions(body as SubmissionBody);
    return undefined;
  }),
  textEntry(
    'signature headers',
    ['src/api/contract/request-signature.ts#parseSignature'],
    [Refused],
    [`${signed['signature-input']}\n${signed.signature}`],
    (text) => {
      const [input = '', field = ''] = text.split('\n');
      const parsed = parseSignature(input, field);
      if ('kind' in parsed) throw new Refused();
      const components = { method: 'GET', authority: 'a', path: '/', query: '?', contentDigest: '', genesis: '' };
      signatureBase(components, parsed.covered, parsed.signedParameters);
      const label = input.slice(0, input.indexOf('='));
      const again = signatureHeaders(parsed.signedParameters, parsed.signature);
      const headers = [again['signature-input'], again.signature].map((header) => header.replace(/^sig/, label));
      const surplus = text
        .split('\n')
        .slice(2)
        .map((line) => `\n${line}`);
      return headers.join('\n') + surplus.join('');
    },
  ),
  textEntry(
    'address',
    ['src/crypto/address.ts#parseAddress', 'src/api/parameters.ts#parseAddressParameter'],
    [AddressError],
    hospitalAddresses.map(formatAddress),
    (text) => {
      const address = parseAddress(text);
      parseAddressParameter('author', text);
      // Bech32 may be written in capitals as a whole.
      return text === text.toUpperCase() ? undefined : formatAddress(address);
    },
  ),
  textEntry('CID', ['src/api/contract/text.ts#parseCid'], [RangeError], cids.map(formatCid), (text) => {
    const cid = parseCid(text);
    if (cidText(cid) !== text) throw new Error('two texts for one CID');
    return formatCid(cid);
  }),
  textEntry(
    'base64url',
    [],
    [Error],
    [0, 1, 2, 3, 60].map((n) => toBase64url(madeUp('b', n))),
    (text) => toBase64url(fromBase64url(text)),
  ),
  textEntry(
    'hexadecimal',
    [],
    [RangeError],
    [0, 1, 32].map((n) => toHex(madeUp('h', n))),
    (text) => (text === text.toLowerCase() ? toHex(fromHex(text)) : undefined),
  ),
  textEntry('cursor as text', [], [OuterIndexError], cursors, reencodedCursor),
  {
    name: 'cursor',
    form: 'bytes',
    refusals: [OuterIndexError],
    covers: ['src/index/outer/cursor.ts#decodeCursor'],
    corpus: cursors.map((cursor) => base64urlnopad.decode(cursor)),
    decode: (bytes) => base64urlnopad.decode(reencodedCursor(base64urlnopad.encode(bytes))),
  },
  textEntry('date of a search', [], [], dates, (text) => {
    const interval = dateInterval(text);
    if (interval !== undefined && !(interval.firstMs <= interval.lastMs)) throw new Error('a date that ends early');
    return undefined;
  }),
  textEntry('date of a resource', [], [], dates, (text) => {
    const span = dateSpan(text);
    if (span !== undefined && !(span.startMs <= span.endMs)) throw new Error('a date that ends early');
    return undefined;
  }),
  textEntry('configuration', ['src/node/config.ts#parseConfig'], [OperatorError], [formatConfig(config)], (text) => {
    parseConfig(text, 'config.toml', {});
    parseConfig(text, 'config.toml', { MEDLEDGER_API_PORT: '7', MEDLEDGER_NODE_NAME: 'n' });
    return undefined;
  }),
  {
    ...TEXT,
    name: 'FHIR bundle',
    refusals: [OperatorError],
    covers: ['src/cli/fhir/bundle.ts#parseBundle'],
    corpus: syntheticBundles(1, 2).map(({ bytes }) => bytes),
    decode(bytes) {
      mapBundle(parseBundle(bytes, 'bundle.json'));
      return undefined;
    },
  },
  textEntry(
    'whole number option',
    ['src/cli/options.ts#readWhole'],
    [InvalidArgumentError],
    ['0', '17', '999'],
    (text) => {
      readWhole(0, 1000)(text);
      return undefined;
    },
  ),
];
