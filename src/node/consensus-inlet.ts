import { equalBytes, toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { admitMessage } from '../consensus/admission.ts';
import type { Input } from '../consensus/input.ts';
import { type Commit, decodeMessage } from '../consensus/messages.ts';
import type { Core } from '../consensus/state.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import type { VotePunctuality } from './vote-punctuality.ts';

/** Where frames go after their checks. */
export interface InletDependencies {
  readonly core: Core;
  readonly deliver: (input: Input) => void;
  readonly onDropped: (reason: string) => void;
  /** Told of every COMMIT by when it came: nothing of consensus depends on it. */
  readonly punctuality: Pick<VotePunctuality, 'voted' | 'votedLate'>;
}

/** Why a vote is dropped that came after the decision of its height. */
const LATE: ReadonlySet<string> = new Set(['decided', 'oldHeight']);

/** Where a peer was last seen, by its own signed word. */
export interface PeerPosition {
  readonly height: number;
  readonly view: number;
}

/**
 * What consensus frames pass before the core sees them, cheapest check first (consensus.md §8): size (by the channel),
 * form, height window, signer, slot, and the signature last.
 */
export class ConsensusInlet {
  readonly #dependencies: InletDependencies;
  readonly #positions = new Map<string, PeerPosition>();

  constructor(dependencies: InletDependencies) {
    this.#dependencies = dependencies;
  }

  /** What a validator's newest STATUS said. */
  position(publicKey: Uint8Array): PeerPosition | undefined {
    return this.#positions.get(toHex(publicKey));
  }

  /** Takes one frame of a member. Returns false when it was malformed, which no honest member sends. */
  receive(from: Uint8Array, frame: Uint8Array): boolean {
    const { core, deliver, onDropped, punctuality } = this.#dependencies;
    try {
      const message = decodeMessage(frame);
      const admission = admitMessage(core, message);
      if (admission.kind === 'drop') {
        if (message.kind === 'Commit' && LATE.has(admission.reason)) this.#noteLate(message, from);
        onDropped(admission.reason);
        return true;
      }
      const { direct } = admission;
      if (direct !== null && !verifySignature(direct.signature, direct.preimage, direct.publicKey)) {
        onDropped('badSignature');
        return true;
      }
      if (message.kind === 'Commit' && direct !== null) punctuality.voted(message.height, direct.publicKey);
      if (message.kind === 'Status' && equalBytes(message.publicKey, from))
        this.#positions.set(toHex(from), { height: message.height - 1, view: message.view });
      deliver({ kind: 'Message', from, message, verified: direct !== null });
      return true;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      onDropped('malformed');
      return false;
    }
  }

  /** At the current height the decision may be known here before its block is: then nobody has been told of it yet. */
  #noteLate({ height, signer }: Commit, from: Uint8Array): void {
    const { core, punctuality } = this.#dependencies;
    const { context } = core.height;
    if (height !== context.height) punctuality.votedLate(height, signer, from);
    else if (equalBytes(context.validators.validators[signer]!.publicKey, from)) punctuality.voted(height, from);
  }
}
