const SHUN_FIRST_MS = 1_000;
const SHUN_MAX_MS = 60_000;
/** A peer without a fault for this long is as good as new. */
const FORGIVEN_AFTER_MS = 600_000;

interface Record {
  readonly faults: number;
  readonly shunnedUntilMs: number;
  readonly lastFaultMs: number;
}

/**
 * The score of each peer: its recent faults, and until when the gate keeps it out for them. The time doubles with
 * each fault from one second to a minute: a member is never shut out for good, since agreement may need its vote.
 */
export class Conduct {
  readonly #records = new Map<string, Record>();
  readonly #nowMs: () => number;

  /** `nowMs` is a monotonic clock in milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Notes one fault of an admitted peer; returns for how many milliseconds it is kept out now. */
  recordFault(name: string): number {
    const now = this.#nowMs();
    const before = this.#records.get(name);
    const faults = before === undefined || now - before.lastFaultMs > FORGIVEN_AFTER_MS ? 1 : before.faults + 1;
    const shunnedForMs = Math.min(SHUN_FIRST_MS * 2 ** Math.min(faults - 1, 10), SHUN_MAX_MS);
    this.#records.set(name, { faults, shunnedUntilMs: now + shunnedForMs, lastFaultMs: now });
    return shunnedForMs;
  }

  /** True while the peer is kept out. */
  isShunned(name: string): boolean {
    const record = this.#records.get(name);
    return record !== undefined && this.#nowMs() < record.shunnedUntilMs;
  }

  /** Forgets all peers but these, so that the table stays as small as the membership. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#records.keys()) if (!names.has(name)) this.#records.delete(name);
  }
}
