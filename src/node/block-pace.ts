/** Shortest and longest time that executing the transactions of a block we build may take, milliseconds. */
const BUDGET_MS_MIN = 15;
const BUDGET_MS_MAX = 250;
const BUDGET_MS_START = 60;
/** A block that takes more than this share of view 0's timeout, from its proposal to its commit, is a slow one. */
const SLOW_SHARE = 0.5;
/** What a block does to the budget: slow, so slow that its view may have been lost, full and quick. */
const SHRINK = 0.75;
const SHRINK_AT_TIMEOUT = 0.5;
const GROW = 1.2;

/**
 * How much a primary puts into its blocks: as much as the network decides well within a view, found by trial. On busy
 * machines blocks get smaller and not slower, so that no view is lost to the timer. Slow blocks of others teach as well
 * as our own, for all validators work on every block; that there is room for more only our own say, for we know whether
 * they were full. The proposer's policy alone; no rule of validity depends on it.
 */
export class BlockPace {
  readonly #viewTimeoutMs: () => number;
  #budgetMs = BUDGET_MS_START;
  /** The first proposal of the newest height. */
  #proposed: { readonly height: number; readonly atMs: number; readonly isOursAndFull: boolean } | undefined;

  /** `viewTimeoutMs` is that of view 0, as it is in force at the time. */
  constructor(viewTimeoutMs: () => number) {
    this.#viewTimeoutMs = viewTimeoutMs;
  }

  /** How long executing the transactions of the next block may take. */
  get budgetMs(): number {
    return this.#budgetMs;
  }

  /** We began to build block `height` at `atMs`; `isFull` when more waited than went in. */
  built(height: number, atMs: number, isFull: boolean): void {
    this.#begin(height, atMs, isFull);
  }

  /** The proposal of another for `height` came at `atMs`. */
  received(height: number, atMs: number): void {
    this.#begin(height, atMs, false);
  }

  /** Block `height` was committed at `atMs`. */
  committed(height: number, atMs: number): void {
    const proposed = this.#proposed;
    if (proposed?.height !== height) return;
    const tookMs = atMs - proposed.atMs;
    const viewTimeoutMs = this.#viewTimeoutMs();
    if (tookMs > viewTimeoutMs) this.#change(SHRINK_AT_TIMEOUT);
    else if (tookMs > SLOW_SHARE * viewTimeoutMs) this.#change(SHRINK);
    else if (proposed.isOursAndFull) this.#change(GROW);
  }

  #begin(height: number, atMs: number, isOursAndFull: boolean): void {
    if (this.#proposed?.height !== height) this.#proposed = { height, atMs, isOursAndFull };
  }

  #change(factor: number): void {
    this.#budgetMs = Math.min(BUDGET_MS_MAX, Math.max(BUDGET_MS_MIN, this.#budgetMs * factor));
  }
}
