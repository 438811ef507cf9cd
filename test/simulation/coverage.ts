import type { Effect, ReportCode } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import type { Message } from '../../src/consensus/messages.ts';
import { BEHAVIOURS, FAULT_KINDS } from './plan.ts';

type Names<K extends string, Prefix extends string> = { readonly [P in K]: `${Prefix}.${P}` };

/** Names of the counts, one of each kind of message. */
export const MESSAGE_NAMES: Names<Message['kind'], 'message'> = {
  PrePrepare: 'message.PrePrepare',
  Prepare: 'message.Prepare',
  Commit: 'message.Commit',
  ViewChange: 'message.ViewChange',
  Status: 'message.Status',
  Decided: 'message.Decided',
};

/** The same of inputs that are no messages. */
export const INPUT_NAMES: Names<Exclude<Input['kind'], 'Message'>, 'input'> = {
  Start: 'input.Start',
  Timeout: 'input.Timeout',
  Built: 'input.Built',
  Validated: 'input.Validated',
  Fetched: 'input.Fetched',
  Synced: 'input.Synced',
  PendingChanged: 'input.PendingChanged',
  PendingRechecked: 'input.PendingRechecked',
  Connected: 'input.Connected',
  TipShown: 'input.TipShown',
  Applied: 'input.Applied',
};

/** The same of effects; Validate is counted by its mode. */
export const EFFECT_NAMES: Names<Exclude<Effect['kind'], 'Report' | 'Validate'>, 'effect'> = {
  Persist: 'effect.Persist',
  Broadcast: 'effect.Broadcast',
  Send: 'effect.Send',
  SetTimer: 'effect.SetTimer',
  CancelTimer: 'effect.CancelTimer',
  Build: 'effect.Build',
  Fetch: 'effect.Fetch',
  Decide: 'effect.Decide',
  Truncate: 'effect.Truncate',
  Behind: 'effect.Behind',
  Evidence: 'effect.Evidence',
  ForwardPending: 'effect.ForwardPending',
  RecheckPending: 'effect.RecheckPending',
  AskTips: 'effect.AskTips',
};

/** Reports that the faults of a plan can bring about. */
const REPORTS: readonly ReportCode[] = [
  'started',
  'viewChangeSent',
  'viewEntered',
  'proposalRefused',
  'proposalInvalid',
  'equivocation',
  'amnesia',
  'amnesiaEnds',
  'unknownOwnSignature',
];

/** Everything that enough runs together must have done at least once. */
const WANTED: readonly string[] = [
  ...Object.values(MESSAGE_NAMES),
  ...Object.values(INPUT_NAMES),
  ...Object.values(EFFECT_NAMES),
  'effect.Validate.fresh',
  'effect.Validate.reproposed',
  ...REPORTS.map((code) => `report.${code}`),
  ...FAULT_KINDS.map((kind) => `fault.${kind}`),
  ...BEHAVIOURS.map((behaviour) => `liar.${behaviour}`),
  ...['lost', 'duplicated', 'delayed', 'reordered', 'cut'].map((what) => `network.${what}`),
  ...['conflictingPair', 'idTwice'].map((what) => `client.${what}`),
  ...['certificateOfAnotherView', 'twins', 'skewedClocks', 'membershipChanged', 'parametersChanged', 'restarted'].map(
    (what) => `end.${what}`,
  ),
];

/** Counts of many runs together. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  add(counts: Readonly<Record<string, number>>): void {
    for (const [what, times] of Object.entries(counts)) this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  get missing(): readonly string[] {
    return WANTED.filter((what) => (this.#counts.get(what) ?? 0) === 0);
  }

  /** A line each, wanted things that never happened included. */
  get lines(): readonly string[] {
    const names = new Set([...WANTED, ...this.#counts.keys()]);
    return [...names].sort().map((what) => `${what.padEnd(34)} ${this.#counts.get(what) || 'NEVER'}`);
  }
}
