import type { Effect } from '../consensus/effect.ts';
import type { HeightContext, Input, TimerName, ValidationResult } from '../consensus/input.ts';
import { encodeJournalRecord, type JournalRecord, journalRecordHeight } from '../consensus/journal-record.ts';
import { encodeMessage, type Proposal } from '../consensus/messages.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { encodeBodies, encodeRecord, type HeldBodies } from './journal-entry.ts';

/** The work on blocks that the effects of consensus ask for. */
export interface BlockWork {
  /** A block on the tip, executed and held; null when there is nothing and `allowEmpty` is false. */
  build(height: number, proposer: number, allowEmpty: boolean): Promise<Proposal | null>;
  validate(
    proposal: Proposal,
    mode: 'fresh' | 'reproposed',
    view: number,
    deadlineMs: number,
  ): Promise<ValidationResult>;
  /** Bodies (and attachments) of a block that was built, validated or fetched here. */
  bodiesOf(blockHash: Uint8Array): HeldBodies;
  /** Resolves once the block with this hash is held with all bodies; rejects when no peer had it this time. */
  fetch(blockHash: Uint8Array, from: readonly Uint8Array[]): Promise<Proposal>;
  /** Applies a decided block; resolves when its batch is synced. */
  decide(proposal: Proposal, certificate: Certificate): Promise<HeightContext>;
  /** Whether a transaction waits that may apply, its attachment held. */
  hasPending(): boolean;
  /** Sends the oldest pending transactions to all validators. */
  forwardPending(): void;
  /** Executes what is pending against the head again and drops what fails; true when something applicable remains. */
  recheckPending(): boolean;
  /** A peer may hold higher blocks; `certificate` is one of that height, unverified, or null. */
  behind(height: number, from: Uint8Array, certificate: Certificate | null): void;
  askTips(): void;
}

/** The core, and those who carry out its effects. */
export interface EffectRunnerDependencies {
  readonly step: (input: Input) => readonly Effect[];
  readonly work: BlockWork;
  readonly journal: {
    /** Entries of records of `height`. */
    append(height: number, entries: readonly Uint8Array[]): Promise<void>;
    /** Forgets what is at or below a decided height. */
    truncate(height: number, blockHash: Uint8Array): void;
  };
  readonly network: {
    broadcast(frame: Uint8Array): void;
    send(to: Uint8Array, frame: Uint8Array): void;
  };
  /** Sees each effect before it is carried out. */
  readonly observe: (effect: Effect) => void;
  readonly onReport: (report: Extract<Effect, { kind: 'Report' }>) => void;
  readonly onEvidence: (pair: Extract<Effect, { kind: 'Evidence' }>['pair']) => void;
  /** A failed effect: the node must stop, since what it would sign next could contradict what it lost. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * The one consumer of the consensus core: takes inputs one at a time, and carries out the effects of each in order.
 * What takes time goes on beside it and comes back as an input.
 */
export class EffectRunner {
  readonly #dependencies: EffectRunnerDependencies;
  readonly #mailbox: Input[] = [];
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  #isStepping = false;
  #isClosed = false;

  constructor(dependencies: EffectRunnerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Queues an input; the core takes it before this returns unless it is busy with another. */
  deliver(input: Input): void {
    if (this.#isClosed) return;
    this.#mailbox.push(input);
    if (input.kind === 'Start' || input.kind === 'Applied')
      this.#mailbox.push({
        kind: 'PendingChanged',
        height: input.context.height,
        applicable: this.#dependencies.work.hasPending(),
      });
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#mailbox.shift(); next !== undefined && !this.#isClosed; next = this.#mailbox.shift()) {
        for (const effect of this.#dependencies.step(next)) this.#run(effect);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isStepping = false;
    }
  }

  /** Ends all timers; later inputs and results of outside work are dropped. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#dependencies.onFatal(error);
  }

  /** Work whose failure stops the node. */
  #watch(work: Promise<Input>): void {
    work.then(
      (input) => this.deliver(input),
      (error: unknown) => this.#fail(error),
    );
  }

  #run(effect: Effect): void {
    const { journal, network, observe, onEvidence, onReport, work } = this.#dependencies;
    observe(effect);
    switch (effect.kind) {
      case 'Persist':
        this.#watch(
          journal
            .append(Math.max(...effect.records.map(journalRecordHeight)), this.#journalEntries(effect.records))
            .then(() => ({ kind: 'Synced', token: effect.token })),
        );
        return;
      case 'Broadcast':
        network.broadcast(encodeMessage(effect.message));
        return;
      case 'Send':
        network.send(effect.to, encodeMessage(effect.message));
        return;
      case 'SetTimer':
        this.#setTimer(effect.timer, effect.token, effect.afterMs);
        return;
      case 'CancelTimer':
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        return;
      case 'Truncate':
        journal.truncate(effect.height, effect.blockHash);
        return;
      case 'Behind':
        work.behind(effect.height, effect.from, effect.certificate);
        return;
      case 'Evidence':
        onEvidence(effect.pair);
        return;
      case 'ForwardPending':
        work.forwardPending();
        return;
      case 'AskTips':
        work.askTips();
        return;
      case 'Report':
        onReport(effect);
        return;
      case 'RecheckPending':
        this.deliver({ kind: 'PendingRechecked', height: effect.height, applicable: work.recheckPending() });
        return;
      default:
        this.#runBlockWork(effect);
    }
  }

  #runBlockWork(effect: Extract<Effect, { kind: 'Build' | 'Validate' | 'Fetch' | 'Decide' }>): void {
    const { work } = this.#dependencies;
    const { height } = effect;
    switch (effect.kind) {
      case 'Build':
        this.#watch(
          work
            .build(height, effect.proposer, effect.allowEmpty)
            .then((proposal) => ({ kind: 'Built', height, view: effect.view, proposal })),
        );
        return;
      case 'Validate':
        this.#watch(
          work.validate(effect.proposal, effect.mode, effect.view, effect.deadlineMs).then((result) => ({
            kind: 'Validated',
            height,
            view: effect.view,
            blockHash: effect.blockHash,
            result,
          })),
        );
        return;
      case 'Fetch':
        // Not having found it is no failure: the core asks again while it needs the block.
        work.fetch(effect.blockHash, effect.from).then(
          (proposal) => this.deliver({ kind: 'Fetched', height, blockHash: effect.blockHash, proposal }),
          () => undefined,
        );
        return;
      case 'Decide':
        this.#watch(
          work
            .decide(effect.proposal, effect.certificate)
            .then((context) => ({ kind: 'Applied', context, certificate: effect.certificate })),
        );
    }
  }

  /** A proposal's record is followed by its bodies, so that one append holds all that a restart needs. */
  #journalEntries(records: readonly JournalRecord[]): Uint8Array[] {
    const entries: Uint8Array[] = [];
    for (const record of records) {
      entries.push(encodeRecord(encodeJournalRecord(record)));
      if (record.kind === 'Proposal')
        entries.push(
          encodeBodies(record.message.blockHash, this.#dependencies.work.bodiesOf(record.message.blockHash)),
        );
    }
    return entries;
  }

  #setTimer(timer: TimerName, token: number, afterMs: number): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.set(
      timer,
      setTimeout(() => this.deliver({ kind: 'Timeout', timer, token }), afterMs),
    );
  }
}
