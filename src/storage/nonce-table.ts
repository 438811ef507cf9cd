/** Most request nonces remembered at once. */
export const NONCES_MAX = 100_000;
/** Longest nonce, in UTF-8 bytes. */
export const NONCE_BYTES_MAX = 128;
/** Expired nonces are swept at most this often: a full table must not cost a sweep for every request refused. */
const SWEEP_INTERVAL_MS = 1_000;

/** What became of a nonce. */
export type NonceVerdict =
  /** Not seen before; `forgotten` are those that expired and need no place on disk any more. */
  | { readonly kind: 'fresh'; readonly forgotten: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: 'seen' | 'expired' | 'full' };

/** Request nonces until they expire. A full table refuses: dropping a live nonce would let its request be replayed. */
export class NonceTable {
  readonly #limit: number;
  readonly #expiry = new Map<string, number>();
  #nextSweepMs = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes over a nonce read from disk. */
  load(nonce: string, expiresMs: number): void {
    this.#expiry.set(nonce, expiresMs);
  }

  use(nonce: string, expiresMs: number, nowMs: number): NonceVerdict {
    if (expiresMs <= nowMs) return { kind: 'refused', reason: 'expired' };
    const known = this.#expiry.get(nonce);
    if (known !== undefined && known > nowMs) return { kind: 'refused', reason: 'seen' };
    const forgotten = nowMs >= this.#nextSweepMs ? this.#sweep(nowMs) : [];
    if (this.#expiry.size >= this.#limit) return { kind: 'refused', reason: 'full' };
    this.#expiry.set(nonce, expiresMs);
    return { kind: 'fresh', forgotten };
  }

  #sweep(nowMs: number): readonly string[] {
    const forgotten: string[] = [];
    for (const [nonce, expiresMs] of this.#expiry) {
      if (expiresMs > nowMs) continue;
      this.#expiry.delete(nonce);
      forgotten.push(nonce);
    }
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    return forgotten;
  }
}
