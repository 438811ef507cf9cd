import type { FastifyInstance } from 'fastify';
import { toHex } from '../../codec/bytes.ts';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { PROBLEMS } from '../contract/problem.ts';
import { toBase64url } from '../contract/text.ts';
import { routeOf } from '../route.ts';
import { nodeStatusView } from '../views.ts';
import type { RouteContext } from './route-context.ts';

/** What anybody may know of the node, its ledger and this interface. */
export function statusRoutes(app: FastifyInstance, { ports, auth }: RouteContext): void {
  app.route({
    ...routeOf('status', ENDPOINTS.status, auth),
    handler: async () => {
      const evidence = (await ports.evidence()).length;
      return nodeStatusView(ports.status(), ports.consensus(), evidence, ports.notReady().length === 0);
    },
  });
  app.route({
    ...routeOf('genesis', ENDPOINTS.genesis, auth),
    handler: async () => ({ genesisHash: toHex(ports.genesisHash), document: toBase64url(ports.genesisDocument) }),
  });
  app.route({
    ...routeOf('problems', ENDPOINTS.problems, auth),
    handler: async () => ({
      problems: Object.entries(PROBLEMS).map(([code, { status, meaning, remedy, retryable }]) => ({
        code,
        status,
        meaning,
        remedy,
        retryable,
      })),
    }),
  });
  app.get('/v1/openapi.json', { schema: { hide: true, querystring: ENDPOINTS.status.query } }, async () =>
    app.swagger(),
  );
}
