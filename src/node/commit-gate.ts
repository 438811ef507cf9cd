import { toHex } from '../codec/bytes.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import type { Certificate } from '../ledger/certificate.ts';
import type { Chain } from './chain.ts';
import type { DecidedBlock } from './decided-block.ts';
import type { FetchedState } from './fetched-state.ts';
import type { HeldBlocks } from './held-blocks.ts';
import type { Mempool } from './mempool.ts';
import type { TransactionTracker } from './transaction-tracker.ts';

/** What a commit changes, and who hears of it. */
export interface CommitGateDependencies {
  readonly chain: Chain;
  readonly held: HeldBlocks;
  readonly mempool: Mempool;
  readonly tracker: TransactionTracker;
  /** After the block is on disk and its transactions are settled. */
  readonly onCommitted: (block: ExecutedBlock, certificate: Certificate) => void;
  /** After each synced write. */
  readonly onSynced: (seconds: number) => void;
}

/**
 * The one way into the chain, for consensus and catch-up alike: one write at a time, each height once. Order: synced
 * write, then the pool forgets the blocks' transactions, then those who wait for them are told.
 */
export class CommitGate {
  readonly #dependencies: CommitGateDependencies;
  #last: Promise<void> = Promise.resolve();

  constructor(dependencies: CommitGateDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Resolves once block `height` is committed, by this call or one before it. `decide` gives it, after the blocks
   * before it that may be missing, when its turn has come; what it throws, and a failed write, rejects this call alone.
   */
  commit(height: number, decide: () => readonly DecidedBlock[]): Promise<void> {
    const turn = this.#last.then(async () => {
      const { height: tip } = this.#dependencies.chain.tip;
      if (height > tip) await this.#apply(decide().filter(({ block }) => block.header.height > tip));
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Puts a fetched state in place when its turn has come; false when the chain has moved since it was fetched. */
  adopt(state: FetchedState): Promise<boolean> {
    const turn = this.#last.then(async () => {
      const { chain, held, mempool, tracker } = this.#dependencies;
      if (state.record.gapFrom !== chain.tip.height + 1) return false;
      await chain.adopt(state);
      held.dropThrough(chain.tip.height);
      for (const { decoded } of mempool.removeExpired(chain.tip.timestampMs)) tracker.expired(decoded.txId);
      return true;
    });
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #apply(blocks: readonly DecidedBlock[]): Promise<void> {
    const { chain, onSynced } = this.#dependencies;
    const startMs = performance.now();
    await chain.commit(blocks);
    onSynced((performance.now() - startMs) / 1_000);
    for (const decided of blocks) this.#settle(decided);
  }

  #settle({ block, certificate }: DecidedBlock): void {
    const { held, mempool, tracker, onCommitted } = this.#dependencies;
    held.dropThrough(block.header.height);
    const txIds = block.transactions.map(({ txId }) => txId);
    for (const txId of txIds) mempool.remove(toHex(txId));
    tracker.committed(block.header.height, txIds);
    for (const { decoded } of mempool.removeExpired(block.header.timestampMs)) tracker.expired(decoded.txId);
    onCommitted(block, certificate);
  }
}
