import type { OuterIndex } from '../index/outer/outer-index.ts';
import type { AppliedBlock, BlockRows, RecordRow } from '../index/outer/rows.ts';

/** Most records handed to the index in one transaction of its own. */
const RECORDS_PER_APPLY = 2_000;
const BLOCKS_PER_APPLY = 256;
/**
 * Between two transactions of the index is a pause of so many times what the last one took, so that blocks share them:
 * a page that several rows change is written once. At least and at most, in milliseconds.
 */
const PAUSE_FACTOR = 20;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 1_000;

/** The index, and where its rows come from. */
export interface IndexFeedDependencies {
  readonly index: OuterIndex;
  /** Height of the last committed block. */
  readonly tipHeight: () => number;
  /** The last block before those that are here; undefined where all are. */
  readonly before: () => Promise<AppliedBlock | undefined>;
  /** What block `height` adds to the index. */
  readonly rowsOf: (height: number) => Promise<BlockRows>;
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps the outer index up with the chain: every committed block once, in order, from whatever height the index has.
 * Consensus never waits for it.
 */
export class IndexFeed {
  readonly #dependencies: IndexFeedDependencies;
  #appliedHeight = 0;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #endPause: () => void = () => undefined;

  constructor(dependencies: IndexFeedDependencies) {
    this.#dependencies = dependencies;
  }

  /** Height up to which every block is in the index. */
  get appliedHeight(): number {
    return this.#appliedHeight;
  }

  /** Reads where the index stands and begins to catch up. */
  async start(): Promise<void> {
    const { index, before } = this.#dependencies;
    this.#appliedHeight = await index.appliedHeight();
    const skipped = await before();
    // The blocks in between are not here, and rows from before them would pass for the newest.
    if (skipped !== undefined && this.#appliedHeight < skipped.height) {
      await index.reset(skipped);
      this.#appliedHeight = skipped.height;
    }
    this.notify();
  }

  /** Goes on after `close`, or after an error: where the index stands, or past blocks that are not here. */
  async reopen(): Promise<void> {
    this.#isClosed = false;
    await this.start();
  }

  /** A block was committed. */
  notify(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    this.#running = this.#catchUp()
      .catch((error: unknown) => {
        this.#isClosed = true;
        this.#dependencies.onError(error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Finishes what is under way and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause();
    await this.#running;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endPause = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }

  async #catchUp(): Promise<void> {
    const { index, rowsOf, tipHeight } = this.#dependencies;
    while (!this.#isClosed && this.#appliedHeight < tipHeight()) {
      const blocks: BlockRows[] = [];
      const records: RecordRow[] = [];
      let height = this.#appliedHeight;
      while (height < tipHeight() && records.length < RECORDS_PER_APPLY && blocks.length < BLOCKS_PER_APPLY) {
        height += 1;
        const rows = await rowsOf(height);
        blocks.push(rows);
        records.push(...rows.records);
      }
      const startMs = performance.now();
      await index.apply(blocks);
      this.#appliedHeight = height;
      const tookMs = performance.now() - startMs;
      // While it catches up with a long chain there is nothing to wait for.
      if (records.length < RECORDS_PER_APPLY && blocks.length < BLOCKS_PER_APPLY)
        await this.#pause(Math.min(Math.max(PAUSE_FACTOR * tookMs, PAUSE_MS_MIN), PAUSE_MS_MAX));
    }
  }
}
