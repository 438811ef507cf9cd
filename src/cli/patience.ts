import { NodeProblem, NodeUnreachable } from '../client/node-error.ts';
import { OperatorError } from '../node/operator-error.ts';

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5_000;

/**
 * How long one waits for a node that does not get on: every step forward starts the wait anew, and at its end
 * everything that listens to `signal` is given up with an OperatorError that says what the node said last.
 */
export class Patience {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #waitMs: number;
  readonly #remedy: string;
  #timer: NodeJS.Timeout;
  #lastReason = 'it did not answer';

  /** `remedy`: what the operator does once it is over. */
  constructor(waitMs: number, remedy: string) {
    this.#waitMs = waitMs;
    this.#remedy = remedy;
    this.signal = this.#controller.signal;
    this.#timer = this.#wait();
  }

  /** Something got on. */
  advanced(): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = this.#wait();
  }

  /** What `submitUntilFinal` reports of `what`, such as transactions: fewer open ones are a step forward. */
  watch(what: string): { readonly signal: AbortSignal; readonly onRetry: (open: number, reason: string) => void } {
    let openBefore = Number.POSITIVE_INFINITY;
    return {
      signal: this.signal,
      onRetry: (open, reason) => {
        if (open < openBefore && openBefore !== Number.POSITIVE_INFINITY) this.advanced();
        openBefore = open;
        this.retrying(`${open} ${what} open, ${reason}`);
      },
    };
  }

  /** Something has to be tried again, and why. */
  retrying(reason: string): void {
    this.#lastReason = reason.replace(/\.$/, '');
  }

  /** Gives everything up for another reason; the first one counts. */
  giveUp(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#controller.abort(reason);
  }

  /** Stops waiting. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** Does `request` until the node answers; rejects when it refuses for good, or patience is over. */
  async untilAnswered<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      try {
        return await request(this.signal);
      } catch (error) {
        const afterMs = retryAfterMs(error);
        if (afterMs === undefined || this.signal.aborted) throw error;
        this.retrying((error as Error).message);
        await this.#pause(Math.max(afterMs, pauseMs * (0.5 + Math.random())));
      }
    }
  }

  #wait(): NodeJS.Timeout {
    return setTimeout(() => {
      const seconds = Math.round(this.#waitMs / 1000);
      const fault = `The node did not get on for ${seconds} seconds: ${this.#lastReason}.`;
      this.#controller.abort(new OperatorError(`${fault} ${this.#remedy}`));
    }, this.#waitMs);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        clearTimeout(timer);
        reject(this.signal.reason);
      };
      const timer = setTimeout(() => {
        this.signal.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      if (this.signal.aborted) onAbort();
      else this.signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** How long to wait before asking again; undefined when asking again would not help. */
function retryAfterMs(error: unknown): number | undefined {
  if (error instanceof NodeUnreachable) return 0;
  if (error instanceof NodeProblem && error.problem.retryable) return error.retryAfterMs ?? 0;
  return undefined;
}
