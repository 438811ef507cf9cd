import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_MEDIA_TYPE, type ProblemCode, problemDocument } from './contract/problem.ts';

/** How long a client should wait before it repeats a request that met a 503, in seconds. */
const RETRY_AFTER_SECONDS = 2;

/** An error with a code of the closed list; thrown in hooks and handlers, answered as problem+json. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly retryable: boolean | undefined;

  /** `detail` says what happened to this request; it reaches the client, so nothing clinical stands in it. */
  constructor(code: ProblemCode, detail = '', retryable?: boolean) {
    super(detail);
    this.code = code;
    this.retryable = retryable;
  }
}

/** Answers any error thrown under a request; what is not of the request's making is logged and answered with 500. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = error instanceof ProblemError ? error : problemOf(error as Partial<FastifyError>);
  if (problem.code === 'internal') request.log.error(traceOf(error), 'request failed');
  const body = problemDocument(problem.code, problem.message, request.id, problem.retryable);
  if (body.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  if (body.status === 401) reply.header('www-authenticate', 'Signature');
  return reply.code(body.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(body));
}

/** Answers what Node could not even read as a request, then hangs up. */
export function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = UNREADABLE.get(error.code ?? '') ?? 'malformedRequest';
  const body = problemDocument(code, '', 'none');
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${body.status} Refused`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

const UNREADABLE: ReadonlyMap<string, ProblemCode> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'requestTimeout'],
  ['HPE_HEADER_OVERFLOW', 'headersTooLarge'],
]);

const BY_FRAMEWORK_CODE: ReadonlyMap<string, ProblemCode> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'bodyTooLarge'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupportedMediaType'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'badParameter'],
]);

/** The problem that an error of the framework stands for. Its own words are not passed on: they may quote the body. */
function problemOf(error: Partial<FastifyError>): ProblemError {
  if (error.validation !== undefined) return validationProblem(error.validation, error.validationContext);
  const known = BY_FRAMEWORK_CODE.get(error.code ?? '');
  if (known !== undefined) return new ProblemError(known);
  const status = error.statusCode ?? 500;
  return new ProblemError(status >= 400 && status < 500 ? 'malformedRequest' : 'internal');
}

function validationProblem(
  faults: NonNullable<FastifyError['validation']>,
  part: FastifyError['validationContext'],
): ProblemError {
  const fault = faults[0];
  const isSurplus = fault?.keyword === 'additionalProperties' || fault?.keyword === 'boolean';
  // The last part of the place of a surplus member is the client's own word.
  const place = (fault?.instancePath ?? '').slice(1).replace(isSurplus && part === 'body' ? /\/?[^/]*$/ : /$^/, '');
  if (part === 'body') return new ProblemError('malformedRequest', place === '' ? '' : `The fault is at ${place}.`);
  if (isSurplus && part === 'querystring')
    return new ProblemError('unknownParameter', /^[A-Za-z]{1,32}$/.test(place) ? `It is ${place}.` : '');
  return new ProblemError('badParameter', place === '' ? '' : `The fault is in ${place}.`);
}

/** Where an unexpected error arose. Its message stays out of the log: it may quote what a client sent. */
function traceOf(error: unknown): { readonly error: string; readonly stack: readonly string[] } {
  if (!(error instanceof Error)) return { error: typeof error, stack: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: frames.map((line) => line.trim()) };
}
