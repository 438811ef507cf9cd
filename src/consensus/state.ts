import { equalBytes, toHex } from '../codec/bytes.ts';
import type { Certificate, VerifySignature } from '../ledger/certificate.ts';
import { faultyMax, validatorIndex } from '../ledger/validator-set.ts';
import type { Effect, ReportCode } from './effect.ts';
import type { HeightContext, TimerName } from './input.ts';
import type { JournalRecord } from './journal-record.ts';
import type { Commit, Justification, PrePrepare, Prepare, Proposal, SignedViewChange, ViewChange } from './messages.ts';
import { emptyBuffer, type NextHeightBuffer } from './next-height.ts';
import { DEFAULT_PARAMETERS, type Intervals, RULES, type Rules } from './parameters.ts';

/** What a core is made of: fixed for its life. */
export interface CoreConfig {
  readonly genesisHash: Uint8Array;
  readonly intervals: Intervals;
  /** Our validator key; null for an observer, which follows and never signs. The index follows from each height's set. */
  readonly publicKey: Uint8Array | null;
  /** Signs with that key; 64 bytes. */
  readonly sign: (preimage: Uint8Array) => Uint8Array;
  /** Used for certificates and the parts of justifications only: a message's own signature is the host's to check. */
  readonly verify: VerifySignature;
  /** Set by the simulator only. */
  readonly rules?: Rules;
}

/** The consensus of one node. Changed by `step` only. */
export interface Core {
  readonly config: CoreConfig;
  readonly rules: Rules;
  started: boolean;
  /** Commit certificate of the block at height − 1; null at genesis. */
  tip: Certificate | null;
  height: HeightState;
  silence: Silence;
  /** Journal records of heights above ours: their slots stay filled when we get there. */
  recovered: readonly JournalRecord[];
  /** Highest height that each validator showed, by key in hex. */
  readonly peerHeights: Map<string, number>;
  /** Peers answered with a certificate since the last retransmission. */
  readonly answered: Set<string>;
  readonly timers: Map<TimerName, number>;
  /** What leaves when a Persist is on disk, by token. */
  readonly releases: Map<number, readonly OwnMessage[]>;
  readonly counters: Map<string, number>;
  nextToken: number;
  /** Retransmissions in a row, at whatever heights, for which something applicable was pending. */
  pendingRounds: number;
  effects: Effect[];
}

/** When we must not sign: at heights up to `through`, and at all while the tips of others are being asked for. */
interface Silence {
  through: number;
  /** Tips shown by others since amnesia was found, by key in hex; null when there is none. */
  tips: Map<string, number> | null;
}

/** What only a validator signs, once a slot, and what goes through the journal. */
export type OwnMessage = PrePrepare | Prepare | Commit | ViewChange;

/** A slot that we filled: the message in it never changes. It is sent and counted once synced. */
export interface Slot<M> {
  readonly message: M;
  synced: boolean;
}

/** The proposal of the current view. */
export interface HeldProposal {
  readonly message: PrePrepare;
  readonly mode: 'fresh' | 'reproposed';
  /** `refused`: not provably invalid, so judged again when it comes again. */
  status: 'validating' | 'valid' | 'refused' | 'invalid';
  /** Its record is in the journal. */
  journalled: boolean;
}

/** A validator's VIEWCHANGE; `complete` when what it claims was shown and verified. */
export interface HeldViewChange {
  readonly part: SignedViewChange;
  readonly certificate: Certificate | null;
  readonly complete: boolean;
}

/** A vote of either phase. */
export type VoteMessage = Prepare | Commit;
/** Votes of one kind by view, then signer. */
export type VoteTable = Map<number, Map<number, VoteMessage>>;

/** A block known at this height; `available` when the host holds its bodies. */
interface KnownBlock {
  readonly proposal: Proposal;
  available: boolean;
}

/** Everything about the height being agreed on; begun anew at each. */
export interface HeightState {
  readonly context: HeightContext;
  readonly quorum: number;
  readonly faulty: number;
  /** Our index in the set, or null. */
  readonly own: number | null;
  /** Highest newView signed or view entered by a valid justification. Never decreases. */
  view: number;
  prePrepare: Slot<PrePrepare> | null;
  prepare: Slot<Prepare> | null;
  commit: Slot<Commit> | null;
  /** The COMMIT before `commit`. */
  earlierCommit: Slot<Commit> | null;
  viewChange: Slot<ViewChange> | null;
  held: HeldProposal | null;
  /** Hash that we PREPAREd in each view within the window of PREPAREs. */
  readonly accepted: Map<number, Uint8Array>;
  readonly blocks: Map<string, KnownBlock>;
  readonly prepares: VoteTable;
  readonly commits: VoteTable;
  readonly viewChanges: Map<number, HeldViewChange>;
  /** Prepared certificate of the highest view; a lower one never replaces it. */
  prepared: Certificate | null;
  decided: { readonly certificate: Certificate; announced: boolean } | null;
  building: { readonly view: number; readonly justification: Justification } | null;
  /** The host had nothing to build and nothing changed since. */
  nothingToBuild: boolean;
  /** Signers to ask, by block hash in hex. */
  readonly fetching: Map<string, { readonly blockHash: Uint8Array; readonly from: readonly Uint8Array[] }>;
  pendingApplicable: boolean;
  heartbeatDue: boolean;
  /** View whose timer was started last; −1 before any. */
  timedView: number;
  rechecking: boolean;
  /** Slots for which evidence was given: `statement/signer`. */
  readonly evidenced: Set<string>;
  readonly next: NextHeightBuffer;
}

/** A core that knows nothing yet; give it Start. */
export function createCore(config: CoreConfig): Core {
  const rules = config.rules ?? RULES;
  return {
    config,
    rules,
    started: false,
    tip: null,
    height: newHeight(config, rules, BEFORE_START),
    silence: { through: 0, tips: null },
    recovered: [],
    peerHeights: new Map(),
    answered: new Set(),
    timers: new Map(),
    releases: new Map(),
    counters: new Map(),
    nextToken: 1,
    pendingRounds: 0,
    effects: [],
  };
}

const NO_HASH = new Uint8Array(32);
const NOBODY = { validators: [], hash: NO_HASH };
const BEFORE_START: HeightContext = {
  height: 0,
  validators: NOBODY,
  nextValidators: NOBODY,
  eligible: [],
  previousHash: NO_HASH,
  parentTimestampMs: 0,
  parameters: DEFAULT_PARAMETERS,
};

/** The state in which a height begins. */
export function newHeight(config: CoreConfig, rules: Rules, context: HeightContext): HeightState {
  const n = context.validators.validators.length;
  const own = config.publicKey === null ? undefined : validatorIndex(context.validators, config.publicKey);
  return {
    context,
    quorum: rules.quorumSize(n),
    faulty: faultyMax(n),
    own: own ?? null,
    view: 0,
    prePrepare: null,
    prepare: null,
    commit: null,
    earlierCommit: null,
    viewChange: null,
    held: null,
    accepted: new Map(),
    blocks: new Map(),
    prepares: new Map(),
    commits: new Map(),
    viewChanges: new Map(),
    prepared: null,
    decided: null,
    building: null,
    nothingToBuild: false,
    fetching: new Map(),
    pendingApplicable: false,
    heartbeatDue: false,
    timedView: -1,
    rechecking: false,
    evidenced: new Set(),
    next: emptyBuffer(),
  };
}

/** primary(h, v) = E(h)[(h + v) mod |E(h)|]. */
export function primaryOf(context: HeightContext, view: number): number {
  const { eligible, height } = context;
  const place = ((height % eligible.length) + (view % eligible.length)) % eligible.length;
  return eligible[place]!;
}

/** True when we hold a seat at this height, nothing is decided and no amnesia forbids it. */
export function maySign(core: Core): boolean {
  const { own, decided, context } = core.height;
  return own !== null && decided === null && core.silence.tips === null && context.height > core.silence.through;
}

/** Adds to the effects of the current step, in order. */
export function emit(core: Core, effect: Effect): void {
  core.effects.push(effect);
}

/** Counts an expected outcome that needs no further word, such as a duplicate. */
export function count(core: Core, reason: string): void {
  core.counters.set(reason, (core.counters.get(reason) ?? 0) + 1);
}

/** Tells the operator, as an effect. */
export function report(core: Core, level: 'info' | 'warn' | 'alarm', code: ReportCode, detail = ''): void {
  const { context, view } = core.height;
  emit(core, { kind: 'Report', level, code, height: context.height, view, detail });
}

/** Key of a validator of the current height. Asserts that the index is one. */
export function publicKeyOf(core: Core, index: number): Uint8Array {
  return core.height.context.validators.validators[index]!.publicKey;
}

/** Remembers a block of this height; what was available stays so. */
export function rememberBlock(core: Core, hash: Uint8Array, proposal: Proposal, available: boolean): void {
  const key = toHex(hash);
  const known = core.height.blocks.get(key);
  if (known === undefined) core.height.blocks.set(key, { proposal, available });
  else if (available) known.available = true;
}

/** The block of this hash, if its bodies are held. */
export function availableBlock(core: Core, hash: Uint8Array): Proposal | undefined {
  const known = core.height.blocks.get(toHex(hash));
  return known?.available === true ? known.proposal : undefined;
}

/** Asks the host for a block, once a hash. */
export function fetchBlock(core: Core, certificate: Certificate): void {
  const { fetching, context } = core.height;
  const key = toHex(certificate.blockHash);
  if (fetching.has(key)) return;
  const from = certificate.signatures
    .map(({ signer }) => publicKeyOf(core, signer))
    .filter((publicKey) => !isOwnKey(core, publicKey));
  fetching.set(key, { blockHash: certificate.blockHash, from });
  emit(core, { kind: 'Fetch', height: context.height, blockHash: certificate.blockHash, from });
}

/** True when this is the key that we sign with. */
export function isOwnKey(core: Core, publicKey: Uint8Array): boolean {
  return core.config.publicKey !== null && equalBytes(core.config.publicKey, publicKey);
}
