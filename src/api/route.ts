import type { FastifyReply, FastifyRequest, FastifySchema, RouteShorthandOptions } from 'fastify';
import { COMMON_PROBLEMS, type Content, type Endpoint, SIGNATURE_PROBLEMS } from './contract/endpoints.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEMS, type ProblemCode } from './contract/problem.ts';
import type { RequestAuth } from './request-auth.ts';

/** Name under which the schema of problems stands in the OpenAPI document. */
export const PROBLEM_SCHEMA_ID = 'Problem';

interface RouteOptions<E extends Endpoint> extends Omit<RouteShorthandOptions, 'schema' | 'handler'> {
  method: E['method'];
  url: string;
  schema: FastifySchema & { params: E['params']; querystring: E['query'] };
}

/** The Fastify route options of an endpoint of the contract: all but the handler. */
export function routeOf<E extends Endpoint>(name: string, endpoint: E, auth: RequestAuth): RouteOptions<E> {
  const isSigned = endpoint.auth === 'signed';
  return {
    method: endpoint.method,
    url: endpoint.url.replace(/\{([a-z]+)\}/g, ':$1'),
    // Fastify takes no limit of zero; an endpoint without a body has no parser for one either.
    bodyLimit: Math.max(1, endpoint.bodyBytesMax),
    schema: schemaOf(name, endpoint),
    ...(isSigned && {
      preParsing: (request: FastifyRequest) => auth.signature(request),
      preValidation: (request: FastifyRequest, reply: FastifyReply) => auth.digest(request, reply),
    }),
  };
}

function schemaOf<E extends Endpoint>(name: string, endpoint: E): RouteOptions<E>['schema'] {
  const isSigned = endpoint.auth === 'signed';
  const codes = [...COMMON_PROBLEMS, ...(isSigned ? SIGNATURE_PROBLEMS : []), ...endpoint.problems];
  return {
    operationId: name,
    summary: endpoint.summary,
    ...(isSigned && { security: [{ messageSignature: [] }] }),
    params: endpoint.params,
    querystring: endpoint.query,
    ...(endpoint.body !== null && { body: { content: mediaTypes(endpoint.body) } }),
    response: { ...successResponses(endpoint), ...problemResponses(codes) },
  };
}

function successResponses(endpoint: Endpoint): Record<string, unknown> {
  const responses: Record<string, unknown> = {};
  for (const [status, content] of Object.entries(endpoint.success)) {
    responses[status] =
      content === null
        ? { description: 'No content', type: 'null' }
        : { description: 'Success', content: mediaTypes(content) };
  }
  return responses;
}

/** One response for each HTTP status, its description the codes that come with it. */
function problemResponses(codes: readonly ProblemCode[]): Record<string, unknown> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses: Record<string, unknown> = {};
  for (const [status, names] of [...byStatus].sort(([a], [b]) => a - b)) {
    responses[status] = {
      description: names.join(', '),
      content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: `${PROBLEM_SCHEMA_ID}#` } } },
    };
  }
  return responses;
}

function mediaTypes(content: Content): Record<string, { schema: unknown }> {
  return Object.fromEntries(Object.entries(content).map(([mediaType, schema]) => [mediaType, { schema }]));
}
