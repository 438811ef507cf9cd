/** Shortest and longest time that executing the transactions of a block we build may take, milliseconds. */
const BUDGET_MS_MIN = 60;
const BUDGET_MS_MAX = 250;
/** A block that takes more than this share of view 0's timeout from building to its commit is followed by a smaller one. */
const SHARE_OF_TIMEOUT = 0.6;
const SHRINK = 0.75;
const GROW = 1.2;

/**
 * How much a primary puts into its blocks: as much as the network decides well within a view, found by trial. On busy
 * machines blocks get smaller and not slower, so that no view is lost to the timer. The proposer's policy alone; no
 * rule of validity depends on it.
 */
export class BlockPace {
  readonly #targetMs: number;
  #budgetMs = BUDGET_MS_MAX / 2;
  #built: { readonly height: number; readonly atMs: number; readonly isFull: boolean } | undefined;

  /** `viewTimeoutMs` is that of view 0. */
  constructor(viewTimeoutMs: number) {
    this.#targetMs = viewTimeoutMs * SHARE_OF_TIMEOUT;
  }

  /** How long executing the transactions of the next block may take. */
  get budgetMs(): number {
    return this.#budgetMs;
  }

  /** We began to build block `height` at `atMs`; `isFull` when more waited than went in. */
  built(height: number, atMs: number, isFull: boolean): void {
    this.#built = { height, atMs, isFull };
  }

  /** Block `height` was committed at `atMs`, ours or another's. */
  committed(height: number, atMs: number): void {
    const built = this.#built;
    if (built === undefined || built.height > height) return;
    this.#built = undefined;
    if (built.height !== height) return;
    const isSlow = atMs - built.atMs > this.#targetMs;
    if (isSlow) this.#budgetMs = Math.max(BUDGET_MS_MIN, this.#budgetMs * SHRINK);
    else if (built.isFull) this.#budgetMs = Math.min(BUDGET_MS_MAX, this.#budgetMs * GROW);
  }
}
