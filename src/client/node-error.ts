import { Value } from 'typebox/value';
import { isProblemCode, type ProblemCode, REJECTION_CODES } from '../api/contract/problem.ts';
import { type Problem, problemSchema } from '../api/contract/schemas.ts';

/** The node refused a request; `code` is of the closed list at /v1/problems. */
export class NodeProblem extends Error {
  override readonly name = 'NodeProblem';
  readonly code: ProblemCode;
  readonly problem: Problem;
  /** How long to wait before the same request is worth repeating; undefined when the node does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ProblemCode, problem: Problem, retryAfterMs: number | undefined) {
    super(`${code}: ${problem.detail}`);
    this.code = code;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: the node is down, the address wrong, or the line cut. The request may have been carried out. */
export class NodeUnreachable extends Error {
  override readonly name = 'NodeUnreachable';
}

/** The answer is not of the contract: another program answers there, or a node of another version. */
export class NodeResponseError extends Error {
  override readonly name = 'NodeResponseError';

  constructor(fault: string) {
    super(`the answer of the node can not be used: ${fault}`);
  }
}

/** The error that a response with a status of 400 or more stands for. */
export async function problemOf(response: Response): Promise<NodeProblem | NodeResponseError> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!Value.Check(problemSchema, body) || !isProblemCode(body.code))
    return new NodeResponseError(`status ${response.status} without a problem of the closed list`);
  const retryAfter = response.headers.get('retry-after') ?? '';
  return new NodeProblem(body.code, body, /^[0-9]{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined);
}

/** The status that a refusal of a lone transaction stands for; null for any other error. */
export function rejectionOf(
  error: unknown,
): { readonly status: 'Rejected'; readonly code: string; readonly detail: string; readonly retryable: boolean } | null {
  if (!(error instanceof NodeProblem) || !REJECTION_CODES.some((code) => code === error.code)) return null;
  const { code, detail, retryable } = error.problem;
  return { status: 'Rejected', code, detail, retryable };
}

/** Throws the reason of an abort as it is, and everything else that fetch rejects with as NodeUnreachable. */
export function throwUnreachable(url: URL, cause: unknown, signal: AbortSignal | undefined): never {
  if (signal?.aborted) throw cause;
  throw new NodeUnreachable(`no answer from ${url.origin}: check that the node runs and the address is right`, {
    cause,
  });
}
