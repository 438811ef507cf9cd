/** Transactions that a pool may always hold before clients have to wait. */
const POOL_MIN = 2_000;
/** The pool may hold so many blocks of the size of the last one: enough that no block has to wait for transactions. */
const POOL_BLOCKS = 4;
/** Most transactions that wait to be looked at; more are refused at once. */
const WAITING_MAX = 20_000;
/** Longest wait, milliseconds. */
const WAIT_MS_MAX = 10_000;

interface Waiting {
  readonly transactions: number;
  readonly admit: (isAdmitted: boolean) => void;
}

/**
 * Lets clients' transactions in as fast as blocks take them. What waits here has cost nothing yet; looked at sooner, it
 * would take the processor from the blocks that make room for it, and a busy network would slow down when it is asked
 * for more. In order of arrival.
 */
export class AdmissionQueue {
  readonly #poolSize: () => number;
  readonly #waiting: Waiting[] = [];
  #waitingTransactions = 0;
  /** Transactions let in that are not in the pool yet. */
  #entering = 0;
  #poolMax = POOL_MIN;

  /** `poolSize` is the number of transactions that wait for a block. */
  constructor(poolSize: () => number) {
    this.#poolSize = poolSize;
  }

  /** Runs `work` on that many transactions when it is their turn; `refused` when too many wait, or for too long. */
  async run<T>(transactions: number, work: () => Promise<T>, refused: () => T): Promise<T> {
    if (!(await this.#enter(transactions))) return refused();
    this.#entering += transactions;
    try {
      return await work();
    } finally {
      this.#entering -= transactions;
      this.#admit();
    }
  }

  /** A block of so many transactions was committed, and they have left the pool. */
  committed(transactions: number): void {
    this.#poolMax = Math.max(POOL_MIN, POOL_BLOCKS * transactions);
    this.#admit();
  }

  #enter(transactions: number): Promise<boolean> | boolean {
    if (this.#waiting.length === 0 && this.#hasRoom()) return true;
    if (this.#waitingTransactions + transactions > WAITING_MAX) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        waiting.admit(false);
      }, WAIT_MS_MAX);
      const waiting: Waiting = {
        transactions,
        admit: (isAdmitted) => {
          clearTimeout(timer);
          this.#waitingTransactions -= transactions;
          resolve(isAdmitted);
        },
      };
      this.#waiting.push(waiting);
      this.#waitingTransactions += transactions;
    });
  }

  #admit(): void {
    // What is admitted counts as entering only when its work begins, in a later turn.
    let admitted = 0;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#hasRoom(admitted)) return;
      this.#waiting.shift();
      admitted += first.transactions;
      first.admit(true);
    }
  }

  #hasRoom(admitted = 0): boolean {
    return this.#poolSize() + this.#entering + admitted < this.#poolMax;
  }
}
