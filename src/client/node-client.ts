import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ENDPOINTS, type Endpoint, endpointPath, WAIT_MS_MAX } from '../api/contract/endpoints.ts';
import {
  type AccountView,
  accountSchema,
  type BlockEventView,
  type BlockTransactionView,
  type BlockView,
  blockEventSchema,
  blockSchema,
  blockTransactionSchema,
  type EvidenceListView,
  evidenceListSchema,
  genesisSchema,
  type NodeStatusView,
  nodeStatusSchema,
  type ParametersView,
  parametersSchema,
  type RecordPageView,
  type RecordView,
  recordPageSchema,
  recordSchema,
  submissionOutcomesSchema,
  type TransactionStatusView,
  transactionStatusSchema,
  type ValidatorsView,
  validatorsSchema,
} from '../api/contract/schemas.ts';
import { submissionListSchema } from '../api/contract/submission-list.ts';
import { formatCid, fromBase64url } from '../api/contract/text.ts';
import { toHex } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import { formatAddress } from '../crypto/address.ts';
import type { SignedTransaction } from './build-transaction.ts';
import { readEventStream } from './event-stream.ts';
import type { AccountIdentity } from './keys.ts';
import { NodeResponseError, problemOf, rejectionOf, throwUnreachable } from './node-error.ts';
import { signRequest } from './sign-request.ts';

/** How a node is reached, and as whom. */
export interface NodeClientOptions {
  /** Base URL of the node, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The ledger that the client means; a node of another refuses. */
  readonly genesisHash: Uint8Array;
  /** Signs the requests that are not open to all; null for one who only submits and looks at headers. */
  readonly identity: Pick<AccountIdentity, 'address' | 'signers'> | null;
}

/** The world around a client; the platform's own where absent. */
export interface NodeClientDependencies {
  readonly fetch?: typeof fetch;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs?: () => number;
}

/** What a search may ask for: the query of GET /v1/records. */
export type RecordSearch = Static<typeof ENDPOINTS.records.query>;

/**
 * One node over HTTP. Every method rejects with a NodeProblem (the node refused, with a code of its list), a
 * NodeUnreachable, or a NodeResponseError (the answer is not of the contract); an aborted signal rejects as fetch does.
 */
export interface NodeClient {
  readonly url: string;
  readonly genesisHash: Uint8Array;
  status(signal?: AbortSignal): Promise<NodeStatusView>;
  /** The validators, and every key that ever was one: hints, which `followValidators` proves. */
  validators(signal?: AbortSignal): Promise<ValidatorsView>;
  /** The parameters in force at the next height, and those scheduled. */
  parameters(signal?: AbortSignal): Promise<ParametersView>;
  /** Evidence against validators, the newest first. */
  evidence(signal?: AbortSignal): Promise<EvidenceListView>;
  /** Canonical bytes of the genesis document; check them with `trustedLedger`. */
  genesis(signal?: AbortSignal): Promise<Uint8Array>;
  /** Sends up to 1,000 transactions; one status for each, in order. `waitMs` > 0 waits that long (at most a minute) for commits. */
  submit(
    transactions: readonly SignedTransaction[],
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<readonly TransactionStatusView[]>;
  transactionStatus(txId: Uint8Array, signal?: AbortSignal): Promise<TransactionStatusView>;
  block(which: number | Uint8Array | 'latest', signal?: AbortSignal): Promise<BlockView>;
  blockTransaction(height: number, index: number, signal?: AbortSignal): Promise<BlockTransactionView>;
  account(address: Uint8Array, signal?: AbortSignal): Promise<AccountView>;
  record(recordId: Uint8Array, version?: number, signal?: AbortSignal): Promise<RecordView>;
  recordAttachment(recordId: Uint8Array, version?: number, signal?: AbortSignal): Promise<Uint8Array>;
  recordPayload(recordId: Uint8Array, version?: number, signal?: AbortSignal): Promise<Uint8Array>;
  records(search: RecordSearch, signal?: AbortSignal): Promise<RecordPageView>;
  putPayload(cid: Uint8Array, ciphertext: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Committed blocks after `afterHeight` (from now on when absent), until the signal aborts or the node hangs up.
   * Heights jump only where the node no longer has the blocks between.
   */
  events(afterHeight?: number, signal?: AbortSignal): AsyncGenerator<BlockEventView>;
}

/** A client of the node at `options.url`. Holds no connection and needs no closing. */
export function makeNodeClient(options: NodeClientOptions, dependencies: NodeClientDependencies = {}): NodeClient {
  const call = makeCaller(options, dependencies);
  const { url, genesisHash } = options;
  return {
    url,
    genesisHash,
    status: async (signal) => json(nodeStatusSchema, await call(ENDPOINTS.status, {}, {}, signal)),
    validators: async (signal) => json(validatorsSchema, await call(ENDPOINTS.validators, {}, {}, signal)),
    parameters: async (signal) => json(parametersSchema, await call(ENDPOINTS.parameters, {}, {}, signal)),
    evidence: async (signal) => json(evidenceListSchema, await call(ENDPOINTS.evidence, {}, {}, signal)),
    async genesis(signal) {
      const { document } = await json(genesisSchema, await call(ENDPOINTS.genesis, {}, {}, signal));
      return fromBase64url(document);
    },
    submit: (transactions, waitMs, signal) => submit(call, transactions, waitMs, signal),
    transactionStatus: async (txId, signal) =>
      json(transactionStatusSchema, await call(ENDPOINTS.transaction, { id: toHex(txId) }, {}, signal)),
    async block(which, signal) {
      const name = typeof which === 'object' ? toHex(which) : String(which);
      return json(blockSchema, await call(ENDPOINTS.block, { which: name }, {}, signal));
    },
    blockTransaction: async (height, index, signal) =>
      json(blockTransactionSchema, await call(ENDPOINTS.blockTransaction, { height, index }, {}, signal)),
    account: async (address, signal) =>
      json(accountSchema, await call(ENDPOINTS.account, { address: formatAddress(address) }, {}, signal)),
    record: async (recordId, version, signal) =>
      json(recordSchema, await call(ENDPOINTS.record, { id: toHex(recordId) }, versionQuery(version), signal)),
    recordAttachment: async (recordId, version, signal) =>
      bytes(await call(ENDPOINTS.recordAttachment, { id: toHex(recordId) }, versionQuery(version), signal)),
    recordPayload: async (recordId, version, signal) =>
      bytes(await call(ENDPOINTS.recordPayload, { id: toHex(recordId) }, versionQuery(version), signal)),
    records: async (search, signal) => json(recordPageSchema, await call(ENDPOINTS.records, {}, search, signal)),
    async putPayload(cid, ciphertext, signal) {
      const body = { mediaType: 'application/octet-stream', bytes: ciphertext };
      await call(ENDPOINTS.putPayload, { cid: formatCid(cid) }, {}, signal, { body });
    },
    events: (afterHeight, signal) => events(call, afterHeight, signal),
  };
}

interface CallExtras {
  readonly body?: { readonly mediaType: string; readonly bytes: Uint8Array };
  readonly headers?: Readonly<Record<string, string>>;
}

type Caller = <E extends Endpoint>(
  endpoint: E,
  params: Static<E['params']>,
  query: Static<E['query']>,
  signal: AbortSignal | undefined,
  extras?: CallExtras,
) => Promise<Response>;

/** Sends one request, signed where the contract asks for it. */
function makeCaller(options: NodeClientOptions, dependencies: NodeClientDependencies): Caller {
  const send = dependencies.fetch ?? fetch;
  const nowMs = dependencies.nowMs ?? Date.now;
  return async (endpoint, params, query, signal, extras = {}) => {
    const url = new URL(endpointPath(endpoint, params, query), options.url);
    const body = extras.body?.bytes ?? new Uint8Array(0);
    const { method } = endpoint;
    const headers: Record<string, string> = { 'medledger-genesis': toHex(options.genesisHash), ...extras.headers };
    if (extras.body !== undefined) headers['content-type'] = extras.body.mediaType;
    if (endpoint.auth === 'signed') {
      if (options.identity === null) throw new Error(`${method} ${endpoint.url} needs an identity that signs`);
      Object.assign(headers, signRequest(options.identity, options.genesisHash, { method, url, body }, nowMs()));
    }
    const response = await send(url, {
      method,
      headers,
      ...(extras.body !== undefined && { body: new Uint8Array(body) }),
      ...(signal !== undefined && { signal }),
    }).catch((cause: unknown) => throwUnreachable(url, cause, signal));
    if (!response.ok) throw await problemOf(response);
    return response;
  };
}

async function submit(
  call: Caller,
  transactions: readonly SignedTransaction[],
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly TransactionStatusView[]> {
  const body = { mediaType: 'application/cbor', bytes: encode(submissionListSchema, transactions) };
  const query = waitMs > 0 ? { wait: 'committed' as const, timeoutMs: Math.min(waitMs, WAIT_MS_MAX) } : {};
  try {
    const { outcomes } = await json(
      submissionOutcomesSchema,
      await call(ENDPOINTS.submit, {}, query, signal, { body }),
    );
    if (outcomes.length !== transactions.length) throw new NodeResponseError('it has not one outcome per transaction');
    return outcomes;
  } catch (error) {
    const [only] = transactions;
    const rejection = transactions.length === 1 && only !== undefined ? rejectionOf(error) : null;
    if (rejection === null || only === undefined) throw error;
    return [{ txId: toHex(only.txId), ...rejection }];
  }
}

async function* events(
  call: Caller,
  afterHeight: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<BlockEventView> {
  const headers = {
    accept: 'text/event-stream',
    ...(afterHeight !== undefined && { 'last-event-id': String(afterHeight) }),
  };
  const response = await call(ENDPOINTS.events, {}, {}, signal, { headers });
  if (response.body === null) throw new NodeResponseError('an event stream without a body');
  for await (const { event, data } of readEventStream(response.body)) {
    if (event === 'block') yield checked(blockEventSchema, JSON.parse(data));
  }
}

function versionQuery(version: number | undefined): { readonly version?: number } {
  return version === undefined ? {} : { version };
}

async function json<S extends TSchema>(schema: S, response: Response): Promise<Static<S>> {
  return checked(schema, await response.json());
}

async function bytes(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

/** The node may be anybody: what it says is checked against the contract before it is believed to have that form. */
function checked<S extends TSchema>(schema: S, value: unknown): Static<S> {
  if (!Value.Check(schema, value)) throw new NodeResponseError('it is not in the form of the contract');
  return value;
}
