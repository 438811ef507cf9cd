import { compareBytes } from '../../src/codec/bytes.ts';
import { encodeMessage, type Message, messagePreimage } from '../../src/consensus/messages.ts';
import type { Signer } from '../../src/crypto/signer.ts';
import { VIEW_MAX } from '../../src/ledger/vote.ts';
import type { Chance } from '../seeded-chance.ts';

/** What a validator that floods sends, in turn: `forged` carries no signature that holds, all others do. */
export const FLOOD_KINDS = [
  'vote of a far height',
  'vote of this height',
  'vote of a far view',
  'vote of the next height',
  'view change of this height',
  'view change of the next height',
  'status of a far height',
  'proposal of a far view',
  'proposal of the next height',
  'forged vote',
] as const;
/** One of them. */
export type FloodKind = (typeof FLOOD_KINDS)[number];

/** In whose name a flood goes: the identity of a node fits. */
interface Flooder {
  readonly signer: Signer;
  readonly start: { readonly validators: readonly { readonly publicKey: Uint8Array }[] };
}

const SIGNATURE_BYTES = 64;
/** Hashes in a proposal that nobody asked for: some 16 KiB. */
const PROPOSAL_HASHES = 480;
const HEADER_BYTES = 400;
const FAR_HEIGHTS = 2 ** 40;
/** Views that are kept around the present one. */
const NEAR_VIEWS = 3;

/** Makes frames in the name of a validator whose key it has; no two are alike. */
export class FloodFrames {
  readonly #identity: Flooder;
  readonly #genesisHash: Uint8Array;
  readonly #chance: Chance;
  readonly #seat: number;

  constructor(identity: Flooder, genesisHash: Uint8Array, chance: Chance) {
    this.#identity = identity;
    this.#genesisHash = genesisHash;
    this.#chance = chance;
    const keys = identity.start.validators.map(({ publicKey }) => publicKey).toSorted(compareBytes);
    this.#seat = keys.findIndex((key) => compareBytes(key, identity.signer.publicKey) === 0);
    if (this.#seat < 0) throw new Error('the key that is to flood has no seat in the ledger');
  }

  /** A frame of this kind, `height` being the one that the others are agreeing on. */
  make(kind: FloodKind, height: number): Uint8Array {
    const message = this.#unsigned(kind, height);
    const preimage = messagePreimage(this.#genesisHash, message);
    if (preimage === undefined || !('signature' in message)) throw new Error(`${message.kind} has no signature`);
    const signature = kind === 'forged vote' ? message.signature : this.#identity.signer.sign(preimage);
    return encodeMessage({ ...message, signature });
  }

  #unsigned(kind: FloodKind, height: number): Message {
    switch (kind) {
      case 'vote of a far height':
        return this.#vote(height + 2 + this.#below(FAR_HEIGHTS), this.#below(VIEW_MAX));
      case 'vote of this height':
      case 'forged vote':
        return this.#vote(height, this.#below(NEAR_VIEWS));
      case 'vote of a far view':
        return this.#vote(height, NEAR_VIEWS + this.#below(VIEW_MAX - NEAR_VIEWS));
      case 'vote of the next height':
        return this.#vote(height + 1, this.#below(VIEW_MAX));
      case 'view change of this height':
        return this.#viewChange(height);
      case 'view change of the next height':
        return this.#viewChange(height + 1);
      case 'status of a far height':
        return {
          kind: 'Status',
          height: height + this.#below(FAR_HEIGHTS),
          view: this.#below(VIEW_MAX),
          tipHash: this.#bytes(32),
          publicKey: this.#identity.signer.publicKey,
          signature: this.#bytes(SIGNATURE_BYTES),
        };
      case 'proposal of a far view':
        return this.#proposal(height, NEAR_VIEWS + this.#below(VIEW_MAX - NEAR_VIEWS));
      case 'proposal of the next height':
        return this.#proposal(height + 1, 0);
    }
  }

  #vote(height: number, view: number): Message {
    const kind = this.#chance() < 0.5 ? 'Prepare' : 'Commit';
    return { kind, height, view, blockHash: this.#bytes(32), ...this.#own() };
  }

  #viewChange(height: number): Message {
    const newView = 1 + this.#below(VIEW_MAX - 1);
    const claim = { height, newView, preparedView: null, preparedHash: null };
    return { kind: 'ViewChange', ...claim, ...this.#own(), certificate: null };
  }

  #proposal(height: number, view: number): Message {
    const txHashes = Array.from({ length: PROPOSAL_HASHES }, () => this.#bytes(32));
    return {
      kind: 'PrePrepare',
      height,
      view,
      blockHash: this.#bytes(32),
      ...this.#own(),
      proposal: { header: this.#bytes(HEADER_BYTES), txHashes },
      justification: { viewChanges: [], certificate: null },
    };
  }

  #own() {
    return { signer: this.#seat, signature: this.#bytes(SIGNATURE_BYTES) };
  }

  #below(bound: number): number {
    return Math.floor(this.#chance() * bound);
  }

  #bytes(length: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(length));
  }
}
