import type { Effect } from '../consensus/effect.ts';
import type { Core } from '../consensus/state.ts';
import { VotePunctuality } from './vote-punctuality.ts';

/** Why a proposal was refused here. */
interface Refusal {
  readonly height: number;
  readonly view: number;
  readonly code: string;
}

/**
 * Times and causes of the agreement as they are seen around the core, which has no clock: when the view runs out, when
 * a block was committed last, whose votes come late. Monotonic milliseconds.
 */
export class ConsensusWatch {
  readonly punctuality: VotePunctuality;
  readonly #core: Core;
  readonly #nowMs: () => number;
  #timeoutAtMs: number | null = null;
  #lastCommitMs: number | null = null;
  #refusal: Refusal | null = null;

  constructor(core: Core, nowMs: () => number) {
    this.#core = core;
    this.#nowMs = nowMs;
    this.punctuality = new VotePunctuality(nowMs);
  }

  /** Sees an effect of the core before it is carried out. */
  observe(effect: Effect): void {
    const { context, own } = this.#core.height;
    switch (effect.kind) {
      case 'SetTimer':
        if (effect.timer === 'view') this.#timeoutAtMs = this.#nowMs() + effect.afterMs;
        return;
      case 'CancelTimer':
        if (effect.timer === 'view') this.#timeoutAtMs = null;
        return;
      case 'Broadcast':
      case 'Send':
        if (effect.message.kind === 'Commit' && effect.message.signer === own)
          this.punctuality.voted(effect.message.height, context.validators.validators[own]!.publicKey);
        return;
      case 'Decide': {
        const keys = context.validators.validators.map(({ publicKey }) => publicKey);
        const signers = effect.certificate.signatures.map(({ signer }) => signer);
        this.punctuality.decided(effect.height, keys, signers);
        return;
      }
      case 'Report':
        if (REFUSALS.has(effect.code))
          this.#refusal = { height: effect.height, view: effect.view, code: effect.detail };
    }
  }

  /** A block was committed, by agreement or by catch-up. */
  committed(): void {
    this.#lastCommitMs = this.#nowMs();
  }

  /** Until the view runs out; null when its timer does not run. */
  get nextTimeoutMs(): number | null {
    if (this.#timeoutAtMs === null || !this.#core.timers.has('view')) return null;
    return Math.max(0, Math.round(this.#timeoutAtMs - this.#nowMs()));
  }

  /** Since the newest commit of this process; null before the first. */
  get lastCommitAgeMs(): number | null {
    return this.#lastCommitMs === null ? null : Math.round(this.#nowMs() - this.#lastCommitMs);
  }

  /** Why the proposal of this view was refused here; null when it was not. */
  refusal(height: number, view: number): string | null {
    const found = this.#refusal;
    return found !== null && found.height === height && found.view === view ? found.code : null;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['proposalRefused', 'proposalInvalid', 'reproposalRefused']);
