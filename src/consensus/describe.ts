import { toHex } from '../codec/bytes.ts';
import type { TimerName } from './input.ts';
import { type Core, maySign, primaryOf, type VoteTable } from './state.ts';

/** Where a core stands, for the operator: what it waits for and from whom. */
export interface CoreDescription {
  readonly height: number;
  readonly view: number;
  readonly primary: number;
  readonly own: number | null;
  readonly quorum: number;
  readonly maySign: boolean;
  /** Last height at which amnesia forbids signing; null while that is not known yet. */
  readonly silentThrough: number | null;
  readonly decided: boolean;
  /** Hash in hex and state of the view's proposal; null when none is held. */
  readonly proposal: { readonly hash: string; readonly status: string } | null;
  /** View of the prepared certificate held. */
  readonly preparedView: number | null;
  /** Signers of the current view's votes, and those who are missing. */
  readonly prepares: Turnout;
  readonly commits: Turnout;
  /** Highest newView of each validator that sent one. */
  readonly viewChanges: readonly { readonly signer: number; readonly newView: number }[];
  readonly timers: readonly TimerName[];
  /** How often what was dropped or refused, by reason. */
  readonly counters: Readonly<Record<string, number>>;
}

interface Turnout {
  readonly there: readonly number[];
  readonly missing: readonly number[];
}

/** A snapshot of the core in plain values. */
export function describeCore(core: Core): CoreDescription {
  const { height, silence } = core;
  return {
    height: height.context.height,
    view: height.view,
    primary: primaryOf(height.context, height.view),
    own: height.own,
    quorum: height.quorum,
    maySign: maySign(core),
    silentThrough: silence.tips === null ? silence.through : null,
    decided: height.decided !== null,
    proposal: height.held && { hash: toHex(height.held.message.blockHash), status: height.held.status },
    preparedView: height.prepared?.view ?? null,
    prepares: turnoutOf(core, height.prepares),
    commits: turnoutOf(core, height.commits),
    viewChanges: [...height.viewChanges].map(([signer, { part }]) => ({ signer, newView: part.newView })),
    timers: [...core.timers.keys()],
    counters: Object.fromEntries(core.counters),
  };
}

function turnoutOf(core: Core, table: VoteTable): Turnout {
  const { context, view } = core.height;
  const bySigner = table.get(view);
  const indices = context.validators.validators.map((_, index) => index);
  return {
    there: indices.filter((index) => bySigner?.has(index) === true),
    missing: indices.filter((index) => bySigner?.has(index) !== true),
  };
}
