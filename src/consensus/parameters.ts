import { certificateFault } from '../ledger/certificate.ts';
import { quorumSize } from '../ledger/validator-set.ts';

/** By what the core lives at one height; times in milliseconds. The same on every validator of a ledger. */
export interface Parameters {
  /** Protocol version of the block to agree on. */
  readonly version: number;
  /** T0: how long view 0 may take. */
  readonly baseTimeoutMs: number;
  /** Tmax: no view waits longer. Liveness holds while transfer, execution, syncs and votes of a block take less. */
  readonly timeoutMaxMs: number;
  /** After this long without a block an empty one is due; bounds how stale a proof can be. */
  readonly heartbeatMs: number;
}

/** How often the core says something of its own accord, in milliseconds. A choice of one node, for its life. */
export interface Intervals {
  /** How often own messages are sent again while nothing is decided. */
  readonly retransmitMs: number;
  /** How often STATUS is sent. */
  readonly statusMs: number;
}

/** The values of a ledger whose genesis names no others. */
export const DEFAULT_PARAMETERS: Parameters = {
  version: 1,
  baseTimeoutMs: 1_000,
  timeoutMaxMs: 16_000,
  heartbeatMs: 30_000,
};

/** The intervals of a node. */
export const DEFAULT_INTERVALS: Intervals = {
  retransmitMs: 1_000,
  statusMs: 5_000,
};

/** PREPAREs are kept for this many views on either side of ours. */
export const PREPARE_VIEWS_AROUND = 2;
/** COMMITs are kept for this many views below ours, and for `PREPARE_VIEWS_AROUND` above. */
export const COMMIT_VIEWS_BEHIND = 16;
/** What is kept of each validator for the height after ours, besides one PREPREPARE. */
export const NEXT_HEIGHT_MESSAGES_MAX = 8;
/** The same in bytes. */
export const NEXT_HEIGHT_BYTES_MAX = 64 * 1024;
/** Heights after T at which one who lost its journal still signs nothing (consensus.md §7). */
const AMNESIA_MARGIN = 2;
/** Further exponent of the view timeout than this changes nothing. */
const TIMEOUT_DOUBLINGS_MAX = 20;

/** timeout(v) = min(T0 · 2^min(v, 20), Tmax), in milliseconds. */
export function viewTimeoutMs(parameters: Parameters, view: number): number {
  const doublings = Math.min(view, TIMEOUT_DOUBLINGS_MAX);
  return Math.min(parameters.baseTimeoutMs * 2 ** doublings, parameters.timeoutMaxMs);
}

/**
 * The rules whose breach the simulator plants, to show that its checks would see it. A node never overrides them.
 */
export interface Rules {
  readonly quorumSize: (validators: number) => number;
  readonly certificateFault: typeof certificateFault;
  /** A VIEWCHANGE claims the prepared certificate held. */
  readonly carriesPrepared: boolean;
  /** A message leaves only after the sync of its record. */
  readonly syncsBeforeSending: boolean;
  /** A proposal of a view below ours is dropped. */
  readonly dropsOldViews: boolean;
  /** COMMITs of the views that we have left are counted. */
  readonly countsOldCommits: boolean;
  /** Heights after the highest tip shown at which one who lost its journal signs nothing. */
  readonly amnesiaMargin: number;
}

/** The rules of consensus.md, as every node follows them. */
export const RULES: Rules = {
  quorumSize,
  certificateFault,
  carriesPrepared: true,
  syncsBeforeSending: true,
  dropsOldViews: true,
  countsOldCommits: true,
  amnesiaMargin: AMNESIA_MARGIN,
};
