import { toHex } from '../codec/bytes.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { type Certificate, certificateFault } from '../ledger/certificate.ts';
import type { Chain } from './chain.ts';

/** Most peers whose claims are kept: those whom the gate admits. */
const PEERS_MAX = 256;

interface PeerTip {
  readonly peer: Uint8Array;
  /** Up to where it says that it holds blocks: a hint of whom to ask. */
  claimed: number;
  /** Highest height for which it showed a certificate that we could check. */
  proven: number;
  /** Highest tip of its own that it showed when asked. */
  shown: number;
  /** Requests in a row that it left unanswered or answered in vain. */
  misses: number;
}

/**
 * How far other members are. What they claim says whom to ask; only a certificate by validators that our own state
 * proves says how far the ledger is (consensus.md §9).
 */
export class PeerTips {
  readonly #chain: Pick<Chain, 'tip' | 'genesisHash' | 'heightContext'>;
  readonly #tips = new Map<string, PeerTip>();
  #target = 0;

  constructor(chain: Pick<Chain, 'tip' | 'genesisHash' | 'heightContext'>) {
    this.#chain = chain;
  }

  /** Highest height proven to be decided. Never decreases. */
  get target(): number {
    return Math.max(this.#target, this.#chain.tip.height);
  }

  /** Highest height that anybody claims. */
  get highestClaim(): number {
    return Math.max(0, ...[...this.#tips.values()].map(({ claimed }) => claimed));
  }

  /** A peer says that it holds blocks up to `height`. */
  claim(peer: Uint8Array, height: number): void {
    const tip = this.#of(peer);
    if (tip !== undefined) tip.claimed = Math.max(tip.claimed, height);
  }

  /** Whether a certificate is one of the validators in force or scheduled here; if so, it moves the target. */
  prove(peer: Uint8Array, certificate: Certificate): boolean {
    const { validators, nextValidators } = this.#chain.heightContext();
    const isProven = [validators, nextValidators].some(
      (set) => certificateFault('COMMIT', certificate, set, this.#chain.genesisHash, verifySignature) === undefined,
    );
    if (!isProven) return false;
    this.#target = Math.max(this.#target, certificate.height);
    const tip = this.#of(peer);
    if (tip === undefined) return true;
    tip.proven = Math.max(tip.proven, certificate.height);
    tip.claimed = Math.max(tip.claimed, certificate.height);
    return true;
  }

  /** The highest tip of its own that a peer has shown when asked; what it passed on of others does not count. */
  shownBy(peer: Uint8Array): number {
    return this.#tips.get(toHex(peer))?.shown ?? 0;
  }

  /** A peer, when asked, showed a tip with a certificate that could be checked. */
  showed(peer: Uint8Array, height: number): void {
    const tip = this.#of(peer);
    if (tip !== undefined) tip.shown = Math.max(tip.shown, height);
  }

  /** Who may hold block `height`: those that answered last first, and of these who has proven most. */
  holders(height: number): readonly Uint8Array[] {
    const holders = [...this.#tips.values()].filter(({ claimed }) => claimed >= height);
    return holders.sort((a, b) => a.misses - b.misses || b.proven - a.proven).map(({ peer }) => peer);
  }

  /** A peer served what it was asked for. */
  served(peer: Uint8Array): void {
    const tip = this.#tips.get(toHex(peer));
    if (tip !== undefined) tip.misses = 0;
  }

  /** A peer was late or failed: others are asked before it. */
  missed(peer: Uint8Array): void {
    const tip = this.#tips.get(toHex(peer));
    if (tip !== undefined) tip.misses += 1;
  }

  /** What a peer claims is forgotten: it was not borne out. A true claim will be made again. */
  forgetClaim(peer: Uint8Array): void {
    const tip = this.#tips.get(toHex(peer));
    if (tip !== undefined) tip.claimed = 0;
  }

  #of(peer: Uint8Array): PeerTip | undefined {
    const name = toHex(peer);
    let tip = this.#tips.get(name);
    if (tip === undefined && this.#tips.size < PEERS_MAX) {
      tip = { peer, claimed: 0, proven: 0, shown: 0, misses: 0 };
      this.#tips.set(name, tip);
    }
    return tip;
  }
}
