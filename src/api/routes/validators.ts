import type { FastifyInstance } from 'fastify';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { routeOf } from '../route.ts';
import { evidenceListView, parametersView, validatorsView } from '../views.ts';
import type { RouteContext } from './route-context.ts';

/** Who agrees on the ledger and by what parameters, and what is held against whom. */
export function validatorRoutes(app: FastifyInstance, { ports, auth }: RouteContext): void {
  app.route({
    ...routeOf('validators', ENDPOINTS.validators, auth),
    handler: async () => validatorsView(ports.status().height + 1, await ports.validators()),
  });
  app.route({
    ...routeOf('parameters', ENDPOINTS.parameters, auth),
    handler: async () => parametersView(ports.parameters(), ports.status().updateBefore),
  });
  app.route({
    ...routeOf('evidence', ENDPOINTS.evidence, auth),
    handler: async () => evidenceListView(await ports.evidence()),
  });
}
