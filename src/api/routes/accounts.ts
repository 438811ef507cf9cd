import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { ENDPOINTS } from '../contract/endpoints.ts';
import { parseAddressParameter } from '../parameters.ts';
import { ProblemError } from '../problem-response.ts';
import { routeOf } from '../route.ts';
import { accountView } from '../views.ts';
import type { RouteContext } from './route-context.ts';

/** Accounts: what one needs to seal to somebody and to check their signatures. */
export function accountRoutes(scope: FastifyInstance, { ports, auth }: RouteContext): void {
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  app.route({
    ...routeOf('account', ENDPOINTS.account, auth),
    handler: async (request) => {
      const address = parseAddressParameter('address', request.params.address);
      const account = ports.account(address);
      if (account === undefined) throw new ProblemError('notFound');
      return accountView(address, account);
    },
  });
}
