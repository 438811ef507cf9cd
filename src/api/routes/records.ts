import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { equalBytes, fromHex } from '../../codec/bytes.ts';
import { isRecordVersion, type RecordAmend, type RecordCreate } from '../../ledger/action.ts';
import type { AttachmentReference } from '../../ledger/transaction.ts';
import { type NodePorts, type RecordQuery, RecordQueryError, type StoredRecord } from '../../node/ports.ts';
import { ENDPOINTS, RECORDS_PAGE_DEFAULT } from '../contract/endpoints.ts';
import { parseAddressParameter } from '../parameters.ts';
import { checkParty } from '../party.ts';
import { ProblemError } from '../problem-response.ts';
import { type Caller, callerOfRequest } from '../request-auth.ts';
import { routeOf } from '../route.ts';
import { recordPageView, recordView } from '../views.ts';
import type { RouteContext } from './route-context.ts';

/** Records: what the ledger holds of them, their sealed parts, and searches. */
export function recordRoutes(scope: FastifyInstance, { ports, auth }: RouteContext): void {
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  app.route({
    ...routeOf('record', ENDPOINTS.record, auth),
    handler: async (request) => {
      const found = await findRecord(ports, callerOfRequest(request), request.params.id, request.query.version);
      return recordView(found.record, found.action, found.attachment);
    },
  });
  app.route({
    ...routeOf('recordAttachment', ENDPOINTS.recordAttachment, auth),
    handler: async (request, reply) => {
      const found = await findRecord(ports, callerOfRequest(request), request.params.id, request.query.version);
      if (found.attachment === null) throw new ProblemError('notFound', 'The record has no attachment.');
      const attachment = await ports.attachment(found.attachment.hash);
      if (attachment === undefined) throw new ProblemError('notHeld');
      return reply.type('application/octet-stream').send(asBuffer(attachment));
    },
  });
  app.route({
    ...routeOf('recordPayload', ENDPOINTS.recordPayload, auth),
    handler: async (request, reply) => {
      const found = await findRecord(ports, callerOfRequest(request), request.params.id, request.query.version);
      const payload = await ports.payload(found.action.payload.cid);
      if (payload === undefined) throw new ProblemError('notHeld');
      return reply.type('application/octet-stream').send(asBuffer(payload));
    },
  });
  app.route({
    ...routeOf('records', ENDPOINTS.records, auth),
    handler: async (request) => {
      const query = permittedQuery(ports, callerOfRequest(request), readQuery(request.query));
      return recordPageView(await ports.queryRecords(query).catch(throwQueryProblem));
    },
  });
}

interface FoundRecord {
  readonly record: StoredRecord;
  readonly action: RecordCreate | RecordAmend;
  readonly attachment: AttachmentReference | null;
}

async function findRecord(
  ports: NodePorts,
  caller: Caller,
  id: string,
  version: number | undefined,
): Promise<FoundRecord> {
  const recordId = fromHex(id);
  const record = await ports.record(recordId, version);
  if (record === undefined) throw await missingVersion(ports, caller, recordId, version);
  checkParty(caller, record);
  const found = await ports.transaction(record.txId);
  if (found === undefined) throw await missingTransaction(ports, record.height);
  const { action, attachment } = found.decoded.transaction;
  if (!isRecordVersion(action)) throw new Error(`the index names a ${action.kind} as the source of a record`);
  return { record, action, attachment };
}

/** An older version may well exist where the blocks of its time are not here. */
async function missingVersion(ports: NodePorts, caller: Caller, recordId: Uint8Array, version: number | undefined) {
  const newest = version === undefined ? undefined : await ports.record(recordId);
  const { historyFrom } = ports.status();
  if (newest === undefined || version === undefined || version > newest.version || historyFrom === 1)
    return new ProblemError('notFound');
  checkParty(caller, newest);
  return new ProblemError('beforeHistory', `Version ${version} is older than the block of height ${historyFrom}.`);
}

async function missingTransaction(ports: NodePorts, height: number): Promise<ProblemError> {
  return (await ports.isBeforeHistory(height))
    ? new ProblemError('beforeHistory', `The transaction of this version stands in block ${height}.`)
    : new ProblemError('notHeld', 'The transaction of this version is not on this node.');
}

function readQuery(query: Static<typeof ENDPOINTS.records.query>): RecordQuery {
  const { patient, author, organisation, limit, ...texts } = query;
  return {
    ...texts,
    ...(patient !== undefined && { patient: parseAddressParameter('patient', patient) }),
    ...(author !== undefined && { author: parseAddressParameter('author', author) }),
    ...(organisation !== undefined && { organisation: parseAddressParameter('organisation', organisation) }),
    limit: limit ?? RECORDS_PAGE_DEFAULT,
  };
}

/**
 * The query narrowed to what the caller may search: this node's organisation and its doctors the organisation's own
 * records, a patient their own. Throws `notPermitted` for anything beyond.
 */
function permittedQuery(ports: NodePorts, { address, account }: Caller, query: RecordQuery): RecordQuery {
  if (account.role === 'patient') {
    if (query.patient === undefined || !equalBytes(query.patient, address))
      throw new ProblemError('notPermitted', 'A patient searches with patient= their own address.');
    return query;
  }
  const own = ports.status().organisation.address;
  const isMember =
    (account.role === 'organisation' && equalBytes(address, own)) ||
    (account.role === 'doctor' && equalBytes(account.organisation, own));
  if (!isMember) throw new ProblemError('notPermitted', "Only this node's organisation and its doctors search here.");
  if (query.organisation !== undefined && !equalBytes(query.organisation, own))
    throw new ProblemError('notPermitted', 'Search the records of another organisation at its own node.');
  return { ...query, organisation: own };
}

function throwQueryProblem(error: unknown): never {
  if (!(error instanceof RecordQueryError)) throw error;
  throw new ProblemError(error.kind === 'busy' ? 'notReady' : 'badParameter', error.message);
}

/** The same bytes as the type that Fastify sends as they are. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
