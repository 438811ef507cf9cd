import { createHash } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { fromHex, toHex } from '../../codec/bytes.ts';
import { isRecordVersion } from '../../ledger/action.ts';
import { type DecodedTransaction, decodeTransaction } from '../../ledger/transaction.ts';
import type { NodePorts } from '../../node/ports.ts';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { toBase64url } from '../contract/text.ts';
import { checkParty } from '../party.ts';
import { ProblemError } from '../problem-response.ts';
import { type Caller, callerOfRequest } from '../request-auth.ts';
import { routeOf } from '../route.ts';
import { blockView } from '../views.ts';
import type { RouteContext } from './route-context.ts';

/** Headers with their certificates for everybody; transactions for those they concern. */
export function blockRoutes(scope: FastifyInstance, { ports, auth }: RouteContext): void {
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  app.route({
    ...routeOf('block', ENDPOINTS.block, auth),
    handler: async (request, reply) => {
      const { which } = request.params;
      const block = await ports.block(blockName(which));
      if (block === undefined) throw await missingBlock(ports, blockName(which));
      const body = JSON.stringify(blockView(block));
      // Over the body, not the block hash: certificates of one block differ between honest nodes.
      const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
      reply.header('etag', etag);
      // A port that served another ledger before must not be taken for it.
      reply.header('vary', 'medledger-genesis');
      reply.header('cache-control', which === 'latest' ? 'no-cache' : 'public, max-age=31536000, immutable');
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return reply.type('application/json; charset=utf-8').send(body);
    },
  });
  app.route({
    ...routeOf('blockTransaction', ENDPOINTS.blockTransaction, auth),
    handler: async (request) => {
      const { height, index } = request.params;
      const encoded = (await ports.block(height))?.transactions[index];
      if (encoded === undefined) throw await missingBlock(ports, height);
      const decoded = decodeTransaction(ports.genesisHashAt(height), encoded);
      await checkConcerned(ports, callerOfRequest(request), decoded);
      return { height, index, txId: toHex(decoded.txId), encoded: toBase64url(encoded) };
    },
  });
}

function blockName(which: string): number | Uint8Array | 'latest' {
  if (which === 'latest') return which;
  return which.length === 64 ? fromHex(which) : Number(which);
}

async function missingBlock(ports: NodePorts, which: number | Uint8Array | 'latest'): Promise<ProblemError> {
  if (which === 'latest' || !(await ports.isBeforeHistory(which))) return new ProblemError('notFound');
  return new ProblemError('beforeHistory', `This node holds blocks from height ${ports.status().historyFrom} on.`);
}

function matchesEtag(header = '', etag: string): boolean {
  return header.split(',').some((part) => part.trim() === etag || part.trim() === '*');
}

/** Accounts and validators are known to all members; what links a patient to anybody is for the parties alone. */
async function checkConcerned(ports: NodePorts, caller: Caller, { transaction }: DecodedTransaction): Promise<void> {
  const { action } = transaction;
  if (!isRecordVersion(action)) return;
  if (action.kind === 'record.create') return checkParty(caller, action);
  const record = await ports.record(action.recordId);
  if (record === undefined) throw new ProblemError('notFound');
  checkParty(caller, record);
}
