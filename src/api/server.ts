import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import swagger from '@fastify/swagger';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { NodePorts } from '../node/ports.ts';
import { problemSchema } from './contract/schemas.ts';
import { openApiInfo } from './openapi-info.ts';
import { answerError, answerUnreadable, ProblemError } from './problem-response.ts';
import { checkLedger, makeRequestAuth } from './request-auth.ts';
import { PROBLEM_SCHEMA_ID } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { blockRoutes } from './routes/blocks.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { payloadRoutes } from './routes/payloads.ts';
import { recordRoutes } from './routes/records.ts';
import type { RouteContext } from './routes/route-context.ts';
import { statusRoutes } from './routes/status.ts';
import { transactionRoutes } from './routes/transactions.ts';
import { validatorRoutes } from './routes/validators.ts';

/** Limits and names of the HTTP interface. */
export interface ApiOptions {
  /**
   * Host names with port (without it where it is the scheme's own) under which clients address this node, beside the
   * addresses that it listens on. A signed request for any other is refused.
   */
  readonly authorities: readonly string[];
  /** Requests from one client address in one window; more are answered with 429. */
  readonly requestsPerWindow: number;
  readonly windowMs: number;
  /** Event streams open at a time. */
  readonly eventStreamsMax: number;
  /** Whether a proxy in front is trusted to name the client's address (X-Forwarded-For). */
  readonly trustProxy: boolean;
}

/** Options of an interface that is not told otherwise. */
export const DEFAULT_API_OPTIONS: ApiOptions = {
  authorities: [],
  requestsPerWindow: 1200,
  windowMs: 10_000,
  eventStreamsMax: 64,
  trustProxy: false,
};

/** What the HTTP interface works with. */
export interface ApiDependencies {
  readonly ports: NodePorts;
  /** A pino logger; gets request ids, routes and outcomes, never bodies, queries or messages of parsers. */
  readonly logger: FastifyBaseLogger;
  /** Milliseconds since the Unix epoch; the system's clock when absent. */
  readonly nowMs?: () => number;
}

/** Most time that a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADER_PATH_CHARS_MAX = 128;

/**
 * The public HTTP interface, not yet listening. Closing it ends event streams and waits for commits first.
 */
export async function buildApi(options: ApiOptions, dependencies: ApiDependencies): Promise<FastifyInstance> {
  const app = makeApp(options, dependencies);
  const { ports } = dependencies;
  const auth = makeRequestAuth(ports, {
    authorities: () => new Set([...options.authorities.map((name) => name.toLowerCase()), ...listeningOn(app)]),
    nowMs: dependencies.nowMs ?? Date.now,
  });
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  const context: RouteContext = { ports, auth, closing: closing.signal, eventStreamsMax: options.eventStreamsMax };

  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => checkLedger(ports, request));
  await app.register(swagger, openApiInfo);
  await app.register(rateLimit, {
    max: options.requestsPerWindow,
    timeWindow: options.windowMs,
    errorResponseBuilder: () => new ProblemError('rateLimited'),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, async () => {
    throw new ProblemError('unknownPath');
  });
  await app.register(fastifySSE);
  const families = [
    healthRoutes,
    statusRoutes,
    transactionRoutes,
    blockRoutes,
    accountRoutes,
    validatorRoutes,
    recordRoutes,
    payloadRoutes,
    eventRoutes,
  ];
  for (const family of families) await app.register(async (scope) => family(scope, context));
  return app;
}

/** The operator's interface, not yet listening: metrics and health. It belongs on a loopback or management address. */
export async function buildOperatorApi(dependencies: ApiDependencies): Promise<FastifyInstance> {
  const app = makeApp(DEFAULT_API_OPTIONS, dependencies);
  const { ports } = dependencies;
  const auth = makeRequestAuth(ports, { authorities: () => new Set(), nowMs: Date.now });
  const context: RouteContext = { ports, auth, closing: new AbortController().signal, eventStreamsMax: 0 };
  app.setNotFoundHandler(async () => {
    throw new ProblemError('unknownPath');
  });
  for (const family of [healthRoutes, metricsRoutes]) await app.register(async (scope) => family(scope, context));
  return app;
}

/** Where to listen; port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Both interfaces, listening. */
export interface RunningApi {
  /** Base URL of the public interface. */
  readonly url: string;
  /** Base URL of the operator's interface; null when it was not asked for. */
  readonly operatorUrl: string | null;
  /** Ends streams and waits, answers what is under way, and stops listening. */
  close(): Promise<void>;
}

/** Starts the public interface and, where an address is given, the operator's. Rejects when an address is taken. */
export async function startApi(
  options: ApiOptions & { readonly listen: ListenAddress; readonly operatorListen: ListenAddress | null },
  dependencies: ApiDependencies,
): Promise<RunningApi> {
  const app = await buildApi(options, dependencies);
  const operator = options.operatorListen === null ? null : await buildOperatorApi(dependencies);
  const close = async () => {
    await Promise.all([app.close(), operator?.close()]);
  };
  try {
    const url = await app.listen({ ...options.listen });
    const operatorUrl =
      operator === null || options.operatorListen === null
        ? null
        : await operator.listen({ ...options.operatorListen });
    return { url, operatorUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function makeApp(options: ApiOptions, { logger }: ApiDependencies): FastifyInstance {
  const app = Fastify({
    loggerInstance: logger,
    // Fastify's own request lines hold the URL, and with it diagnoses searched for.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: options.trustProxy,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: HEADER_PATH_CHARS_MAX },
    frameworkErrors: answerError,
    clientErrorHandler: answerUnreadable,
  });
  app.removeAllContentTypeParsers();
  app.addSchema({ ...problemSchema, $id: PROBLEM_SCHEMA_ID });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Views are built member by member; the schemas of responses are for the document and the tests.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(answerError);
  app.addHook('onSend', async (_, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const durationMs = Math.round(reply.elapsedTime);
    request.log.debug({ method: request.method, route, status: reply.statusCode, durationMs }, 'request answered');
  });
  return app;
}

/** The authorities of the addresses that a server is bound to; `localhost` for those that include loopback. */
function listeningOn(app: FastifyInstance): string[] {
  const bound = app.addresses().filter((address) => typeof address !== 'string');
  return bound.flatMap(({ address, port, family }) => {
    const host = family === 'IPv6' ? `[${address}]` : address;
    const reachesLoopback = ['127.0.0.1', '0.0.0.0', '::1', '::'].includes(address);
    const hosts = reachesLoopback ? [host, 'localhost', '127.0.0.1'] : [host];
    return hosts.map((name) => (port === 80 ? name : `${name}:${port}`));
  });
}
