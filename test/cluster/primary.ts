import type { NodeClient } from '../../src/client/index.ts';
import type { GenesisDocument } from '../../src/ledger/genesis.ts';
import { eligiblePrimaries, primaryOf, skipTableAfter } from '../../src/ledger/proposer-skip.ts';
import { CURRENT_VALIDATORS_KEY, FAMILIES, SINGLE_KEY } from '../../src/ledger/state.ts';
import { StateOverlay } from '../../src/ledger/state-overlay.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';

/** Tells from the headers of a ledger who is the primary of the next height in view 0. */
export class PrimaryForecast {
  readonly #view = new StateOverlay({
    read: () => undefined,
    isRecent: () => false,
    recentPagesExpiredBefore: () => [],
  });
  #height = 0;

  constructor({ validators }: GenesisDocument) {
    this.#view.write(FAMILIES.validators, CURRENT_VALIDATORS_KEY, makeValidatorSet(validators).validators);
  }

  /** Index of the validator whose turn follows the newest block of this node. */
  async next(client: NodeClient): Promise<number> {
    const { height } = await client.block('latest').catch(() => ({ height: 0 }));
    while (this.#height < height) {
      const { proposer } = await client.block(this.#height + 1);
      this.#view.write(FAMILIES.skip, SINGLE_KEY, skipTableAfter(this.#view, this.#height + 1, proposer));
      this.#height += 1;
    }
    return primaryOf(eligiblePrimaries(this.#view, height + 1), height + 1, 0);
  }
}
