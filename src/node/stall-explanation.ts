/** A validator of the height being agreed on, as far as its part in it is known here. */
export interface ValidatorPart {
  readonly name: string;
  /** This node counts as connected to itself. */
  readonly connected: boolean;
  /** Its votes for the current view that are held here. */
  readonly prepared: boolean;
  readonly committed: boolean;
  /** Highest view that it asked to change to. */
  readonly viewChange: number | null;
}

/** Where the agreement on the next block stands, in plain values. */
export interface StallFacts {
  readonly view: number;
  /** Index of this node; null for one without a seat. */
  readonly own: number | null;
  /** Index of the primary of the view. */
  readonly primary: number;
  readonly quorum: number;
  readonly validators: readonly ValidatorPart[];
  readonly proposal: 'none' | 'validating' | 'valid' | 'refused' | 'invalid';
  /** Why the proposal was refused here: a code, where known. */
  readonly refusal: string | null;
  /** A quorum of COMMITs is held; the block is being fetched or written. */
  readonly isDecided: boolean;
  readonly isCatchingUp: boolean;
  /** The journal was lost: nothing is signed up to this height; `unknown` until the others have shown their tips. */
  readonly silentThrough: number | 'unknown' | null;
  readonly transactionsPending: number;
  readonly nextTimeoutMs: number | null;
  readonly lastCommitAgeMs: number | null;
  /** A commit younger than this shows that all is well: the timeout of view 0. */
  readonly recentMs: number;
}

/** Why nothing is committed now, in sentences for the operator; empty when all is well. */
export function explainStall(facts: StallFacts): string[] {
  if (facts.lastCommitAgeMs !== null && facts.lastCommitAgeMs < facts.recentMs) return [];
  const sentences = [...ownHindrances(facts), ...missingQuorum(facts)];
  if (isWaiting(facts) && !facts.isCatchingUp) sentences.push(...phase(facts));
  return sentences;
}

/** Something is to be agreed on. */
function isWaiting(facts: StallFacts): boolean {
  const { transactionsPending, view, proposal, nextTimeoutMs, isDecided } = facts;
  return transactionsPending > 0 || view > 0 || proposal !== 'none' || nextTimeoutMs !== null || isDecided;
}

function ownHindrances({ isCatchingUp, silentThrough }: StallFacts): string[] {
  const sentences: string[] = [];
  if (isCatchingUp)
    sentences.push('This node catches up: it fetches blocks that it missed, and votes again after them.');
  if (silentThrough === 'unknown')
    sentences.push('This node lost its journal and is silent until the other validators have shown where they stand.');
  else if (silentThrough !== null)
    sentences.push(`This node lost its journal and is silent up to height ${silentThrough}.`);
  return sentences;
}

function missingQuorum({ validators, quorum, own }: StallFacts): string[] {
  const missing = validators.filter(({ connected }) => !connected);
  const there = validators.length - missing.length;
  if (there >= quorum) return [];
  const self = own === null ? '' : ', this node included';
  const names = missing.map(({ name }) => name).join(', ');
  return [`${there} of ${validators.length} validators are connected${self}; ${quorum} are needed. Missing: ${names}.`];
}

/** Where the agreement stands. */
function phase(facts: StallFacts): string[] {
  if (facts.isDecided) return ['The block is decided; it is being fetched or written here.'];
  const target = viewAskedFor(facts);
  if (target === null) return [proposalState(facts)];
  return target > facts.view ? [viewChange(facts, target), proposalState(facts)] : [viewChange(facts, target)];
}

function proposalState(facts: StallFacts): string {
  const { primary, own, view } = facts;
  const proposal = `The proposal of ${nameOf(facts, primary)}, the primary of view ${view},`;
  switch (facts.proposal) {
    case 'none':
      return primary === own
        ? `This node is the primary of view ${view} and has proposed nothing yet; ${timeoutText(facts)}.`
        : `${proposal} has not come; ${timeoutText(facts)}.`;
    case 'validating':
      return `${proposal} is being checked here; ${timeoutText(facts)}.`;
    case 'refused':
    case 'invalid':
      return `${proposal} was refused here: ${refusalText(facts)}; ${timeoutText(facts)}.`;
    case 'valid':
      return votesMissing(facts);
  }
}

/** Who has COMMITted has PREPAREd, also where only the later vote came. */
function votesMissing(facts: StallFacts): string {
  const { validators, quorum } = facts;
  const hasPrepared = ({ prepared, committed }: ValidatorPart) => prepared || committed;
  const isPrepared = validators.filter(hasPrepared).length >= quorum;
  const hasVoted = isPrepared ? ({ committed }: ValidatorPart) => committed : hasPrepared;
  const missing = namesOf(facts, (part) => !hasVoted(part));
  const there = validators.filter(hasVoted).length;
  const waiting = isPrepared ? 'Waiting for COMMITs of' : 'Waiting for PREPAREs of';
  return `${waiting} ${missing} (${there} of ${quorum} needed are here); ${timeoutText(facts)}.`;
}

/** The view that a change under way leads to: one above ours, or ours while too few have asked for it. */
function viewAskedFor({ validators, view, quorum, proposal }: StallFacts): number | null {
  const highest = Math.max(0, ...validators.map(({ viewChange }) => viewChange ?? 0));
  if (highest > view) return highest;
  const isEntered = proposal !== 'none' || validators.filter((part) => hasAsked(part, view)).length >= quorum;
  return view === 0 || isEntered ? null : view;
}

function viewChange(facts: StallFacts, target: number): string {
  const { validators, quorum } = facts;
  const asked = namesOf(facts, (part) => hasAsked(part, target));
  const others = namesOf(facts, (part) => !hasAsked(part, target));
  const there = validators.filter((part) => hasAsked(part, target)).length;
  return (
    `A change to view ${target} is under way, asked for by ${asked}, not by ${others} ` +
    `(${there} of ${quorum} needed have asked); ${timeoutText(facts)}.`
  );
}

function hasAsked({ viewChange: asked }: ValidatorPart, view: number): boolean {
  return asked !== null && asked >= view;
}

function namesOf(facts: StallFacts, isMeant: (part: ValidatorPart) => boolean): string {
  const names = facts.validators.flatMap((part, index) => (isMeant(part) ? [nameOf(facts, index)] : []));
  return names.length === 0 ? 'nobody' : names.join(', ');
}

function nameOf({ validators, own }: StallFacts, index: number): string {
  const name = validators[index]?.name ?? `validator ${index}`;
  if (index === own) return `${name} (this node)`;
  return validators[index]?.connected === false ? `${name} (not connected)` : name;
}

function timeoutText({ nextTimeoutMs }: StallFacts): string {
  return nextTimeoutMs === null ? 'no timeout runs' : `next timeout in ${(nextTimeoutMs / 1_000).toFixed(1)} s`;
}

/** Refusals that more often lie with this node or its line than with the primary. */
const REFUSALS: Readonly<Record<string, string>> = {
  bodiesMissing: 'transactions of it could not be had from any member in time',
  attachmentsMissing: 'attachments of it could not be had from any member in time',
  timestampAhead: 'its timestamp is ahead of the clock of this node',
  unknownVersion: 'its version is not the one in force',
};

function refusalText({ refusal }: StallFacts): string {
  if (refusal === null) return 'the reason is in the log';
  const text = REFUSALS[refusal];
  return text === undefined ? refusal : `${text} (${refusal})`;
}
