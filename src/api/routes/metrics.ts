import type { FastifyInstance } from 'fastify';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { routeOf } from '../route.ts';
import type { RouteContext } from './route-context.ts';

/** Measurements, on the operator's listener alone. */
export function metricsRoutes(app: FastifyInstance, { ports, auth }: RouteContext): void {
  app.route({
    ...routeOf('metrics', ENDPOINTS.metrics, auth),
    handler: async (_, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await ports.metrics()),
  });
}
