import { DEFAULT_PARAMETERS, type Parameters } from '../../src/consensus/parameters.ts';

/** What the members of a simulated ledger can change: by what its cores live, and how large its blocks may be. */
export interface Settings extends Parameters {
  /** Transactions in a block. */
  readonly blockTransactionsMax: number;
}

/** Heartbeats come sooner than in a node, so that short runs see them. */
const FIRST_SETTINGS: Settings = { ...DEFAULT_PARAMETERS, heartbeatMs: 5_000, blockTransactionsMax: 5 };

/** The settings of the next height and of the one after it, by the rule of the ledger (consensus.md §10). */
export class SettingSlots {
  readonly #isEarly: boolean;
  current: Settings = FIRST_SETTINGS;
  #scheduled: Settings = FIRST_SETTINGS;

  /** `isEarly` is a planted bug: a change counts one height too soon. */
  constructor(isEarly: boolean) {
    this.#isEarly = isEarly;
  }

  /** None applies while another is in flight. */
  get mayChange(): boolean {
    return this.current === this.#scheduled;
  }

  get hasChanged(): boolean {
    return this.#scheduled !== FIRST_SETTINGS;
  }

  /** A block was executed that makes this change, or none. */
  advance(change: Partial<Settings> | undefined): void {
    const before = this.#scheduled;
    if (change !== undefined) this.#scheduled = { ...before, ...change };
    this.current = this.#isEarly ? this.#scheduled : before;
  }
}
