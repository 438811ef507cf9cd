import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { type ProblemCode, REJECTION_CODES } from './problem.ts';
import * as schemas from './schemas.ts';

/** Most transactions of one submission. */
export const SUBMISSIONS_MAX = 1000;
/** Largest body of a submission, bytes. */
export const SUBMISSION_BODY_BYTES_MAX = 8 * 1024 * 1024;
/** Largest encrypted payload, bytes. */
export const PAYLOAD_BYTES_MAX = 8 * 1024 * 1024;
/** Longest wait for a commit that one request may ask for, and how long it waits when it does not say. */
export const WAIT_MS_MAX = 60_000;
export const WAIT_MS_DEFAULT = 10_000;
/** Most records of one page of a search, and how many without `limit`. */
export const RECORDS_PAGE_MAX = 1000;
export const RECORDS_PAGE_DEFAULT = 100;

/**
 * Who may call: `open` everyone; `signed` an active account, by an HTTP message signature (request-signature.ts);
 * `operator` whoever reaches the operator's listener.
 */
type EndpointAuth = 'open' | 'signed' | 'operator';

/** One body as it travels: its schema by media type. */
export type Content = Readonly<Record<string, TSchema>>;

/** One endpoint as server, SDK and document know it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path with parameters in braces. */
  readonly url: string;
  readonly summary: string;
  readonly auth: EndpointAuth;
  readonly params: TObject;
  readonly query: TObject;
  readonly body: Content | null;
  readonly bodyBytesMax: number;
  /** Success by status code; null for one without a body. */
  readonly success: Readonly<Record<number, Content | null>>;
  /** What it may answer beside the problems that any request may meet (COMMON_PROBLEMS). */
  readonly problems: readonly ProblemCode[];
}

/** Problems that any endpoint may answer with. */
export const COMMON_PROBLEMS = [
  'malformedRequest',
  'unknownParameter',
  'badParameter',
  'bodyTooLarge',
  'unsupportedMediaType',
  'foreignLedger',
  'rateLimited',
  'internal',
] as const satisfies readonly ProblemCode[];

/** Problems of every signed endpoint. */
export const SIGNATURE_PROBLEMS = [
  'signatureMissing',
  'signatureMalformed',
  'signatureIncomplete',
  'signatureOutdated',
  'signatureWrong',
  'nonceUsed',
  'digestMismatch',
] as const satisfies readonly ProblemCode[];

const JSON_TYPE = 'application/json';
const CBOR_TYPE = 'application/cbor';
const BYTES_TYPE = 'application/octet-stream';

function closed<T extends Record<string, TSchema>>(members: T) {
  return Type.Object(members, { additionalProperties: false });
}

const NONE = closed({});
const NO_BODY = { body: null, bodyBytesMax: 0 } as const;
/** A question without parameters that anybody may ask, and that is always answered. */
const OPEN_READ = { method: 'GET', auth: 'open', params: NONE, query: NONE, ...NO_BODY, problems: [] } as const;

function json(schema: TSchema): Content {
  return { [JSON_TYPE]: schema };
}

const version = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 0xffffffff, description: 'version of the record; the newest when absent' }),
);
const dateText = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.+Z-]{1,24})?)?)?$', description }));
const searchText = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 128, description }));

/** Every endpoint of the API, once. Server, client, OpenAPI document and tests derive from this table. */
export const ENDPOINTS = {
  liveness: {
    ...OPEN_READ,
    url: '/livez',
    summary: 'Whether the process answers',
    success: { 200: json(schemas.livenessSchema) },
  },
  readiness: {
    ...OPEN_READ,
    url: '/readyz',
    summary: 'Whether the node is caught up, reaches a quorum and takes transactions',
    success: { 200: json(schemas.readinessSchema) },
    problems: ['notReady'],
  },
  metrics: {
    method: 'GET',
    url: '/metrics',
    summary: 'Measurements in the text format of Prometheus',
    auth: 'operator',
    params: NONE,
    query: NONE,
    ...NO_BODY,
    success: { 200: { 'text/plain': Type.String() } },
    problems: [],
  },
  problems: {
    ...OPEN_READ,
    url: '/v1/problems',
    summary: 'Every error code with its meaning and remedy',
    success: { 200: json(schemas.problemListSchema) },
  },
  status: {
    ...OPEN_READ,
    url: '/v1/status',
    summary: 'Where this node and the ledger stand',
    success: { 200: json(schemas.nodeStatusSchema) },
  },
  genesis: {
    ...OPEN_READ,
    url: '/v1/genesis',
    summary: 'The document that the ledger began with',
    success: { 200: json(schemas.genesisSchema) },
  },
  validators: {
    ...OPEN_READ,
    url: '/v1/validators',
    summary: 'The validators, with every key that ever was one',
    success: { 200: json(schemas.validatorsSchema) },
  },
  parameters: {
    ...OPEN_READ,
    url: '/v1/parameters',
    summary: 'The parameters in force at the next height, and those scheduled',
    success: { 200: json(schemas.parametersSchema) },
  },
  evidence: {
    ...OPEN_READ,
    url: '/v1/evidence',
    summary: 'Validators that signed two different statements for one slot, the newest first',
    success: { 200: json(schemas.evidenceListSchema) },
  },
  submit: {
    method: 'POST',
    url: '/v1/transactions',
    summary: `Submits 1 to ${SUBMISSIONS_MAX} signed transactions with their attachments`,
    auth: 'open',
    params: NONE,
    query: closed({
      wait: Type.Optional(Type.Literal('committed', { description: 'answer when the outcome of each is final' })),
      timeoutMs: Type.Optional(
        Type.Integer({ minimum: 0, maximum: WAIT_MS_MAX, description: `longest wait; ${WAIT_MS_DEFAULT}` }),
      ),
    }),
    body: {
      [CBOR_TYPE]: Type.Unknown({
        description: 'array of [encoded transaction, attachment or null], both byte strings; deterministic CBOR',
      }),
      [JSON_TYPE]: schemas.submissionBodySchema,
    },
    bodyBytesMax: SUBMISSION_BODY_BYTES_MAX,
    success: { 200: json(schemas.submissionOutcomesSchema), 202: json(schemas.submissionOutcomesSchema) },
    problems: ['tooManyTransactions', 'notReady', ...REJECTION_CODES],
  },
  transaction: {
    method: 'GET',
    url: '/v1/transactions/{id}',
    summary: 'Status of a transaction',
    auth: 'open',
    params: closed({ id: schemas.hashText }),
    query: NONE,
    ...NO_BODY,
    success: { 200: json(schemas.transactionStatusSchema) },
    problems: ['beforeHistory'],
  },
  block: {
    method: 'GET',
    url: '/v1/blocks/{which}',
    summary: 'Header and commit certificate of a block, by height, hash, or `latest`',
    auth: 'open',
    params: closed({ which: Type.String({ pattern: '^([0-9]{1,15}|[0-9a-f]{64}|latest)$' }) }),
    query: NONE,
    ...NO_BODY,
    success: { 200: json(schemas.blockSchema), 304: null },
    problems: ['notFound', 'beforeHistory'],
  },
  blockTransaction: {
    method: 'GET',
    url: '/v1/blocks/{height}/transactions/{index}',
    summary: 'A committed transaction, for those it concerns',
    auth: 'signed',
    params: closed({
      height: Type.Integer({ minimum: 1 }),
      index: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    }),
    query: NONE,
    ...NO_BODY,
    success: { 200: json(schemas.blockTransactionSchema) },
    problems: ['notFound', 'notPermitted', 'beforeHistory'],
  },
  account: {
    method: 'GET',
    url: '/v1/accounts/{address}',
    summary: 'Role, organisation and public keys of an account',
    auth: 'signed',
    params: closed({ address: schemas.addressText }),
    query: NONE,
    ...NO_BODY,
    success: { 200: json(schemas.accountSchema) },
    problems: ['notFound'],
  },
  record: {
    method: 'GET',
    url: '/v1/records/{id}',
    summary: 'What the ledger holds of a record; for its author, patient and organisation',
    auth: 'signed',
    params: closed({ id: schemas.recordIdText }),
    query: closed({ version }),
    ...NO_BODY,
    success: { 200: json(schemas.recordSchema) },
    problems: ['notFound', 'notPermitted', 'beforeHistory'],
  },
  recordAttachment: {
    method: 'GET',
    url: '/v1/records/{id}/attachment',
    summary: 'Encrypted search fields and key wraps of a record; for its author, patient and organisation',
    auth: 'signed',
    params: closed({ id: schemas.recordIdText }),
    query: closed({ version }),
    ...NO_BODY,
    success: { 200: { [BYTES_TYPE]: Type.Unknown() } },
    problems: ['notFound', 'notHeld', 'notPermitted', 'beforeHistory'],
  },
  recordPayload: {
    method: 'GET',
    url: '/v1/records/{id}/payload',
    summary: 'Encrypted payload of a record; for its author, patient and organisation',
    auth: 'signed',
    params: closed({ id: schemas.recordIdText }),
    query: closed({ version }),
    ...NO_BODY,
    success: { 200: { [BYTES_TYPE]: Type.Unknown() } },
    problems: ['notFound', 'notHeld', 'notPermitted', 'beforeHistory'],
  },
  records: {
    method: 'GET',
    url: '/v1/records',
    summary: "Searches records: an organisation and its doctors their organisation's, a patient their own",
    auth: 'signed',
    params: NONE,
    query: closed({
      patient: Type.Optional(schemas.addressText),
      author: Type.Optional(schemas.addressText),
      organisation: Type.Optional(schemas.addressText),
      kind: searchText('kind of record'),
      code: searchText('system|code'),
      department: searchText('department'),
      region: searchText('region'),
      from: dateText('first encounter date, inclusive, ISO 8601'),
      to: dateText('last encounter date, inclusive, ISO 8601'),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: RECORDS_PAGE_MAX, description: `page size; ${RECORDS_PAGE_DEFAULT}` }),
      ),
      cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'from the page before' })),
    }),
    ...NO_BODY,
    success: { 200: json(schemas.recordPageSchema) },
    problems: ['notPermitted', 'notReady'],
  },
  putPayload: {
    method: 'PUT',
    url: '/v1/payloads/{cid}',
    summary: 'Stores an encrypted payload before the transaction that names it',
    auth: 'signed',
    params: closed({ cid: schemas.cidText }),
    query: NONE,
    body: { [BYTES_TYPE]: Type.Unknown() },
    bodyBytesMax: PAYLOAD_BYTES_MAX,
    success: { 204: null },
    problems: ['cidMismatch', 'storageFull', 'notReady'],
  },
  events: {
    method: 'GET',
    url: '/v1/events',
    summary: 'Committed blocks as server-sent events; Last-Event-ID resumes after that height',
    auth: 'open',
    params: NONE,
    query: NONE,
    ...NO_BODY,
    success: { 200: { 'text/event-stream': schemas.blockEventSchema } },
    problems: ['notAcceptable', 'tooManyStreams'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;

/**
 * Path and query of a call, each value percent-encoded; members that are undefined are left out. Throws a RangeError
 * when a path parameter is missing.
 */
export function endpointPath<E extends Endpoint>(
  endpoint: E,
  params: Readonly<Static<E['params']>>,
  query: Readonly<Static<E['query']>>,
): string {
  const path = endpoint.url.replace(/\{([a-z]+)\}/g, (_, name: string) => {
    const value = (params as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) throw new RangeError(`the parameter ${name} of ${endpoint.url} is missing`);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}
