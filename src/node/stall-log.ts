import type { Logger } from 'pino';
import { type ConsensusSources, consensusStatus } from './consensus-status.ts';

/** How often it is looked whether anything is committed. */
const LOOK_MS = 1_000;
/** How often a lasting stall is told again. */
const REPEAT_MS = 30_000;
/** So many timeouts of view 0 without a block, while transactions wait, are worth a line. */
const STALL_TIMEOUTS = 3;

/** The log of stalls of a node. */
export function makeStallLog(sources: ConsensusSources, log: Logger): StallLog {
  const { chain, mempool, watch } = sources;
  return new StallLog({
    viewTimeoutMs: () => chain.parameters.viewTimeoutMs,
    height: () => chain.tip.height,
    transactionsPending: () => mempool.size,
    lastCommitAgeMs: () => watch.lastCommitAgeMs,
    explanation: () => consensusStatus(sources).explanation,
    nowMs: () => performance.now(),
    log,
  });
}

/** What the log of stalls is read from. */
export interface StallLogSources {
  /** T0 of the ledger. */
  readonly viewTimeoutMs: () => number;
  readonly height: () => number;
  readonly transactionsPending: () => number;
  readonly lastCommitAgeMs: () => number | null;
  readonly explanation: () => readonly string[];
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Tells in the log that nothing commits and why, once and then now and again, and when commits go on. */
export class StallLog {
  readonly #sources: StallLogSources;
  #timer: NodeJS.Timeout | undefined;
  #waitingSinceMs: number | null = null;
  #toldMs: number | null = null;
  #stalledSinceMs = 0;

  constructor(sources: StallLogSources) {
    this.#sources = sources;
  }

  /** Looks from now on by itself. */
  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Looks once. */
  look(): void {
    const { viewTimeoutMs, height, transactionsPending, lastCommitAgeMs, explanation, nowMs, log } = this.#sources;
    const now = nowMs();
    const age = lastCommitAgeMs();
    const lastCommitMs = age === null ? Number.NEGATIVE_INFINITY : now - age;
    if (this.#toldMs !== null && lastCommitMs > this.#stalledSinceMs) {
      log.info({ height: height(), stalledMs: Math.round(lastCommitMs - this.#stalledSinceMs) }, 'commits go on');
      this.#toldMs = null;
    }
    if (transactionsPending() === 0) this.#waitingSinceMs = null;
    else this.#waitingSinceMs ??= now;
    if (this.#waitingSinceMs === null) return;
    const sinceMs = Math.max(this.#waitingSinceMs, lastCommitMs);
    if (now - sinceMs <= STALL_TIMEOUTS * viewTimeoutMs()) return;
    if (this.#toldMs !== null && now - this.#toldMs < REPEAT_MS) return;
    if (this.#toldMs === null) this.#stalledSinceMs = sinceMs;
    this.#toldMs = now;
    log.warn(
      {
        height: height(),
        pending: transactionsPending(),
        stalledMs: Math.round(now - this.#stalledSinceMs),
        explanation: explanation(),
      },
      'nothing commits',
    );
  }

  /** Ends it. */
  close(): void {
    clearInterval(this.#timer);
  }
}
