import { toHex } from '../codec/bytes.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import type { Certificate } from '../ledger/certificate.ts';
import type { Chain } from './chain.ts';
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
  /** After the block is on disk and its transactions are settled. `proposer`: its public key. */
  readonly onCommitted: (block: ExecutedBlock, certificate: Certificate, proposer: Uint8Array) => void;
  readonly onSynced: (seconds: number) => void;
}

/**
 * The one way into the chain, for consensus and catch-up alike: one block at a time, each height once. Order: synced
 * write, then the pool forgets the block's transactions, then those who wait for them are told.
 */
export class CommitGate {
  readonly #dependencies: CommitGateDependencies;
  #last: Promise<void> = Promise.resolve();

  constructor(dependencies: CommitGateDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Resolves once block `height` is committed, by this call or one before it. `execute` gives the block when its turn
   * has come; what it throws, and a failed write, rejects this call alone.
   */
  commit(
    height: number,
    execute: () => ExecutedBlock,
    certificate: Certificate,
    attachments: readonly Uint8Array[],
  ): Promise<void> {
    const turn = this.#last.then(async () => {
      const { chain } = this.#dependencies;
      if (height <= chain.tip.height) return;
      await this.#apply(execute(), certificate, attachments);
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

  async #apply(block: ExecutedBlock, certificate: Certificate, attachments: readonly Uint8Array[]): Promise<void> {
    const { chain, held, mempool, tracker, onCommitted, onSynced } = this.#dependencies;
    // The index is one in the set of this height, which the commit may replace.
    const { publicKey: proposer } = chain.validators.validators[block.header.proposer]!;
    const startMs = performance.now();
    await chain.commit(block, certificate, attachments);
    onSynced((performance.now() - startMs) / 1_000);
    held.dropThrough(block.header.height);
    const txIds = block.transactions.map(({ txId }) => txId);
    for (const txId of txIds) mempool.remove(toHex(txId));
    tracker.committed(block.header.height, txIds);
    for (const { decoded } of mempool.removeExpired(block.header.timestampMs)) tracker.expired(decoded.txId);
    onCommitted(block, certificate, proposer);
  }
}
