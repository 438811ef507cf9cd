import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { parseCid } from '../contract/text.ts';
import { ProblemError } from '../problem-response.ts';
import { routeOf } from '../route.ts';
import type { RouteContext } from './route-context.ts';

/** Encrypted payloads, put before the transaction that names them. */
export function payloadRoutes(scope: FastifyInstance, { ports, auth }: RouteContext): void {
  scope.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (_: unknown, body: Buffer) => body,
  );
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  app.route({
    ...routeOf('putPayload', ENDPOINTS.putPayload, auth),
    handler: async (request, reply) => {
      const cid = cidParameter(request.params.cid);
      const body: unknown = request.body;
      if (!(body instanceof Uint8Array) || body.length === 0)
        throw new ProblemError('malformedRequest', 'The body is empty.');
      const missing = ports.notReady();
      if (missing.length > 0) throw new ProblemError('notReady', `Missing: ${missing.join('; ')}.`);
      const outcome = await ports.putPayload(cid, body);
      if (outcome === 'cidMismatch') throw new ProblemError('cidMismatch');
      if (outcome === 'full') throw new ProblemError('storageFull');
      return reply.code(204).send();
    },
  });
}

function cidParameter(text: string): Uint8Array {
  try {
    return parseCid(text);
  } catch {
    throw new ProblemError('badParameter', 'cid is not a CIDv1 by SHA-256 of a raw or dag-pb block.');
  }
}
