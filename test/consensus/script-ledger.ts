import type { HeightContext } from '../../src/consensus/input.ts';
import type { Proposal } from '../../src/consensus/messages.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { eligiblePrimaries, skipTableAfter } from '../../src/ledger/proposer-skip.ts';
import type { SkipEntry } from '../../src/ledger/state.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { contextAfter, headerOf } from '../simulation/application.ts';
import { skipView } from '../simulation/ledger.ts';

/** The ledger below one core of a script: validators never change, whose turn it is follows the rule of the ledger. */
export class ScriptLedger {
  readonly #validators: ValidatorSet;
  #skips: readonly SkipEntry[] = [];
  context: HeightContext;
  /** Commit certificate of the tip. */
  tip: Certificate | null = null;

  constructor(validators: ValidatorSet) {
    this.#validators = validators;
    this.context = contextAfter(validators, undefined);
  }

  /** Makes a decided block the tip; one that was applied before changes nothing. */
  apply(proposal: Proposal, certificate: Certificate): void {
    const { height, proposer } = headerOf(proposal).header;
    if (height < this.context.height) return;
    this.#skips = skipTableAfter(skipView(this.#validators, this.#skips), height, proposer);
    const eligible = eligiblePrimaries(skipView(this.#validators, this.#skips), height + 1);
    this.context = { ...contextAfter(this.#validators, proposal), eligible };
    this.tip = certificate;
  }
}
