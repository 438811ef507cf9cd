import type { FastifyInstance } from 'fastify';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { ProblemError } from '../problem-response.ts';
import { routeOf } from '../route.ts';
import type { RouteContext } from './route-context.ts';

/** Probes of a supervisor; they are exempt from the rate limit. */
export function healthRoutes(app: FastifyInstance, { ports, auth }: RouteContext): void {
  const exempt = { config: { rateLimit: false as const } };
  app.route({
    ...routeOf('liveness', ENDPOINTS.liveness, auth),
    ...exempt,
    handler: async () => ({ live: true }),
  });
  app.route({
    ...routeOf('readiness', ENDPOINTS.readiness, auth),
    ...exempt,
    handler: async () => {
      const missing = ports.notReady();
      if (missing.length > 0) throw new ProblemError('notReady', `Missing: ${missing.join('; ')}.`);
      return { ready: true };
    },
  });
}
