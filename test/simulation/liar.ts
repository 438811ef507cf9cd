import type { HeightContext } from '../../src/consensus/input.ts';
import type { Commit, Message, PrePrepare, Prepare } from '../../src/consensus/messages.ts';
import { DEFAULT_PARAMETERS, viewTimeoutMs } from '../../src/consensus/parameters.ts';
import { quorumSize } from '../../src/ledger/validator-set.ts';
import { fakeTransaction, makeProposal } from './application.ts';
import {
  falseCertificate,
  falseViewChange,
  farAway,
  invalidProposal,
  type Sign,
  signedVote,
  spoiltProposal,
  withProposal,
} from './lies.ts';
import type { Behaviour } from './plan.ts';
import type { Prng } from './prng.ts';

/** Messages remembered for replay. */
const REPLAY_MAX = 64;

/** What all liars of a run know: the second face of the latest view that one of them showed two faces in. */
export interface Conspiracy {
  twin: PrePrepare | undefined;
  /** Numbers of those who are shown the twin. */
  otherFace: ReadonlySet<number>;
}

/** A message and how much later than usual it leaves. */
export interface Spoken {
  readonly message: Message;
  readonly extraMs: number;
}

/** A Byzantine validator's mouth: its core behaves, and this turns what it says into lies under its own key. */
export class Liar {
  readonly #prng: Prng;
  readonly #sign: Sign;
  readonly #behaviours: ReadonlySet<Behaviour>;
  readonly #nodes: number;
  readonly #heard: Message[] = [];
  readonly #conspiracy: Conspiracy;
  /** Each proposal is spoilt once: who is lied to hears the same. */
  readonly #spoilt = new WeakMap<PrePrepare, PrePrepare>();
  readonly #onLie: (behaviour: Behaviour) => void;

  constructor(options: {
    readonly prng: Prng;
    readonly sign: Sign;
    readonly behaviours: readonly Behaviour[];
    readonly nodes: number;
    readonly conspiracy: Conspiracy;
    readonly onLie: (behaviour: Behaviour) => void;
  }) {
    this.#prng = options.prng;
    this.#sign = options.sign;
    this.#behaviours = new Set(options.behaviours);
    this.#nodes = options.nodes;
    this.#conspiracy = options.conspiracy;
    this.#onLie = options.onLie;
  }

  /** True when it does this now; counted. */
  does(behaviour: Behaviour, probability: number): boolean {
    if (!this.#behaviours.has(behaviour) || !this.#prng.chance(probability)) return false;
    this.#onLie(behaviour);
    return true;
  }

  /** The invented block, so that others can fetch its body. */
  get invented(): PrePrepare | undefined {
    return this.#conspiracy.twin;
  }

  /** Remembers what was heard, to say it again at a bad time; returns what it tells everybody at once. */
  hear(message: Message): Message | undefined {
    if (this.#heard.length >= REPLAY_MAX) this.#heard[this.#prng.between(0, REPLAY_MAX - 1)] = message;
    else this.#heard.push(message);
    if (message.kind === 'PrePrepare' && this.does('spoilRelay', 0.5)) return spoiltProposal(this.#prng, message);
    return undefined;
  }

  /** What goes to node `to` in place of `message`. */
  speak(message: Message, to: number, context: HeightContext): readonly Spoken[] {
    if (this.does('withhold', 0.15)) return [];
    const prng = this.#prng;
    const said = [...this.#distort(message, to, context)];
    if (this.#heard.length > 0 && this.does('replay', 0.05)) said.push(this.#replayed());
    if (message.kind === 'Prepare' || message.kind === 'Commit') {
      if (this.does('floodHeights', 0.1)) said.push(farAway(prng, this.#sign, message, 'height'));
      if (this.does('floodViews', 0.1)) said.push(farAway(prng, this.#sign, message, 'view'));
      if (this.does('forgeCertificate', 0.1)) {
        const quorum = quorumSize(context.validators.validators.length);
        const certificate = falseCertificate(prng, this.#sign, this.#heard, message, quorum);
        said.push({ kind: 'Decided', certificate });
      }
    }
    const view = 'view' in message ? message.view : 0;
    const lateMs = viewTimeoutMs(DEFAULT_PARAMETERS, view) - prng.between(1, 60);
    const extraMs = this.does('delay', 0.3) ? lateMs : 0;
    return said.map((spoken) => ({ message: spoken, extraMs }));
  }

  #distort(message: Message, to: number, context: HeightContext): readonly Message[] {
    switch (message.kind) {
      case 'PrePrepare':
        return this.#propose(message, to, context);
      case 'Prepare':
      case 'Commit':
        return this.#vote(message, to);
      case 'ViewChange': {
        if (this.does('lieInViewChange', 0.5)) return [falseViewChange(this.#prng, this.#sign, message)];
        return [message];
      }
      default:
        return [message];
    }
  }

  #propose(message: PrePrepare, to: number, context: HeightContext): readonly Message[] {
    const isOurs = message.height === context.height && this.#isOwn(message, context);
    if (!isOurs) return [message];
    const spoilt = this.#spoilt.get(message);
    if (spoilt !== undefined) return [spoilt];
    if (message.justification.certificate !== null) return [message];
    if (this.#behaviours.has('equivocate')) {
      const twin = this.#twinOf(message, context);
      if (!this.#conspiracy.otherFace.has(to)) return [message];
      return [twin, signedVote(this.#sign, 'Prepare', twin), signedVote(this.#sign, 'Commit', twin)];
    }
    if (!this.does('proposeInvalid', 0.5)) return [message];
    const invalid = invalidProposal(this.#prng, this.#sign, message, context);
    this.#spoilt.set(message, invalid);
    return [invalid];
  }

  #twinOf(message: PrePrepare, context: HeightContext): PrePrepare {
    const known = this.#conspiracy.twin;
    if (known !== undefined && known.height === message.height && known.view === message.view) return known;
    const numbers = Array.from({ length: this.#nodes }, (_, index) => index);
    this.#conspiracy.otherFace = new Set(numbers.filter(() => this.#prng.chance(0.5)));
    // An empty block of another time: valid wherever the first one is.
    const txHashes = this.#prng.chance(0.2) ? [fakeTransaction(this.#prng.between(1e6, 2e6))] : [];
    const twin = withProposal(this.#sign, message, makeProposal(context, message.signer, 7, txHashes));
    this.#conspiracy.twin = twin;
    this.#onLie('equivocate');
    return twin;
  }

  /** Votes twice in every phase: for each face what its watchers want to hear. */
  #vote(message: Prepare | Commit, to: number): readonly Message[] {
    const { twin, otherFace } = this.#conspiracy;
    const isShown = twin?.height === message.height && twin.view === message.view && otherFace.has(to);
    if (isShown && this.#behaviours.has('equivocate'))
      return [signedVote(this.#sign, message.kind, { ...message, blockHash: twin.blockHash })];
    if (message.kind === 'Commit' || !this.does('hastyCommit', 0.3)) return [message];
    return [message, signedVote(this.#sign, 'Commit', message)];
  }

  /** Anything heard, as it was; or a PREPARE as if it were a COMMIT. */
  #replayed(): Message {
    const message = this.#prng.pick(this.#heard);
    return message.kind === 'Prepare' && this.#prng.chance(0.5) ? ({ ...message, kind: 'Commit' } as Commit) : message;
  }

  #isOwn(message: PrePrepare, context: HeightContext): boolean {
    // A relayed proposal has another signer; the core's own index is the one under which it signs.
    return message.signer === this.ownIndex(context);
  }

  /** Set by the node: our index in the set of a height. */
  ownIndex: (context: HeightContext) => number | null = () => null;
}
