import { toHex } from '../../src/codec/bytes.ts';
import type { HeightContext } from '../../src/consensus/input.ts';
import type { Proposal } from '../../src/consensus/messages.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { eligiblePrimaries, skipTableAfter } from '../../src/ledger/proposer-skip.ts';
import type { SkipEntry } from '../../src/ledger/state.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { contextAfter, headerOf } from '../simulation/application.ts';
import { skipView } from '../simulation/ledger.ts';
import { SettingSlots, type Settings } from '../simulation/settings.ts';

/** New settings, written as `name=value`. */
export function settingsOf(words: readonly string[]): Partial<Settings> {
  return Object.fromEntries(words.map((word) => word.split('=')).map(([name, value]) => [name, Number(value)]));
}

/** The ledger below one core of a script: validators never change, whose turn it is follows the rule of the ledger. */
export class ScriptLedger {
  readonly #settings = new SettingSlots(false);
  /** What the blocks of this script change of the settings, by block hash in hex. */
  readonly #changes: ReadonlyMap<string, Partial<Settings>>;
  readonly #validators: ValidatorSet;
  #skips: readonly SkipEntry[] = [];
  context: HeightContext;
  /** Commit certificate of the tip. */
  tip: Certificate | null = null;

  constructor(validators: ValidatorSet, changes: ReadonlyMap<string, Partial<Settings>>) {
    this.#validators = validators;
    this.#changes = changes;
    this.context = contextAfter(validators, undefined);
  }

  /** Makes a decided block the tip; one that was applied before changes nothing. */
  apply(proposal: Proposal, certificate: Certificate): void {
    const { header, hash } = headerOf(proposal);
    const { height, proposer } = header;
    if (height < this.context.height) return;
    this.#skips = skipTableAfter(skipView(this.#validators, this.#skips), height, proposer);
    const eligible = eligiblePrimaries(skipView(this.#validators, this.#skips), height + 1);
    this.#settings.advance(this.#changes.get(toHex(hash)));
    const parameters = this.#settings.current;
    this.context = { ...contextAfter(this.#validators, proposal), eligible, parameters };
    this.tip = certificate;
  }
}
