import { equalBytes } from '../../src/codec/bytes.ts';
import type { HeightContext } from '../../src/consensus/input.ts';
import {
  type Commit,
  type Message,
  type PrePrepare,
  type Prepare,
  prePreparePreimage,
  type ViewChange,
  type ViewChangeClaim,
  viewChangePreimage,
} from '../../src/consensus/messages.ts';
import { blockHash } from '../../src/ledger/block.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { fakeTransaction, makeProposal } from './application.ts';
import { fakeSign, GENESIS_HASH } from './keys.ts';
import type { Prng } from './prng.ts';

/** Messages remembered for replay. */
const REPLAY_MAX = 64;

/** What all liars of a run know: the second face of the latest view that one of them showed two faces in. */
export interface Conspiracy {
  twin: PrePrepare | undefined;
  /** Who is shown the twin. */
  otherFace: ReadonlySet<number>;
}

/**
 * A Byzantine validator's mouth: its core behaves, and this turns what it says into lies under its own key.
 * `offered` takes blocks that it invents, so that others can fetch their bodies.
 */
export class Liar {
  readonly #prng: Prng;
  readonly #publicKey: Uint8Array;
  readonly #heard: Message[] = [];
  readonly #conspiracy: Conspiracy;
  readonly counts: Record<string, number> = {};

  constructor(prng: Prng, publicKey: Uint8Array, conspiracy: Conspiracy) {
    this.#prng = prng;
    this.#conspiracy = conspiracy;
    this.#publicKey = publicKey;
  }

  /** Remembers what was heard, to say it again at a bad time. */
  hear(message: Message): void {
    if (this.#heard.length >= REPLAY_MAX) this.#heard.splice(this.#prng.between(0, REPLAY_MAX - 1), 1);
    this.#heard.push(message);
  }

  /** What goes to peer `to` in place of `message`. */
  distort(
    message: Message,
    to: number,
    n: number,
    context: HeightContext,
  ): { messages: readonly Message[]; offered: PrePrepare | undefined } {
    const spoken = this.#speak(message, to, n, context);
    const messages =
      this.#prng.chance(0.05) && this.#heard.length > 0 ? [...spoken, this.#prng.pick(this.#heard)] : spoken;
    if (messages.length > spoken.length) this.#count('replay');
    return { messages, offered: this.#conspiracy.twin };
  }

  #speak(message: Message, to: number, n: number, context: HeightContext): readonly Message[] {
    if (this.#prng.chance(0.1)) {
      this.#count('withhold');
      return [];
    }
    switch (message.kind) {
      case 'PrePrepare':
        return this.#propose(message, to, n, context);
      case 'Prepare':
      case 'Commit':
        return this.#vote(message, to);
      case 'ViewChange':
        return this.#prng.chance(0.5) ? [message] : [this.#lieInViewChange(message)];
      default:
        return [message];
    }
  }

  #propose(message: PrePrepare, to: number, n: number, context: HeightContext): readonly Message[] {
    const equivocates = message.justification.certificate === null && message.height === context.height;
    if (!equivocates || !equalBytes(this.#signerKey(message, context), this.#publicKey)) return [message];
    const twin = this.#twinOf(message, n, context);
    if (!this.#conspiracy.otherFace.has(to)) return [message];
    return [twin, this.#signVote('Prepare', twin), this.#signVote('Commit', twin)];
  }

  #twinOf(message: PrePrepare, n: number, context: HeightContext): PrePrepare {
    const known = this.#conspiracy.twin;
    if (known !== undefined && known.height === message.height && known.view === message.view) return known;
    const peers = Array.from({ length: n }, (_, index) => index);
    this.#conspiracy.otherFace = new Set(peers.filter(() => this.#prng.chance(0.5)));
    const proposal = makeProposal(context, message.signer, 7, [fakeTransaction(this.#prng.between(1e6, 2e6))]);
    const vote = { height: message.height, view: message.view, blockHash: blockHash(proposal.header) };
    const signature = fakeSign(this.#publicKey, prePreparePreimage(GENESIS_HASH, vote));
    const twin = { ...message, ...vote, proposal, signature };
    this.#conspiracy.twin = twin;
    this.#count('equivocate');
    return twin;
  }

  /** Votes twice in every phase: for each face what its watchers want to hear. */
  #vote(message: Prepare | Commit, to: number): readonly Message[] {
    const twin = this.#conspiracy.twin;
    if (
      twin !== undefined &&
      twin.height === message.height &&
      twin.view === message.view &&
      this.#conspiracy.otherFace.has(to)
    )
      return [this.#signVote(message.kind, { ...message, blockHash: twin.blockHash })];
    if (message.kind === 'Commit' || this.#prng.chance(0.7)) return [message];
    this.#count('hastyCommit');
    return [message, this.#signVote('Commit', message)];
  }

  #lieInViewChange(message: ViewChange): ViewChange {
    this.#count('lieInViewChange');
    const { height, newView, preparedView, preparedHash } = message;
    const lies: readonly ViewChangeClaim[] = [
      { height, newView, preparedView: null, preparedHash: null },
      { height, newView: this.#prng.between(newView, 0xffffffff), preparedView: null, preparedHash: null },
      { height, newView, preparedView: Math.max(0, newView - 1), preparedHash: preparedHash ?? GENESIS_HASH },
      { height, newView, preparedView, preparedHash },
    ];
    const claim = this.#prng.pick(lies);
    const signature = fakeSign(this.#publicKey, viewChangePreimage(GENESIS_HASH, claim));
    const forged = { height, view: claim.preparedView ?? 0, blockHash: claim.preparedHash ?? GENESIS_HASH };
    const certificate =
      claim.preparedView === null
        ? null
        : (message.certificate ?? { ...forged, signatures: [{ signer: message.signer, signature }] });
    return { kind: 'ViewChange', ...claim, signer: message.signer, signature, certificate };
  }

  #signVote(kind: 'Prepare' | 'Commit', of: Prepare | Commit | PrePrepare): Prepare | Commit {
    const { height, view, signer } = of;
    const vote = { height, view, blockHash: of.blockHash };
    const preimage = votePreimage(kind === 'Prepare' ? 'PREPARE' : 'COMMIT', GENESIS_HASH, vote);
    return { kind, ...vote, signer, signature: fakeSign(this.#publicKey, preimage) };
  }

  #signerKey(message: PrePrepare, context: HeightContext): Uint8Array {
    return context.validators.validators[message.signer]!.publicKey;
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
