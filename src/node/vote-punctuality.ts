import { toHex } from '../codec/bytes.ts';

/** So many of the last decided heights are looked at. */
const HEIGHTS_KEPT = 32;
/** Undecided heights whose votes are remembered: the current one, the next, and one that catch-up took over. */
const HEIGHTS_OPEN_MAX = 3;

/** How a validator voted at the last heights that were decided here by votes. */
export interface Punctuality {
  /** Median time from the quorum of a height to the validator's COMMIT, 0 where it belonged to it; null without any. */
  readonly lagMs: number | null;
  /** Heights at which it was a validator and no COMMIT of it came. */
  readonly missedHeights: number;
}

/** A decided height. */
interface DecidedHeight {
  readonly height: number;
  readonly decidedMs: number;
  /** Key in hex of each validator, by index. */
  readonly keys: readonly string[];
  /** Lag by key in hex. */
  readonly lags: Map<string, number>;
}

/**
 * Whose COMMIT comes late, by validator key, so that a rotated key starts anew. Counts only heights whose quorum came
 * here as votes: of one that was fetched afterwards nothing is known. Times are monotonic milliseconds.
 */
export class VotePunctuality {
  readonly #nowMs: () => number;
  /** Keys whose COMMIT came before the decision, by height. */
  readonly #open = new Map<number, Set<string>>();
  /** Oldest first. */
  readonly #decided: DecidedHeight[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A COMMIT of the current or the next height whose signature by this key was verified, or an own one. */
  voted(height: number, publicKey: Uint8Array): void {
    const decided = this.#decided.find((candidate) => candidate.height === height);
    if (decided !== undefined) {
      this.#late(decided, toHex(publicKey));
      return;
    }
    let keys = this.#open.get(height);
    if (keys === undefined) {
      if (this.#open.size >= HEIGHTS_OPEN_MAX) this.#open.delete(Math.min(...this.#open.keys()));
      keys = new Set();
      this.#open.set(height, keys);
    }
    keys.add(toHex(publicKey));
  }

  /**
   * A COMMIT that came after the decision, and so unverified: believed where the signer itself brought it, since it
   * can only make its own numbers better.
   */
  votedLate(height: number, signer: number, from: Uint8Array): void {
    const decided = this.#decided.find((candidate) => candidate.height === height);
    const key = toHex(from);
    if (decided?.keys[signer] === key) this.#late(decided, key);
  }

  /** A height was decided by the COMMITs of `signers`, of validators with these keys. */
  decided(height: number, publicKeys: readonly Uint8Array[], signers: readonly number[]): void {
    const heard = this.#open.get(height);
    for (const open of this.#open.keys()) if (open <= height) this.#open.delete(open);
    const keys = publicKeys.map(toHex);
    if (heard === undefined || !signers.every((signer) => heard.has(keys[signer]!))) return;
    const lags = new Map(keys.filter((key) => heard.has(key)).map((key) => [key, 0]));
    this.#decided.push({ height, decidedMs: this.#nowMs(), keys, lags });
    if (this.#decided.length > HEIGHTS_KEPT) this.#decided.shift();
  }

  /** How the validator with this key voted. At the height decided last its vote may yet come: it misses none there. */
  of(publicKey: Uint8Array): Punctuality {
    const key = toHex(publicKey);
    const lags = this.#decided.flatMap((decided) => decided.lags.get(key) ?? []).sort((a, b) => a - b);
    const settled = this.#decided.slice(0, -1);
    return {
      lagMs: lags[Math.floor(lags.length / 2)] ?? null,
      missedHeights: settled.filter(({ keys, lags: voted }) => keys.includes(key) && !voted.has(key)).length,
    };
  }

  #late({ keys, lags, decidedMs }: DecidedHeight, key: string): void {
    if (keys.includes(key) && !lags.has(key)) lags.set(key, Math.round(this.#nowMs() - decidedMs));
  }
}
