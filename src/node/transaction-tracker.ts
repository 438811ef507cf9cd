import { toHex } from '../codec/bytes.ts';
import { REJECTIONS, type Rejection } from '../ledger/rejection.ts';
import type { Mempool } from './mempool.ts';
import type { TransactionStatus } from './ports.ts';

/**
 * How many final outcomes other than commits are remembered: those of twenty seconds in which 1,000 a second fail. A
 * member that floods the pool with what never applies can not make it more.
 */
const OUTCOMES_MAX = 20_000;
/** How many requests may wait for outcomes at once. */
const WAITERS_MAX = 20_000;

/** Where committed transactions are found. */
export interface CommittedTransactions {
  locate(txId: Uint8Array): Promise<{ readonly height: number; readonly index: number } | undefined>;
}

/** Knows what became of each transaction, and tells those who wait for it. */
export class TransactionTracker {
  readonly #mempool: Mempool;
  readonly #committed: CommittedTransactions;
  /** Hexadecimal id → outcome of what was dropped, oldest first. */
  readonly #outcomes = new Map<string, TransactionStatus>();
  readonly #waiters = new Map<string, Set<(status: TransactionStatus) => void>>();
  #waiterCount = 0;

  constructor(mempool: Mempool, committed: CommittedTransactions) {
    this.#mempool = mempool;
    this.#committed = committed;
  }

  async status(txId: Uint8Array): Promise<TransactionStatus> {
    const id = toHex(txId);
    if (this.#mempool.byId(id) !== undefined) return { kind: 'Pending' };
    const location = await this.#committed.locate(txId);
    if (location !== undefined) return { kind: 'Committed', ...location };
    return this.#outcomes.get(id) ?? { kind: 'Unknown' };
  }

  /** The final status, or the current one after `timeoutMs` or when too many wait already. */
  async wait(txId: Uint8Array, timeoutMs: number): Promise<TransactionStatus> {
    const id = toHex(txId);
    if (this.#mempool.byId(id) === undefined || this.#waiterCount >= WAITERS_MAX) return this.status(txId);
    const settled = await new Promise<TransactionStatus | undefined>((resolve) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters);
      this.#waiterCount += 1;
      const end = (status: TransactionStatus | undefined) => {
        clearTimeout(timer);
        if (waiters.delete(end)) this.#waiterCount -= 1;
        if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
        resolve(status);
      };
      const timer = setTimeout(() => end(undefined), timeoutMs);
      waiters.add(end);
    });
    return settled ?? this.status(txId);
  }

  /** These transactions stand in a block that is on disk. */
  committed(height: number, txIds: readonly Uint8Array[]): void {
    for (const [index, txId] of txIds.entries()) {
      const id = toHex(txId);
      this.#outcomes.delete(id);
      this.#tell(id, { kind: 'Committed', height, index });
    }
  }

  /** A transaction left the pool because it does not apply. */
  rejected(txId: Uint8Array, rejection: Rejection): void {
    this.#remember(toHex(txId), statusOf(rejection));
  }

  /** A committed block is later than the transaction's validUntilMs: it can never be applied. */
  expired(txId: Uint8Array): void {
    this.#remember(toHex(txId), { kind: 'Expired' });
  }

  #remember(id: string, status: TransactionStatus): void {
    this.#outcomes.delete(id);
    this.#outcomes.set(id, status);
    if (this.#outcomes.size > OUTCOMES_MAX) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    this.#tell(id, status);
  }

  #tell(id: string, status: TransactionStatus): void {
    for (const end of this.#waiters.get(id) ?? []) end(status);
  }
}

/** The status that a rejection means for whoever submitted. */
export function statusOf({ code, detail }: Rejection): TransactionStatus {
  return { kind: 'Rejected', code, detail, retryable: REJECTIONS[code].retryable };
}
