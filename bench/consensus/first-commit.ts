/** A block as a node's event stream told of it; times on one monotonic clock. */
export interface BlockSighting {
  /** Place of the node that told. */
  readonly node: number;
  readonly height: number;
  readonly atMs: number;
}

/** A transaction of a load that goes on, on the same clock. */
export interface TrackedTransaction {
  readonly plannedMs: number;
  /** When the client had read that it is committed; NaN where it never did. */
  readonly committedMs: number;
}

/** A kill, and what was seen of it. */
export interface CrashTrace {
  /** Place of the node killed: what it told before it died does not count. */
  readonly victim: number;
  readonly killedMs: number;
  /** The height whose primary in view 0 is the node killed. */
  readonly dueHeight: number;
  /** View of the certificate of the block at `dueHeight`, as a survivor holds it. */
  readonly dueView: number;
  readonly sightings: readonly BlockSighting[];
  readonly transactions: readonly TrackedTransaction[];
}

/** What a kill cost. */
export interface CrashReading {
  /**
   * Whether the kill took the primary's turn: its block was not agreed on in view 0, so no part of the agreement that
   * followed can have been finished before the kill. Otherwise its block had been as good as decided.
   */
  readonly tookTurn: boolean;
  /** From the kill to the first commit, seen by a client of a survivor, of a transaction planned after the kill. */
  readonly firstTransactionMs: number;
  /** From the kill to the first block at `dueHeight` or above that a survivor told of. */
  readonly firstBlockMs: number;
}

/** Reads a kill; times are NaN where what they wait for was not seen. */
export function readCrash(trace: CrashTrace): CrashReading {
  const { victim, killedMs, dueHeight, dueView, sightings, transactions } = trace;
  const commits = transactions.filter(({ plannedMs }) => plannedMs > killedMs).map(({ committedMs }) => committedMs);
  const blocks = sightings.filter(({ node, height }) => node !== victim && height >= dueHeight).map(({ atMs }) => atMs);
  return {
    tookTurn: dueView > 0,
    firstTransactionMs: earliest(commits) - killedMs,
    firstBlockMs: earliest(blocks) - killedMs,
  };
}

function earliest(times: readonly number[]): number {
  const seen = times.filter((time) => !Number.isNaN(time));
  return seen.length === 0 ? Number.NaN : Math.min(...seen);
}

/** Whether every one of these proposers, from `height` on, is the primary of view 0 with no validator passed over. */
export function isInRotation(height: number, proposers: readonly number[], validators: number): boolean {
  return proposers.every((proposer, place) => proposer === primaryInTurn(height + place, validators));
}

/** primary(h, 0) while no validator is passed over (consensus.md §1). */
export function primaryInTurn(height: number, validators: number): number {
  return height % validators;
}
