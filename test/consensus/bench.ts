import type { Effect } from '../../src/consensus/effect.ts';
import type { HeightContext, Input, JournalStanding } from '../../src/consensus/input.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import type { Message } from '../../src/consensus/messages.ts';
import { DEFAULT_INTERVALS } from '../../src/consensus/parameters.ts';
import { type Core, createCore } from '../../src/consensus/state.ts';
import { step } from '../../src/consensus/step.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { contextAfter, makeProposal } from '../simulation/application.ts';
import { fakeSign, fakeValidators, fakeVerify, GENESIS_HASH } from '../simulation/keys.ts';
import { forgeMessage } from './forge.ts';

/** What one core starts with; the rest has defaults. */
export interface BenchOptions {
  readonly n: number;
  readonly own?: number | null;
  readonly records?: readonly JournalRecord[];
  readonly journal?: JournalStanding;
  readonly context?: Partial<HeightContext>;
}

/** One core among validators that the test plays itself. */
export class Bench {
  readonly validators: ValidatorSet;
  readonly context: HeightContext;
  readonly core: Core;
  readonly started: readonly Effect[];
  /** Block A: a fresh one of the primary of view 0. */
  readonly blockA;

  constructor({ n, own = 0, records = [], journal = 'intact', context = {} }: BenchOptions) {
    this.validators = fakeValidators(n);
    this.context = { ...contextAfter(this.validators, undefined), ...context };
    const publicKey = own === null ? null : this.keyOf(own);
    this.core = createCore({
      genesisHash: GENESIS_HASH,
      intervals: DEFAULT_INTERVALS,
      publicKey,
      sign: (preimage) => fakeSign(publicKey!, preimage),
      verify: fakeVerify,
    });
    this.started = step(this.core, { kind: 'Start', context: this.context, tip: null, records, journal });
    this.blockA = makeProposal(this.context, this.context.height % n, 5, []);
  }

  keyOf(index: number): Uint8Array {
    return this.validators.validators[index]!.publicKey;
  }

  give(input: Input): readonly Effect[] {
    return step(this.core, input);
  }

  /** A correctly signed message of validator `as`, in the words of `forgeMessage`. */
  forge(as: number, words: string): Message {
    return forgeMessage(this.validators, as, this.context.height, words.split(' '), (name) =>
      name === 'A' ? this.blockA : undefined,
    );
  }

  receive(as: number, words: string): readonly Effect[] {
    return this.give({ kind: 'Message', from: this.keyOf(as), message: this.forge(as, words), verified: true });
  }

  /** The prepared certificate for block A of the first q validators in this view. */
  certificate(view: number): Certificate {
    const { quorum } = this.core.height;
    const signers = Array.from({ length: quorum }, (_, index) => index).join(',');
    const message = this.forge(0, `ViewChange view=${view + 1} prepared=${view}/A signers=${signers}`);
    return (message as Extract<Message, { kind: 'ViewChange' }>).certificate!;
  }
}

/** The kinds of the effects, for a glance. */
export function kindsOf(effects: readonly Effect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}
