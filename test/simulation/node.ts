import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { admitMessage } from '../../src/consensus/admission.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { HeightContext, Input } from '../../src/consensus/input.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import { type Commit, decodeMessage, encodeMessage, type Message } from '../../src/consensus/messages.ts';
import { DEFAULT_INTERVALS, type Rules } from '../../src/consensus/parameters.ts';
import { journalVerdict } from '../../src/consensus/recovery.ts';
import { type Core, createCore } from '../../src/consensus/state.ts';
import { step } from '../../src/consensus/step.ts';
import { quorumSize, validatorIndex } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { BlockWork } from './block-work.ts';
import { CommitWatch } from './commit-watch.ts';
import { Disk, type DiskCopy } from './disk.ts';
import { fakeKey } from './keys.ts';
import type { Ledger, SimulatedTransaction } from './ledger.ts';
import type { Liar } from './liar.ts';
import type { Prng } from './prng.ts';
import type { World } from './world.ts';

/** How often one without a seat asks a peer for blocks. */
const OBSERVER_POLL_MS = 400;

/** What a simulated node is made of. */
export interface NodeOptions {
  /** Place in the world; a twin has one of its own. */
  readonly index: number;
  /** Number of its key. */
  readonly number: number;
  readonly rules: Rules;
  readonly skewMs: number;
  readonly liar: Liar | undefined;
  readonly isTwin: boolean;
  readonly ledger: () => Ledger;
}

/** One simulated node: a disk that lasts, and a core and memory that end with each crash. */
export class SimulatedNode {
  readonly index: number;
  readonly number: number;
  readonly publicKey: Uint8Array;
  readonly skewMs: number;
  readonly liar: Liar | undefined;
  readonly isTwin: boolean;
  readonly world: World;
  readonly work: BlockWork;
  readonly #prng: Prng;
  readonly #rules: Rules;
  readonly #newLedger: () => Ledger;
  /** State after the last block on the disk. */
  ledger: Ledger;
  disk = new Disk();
  core: Core | undefined;
  /** It lost what it had signed and was told so: it may say so, and is silent. */
  isAmnesiac = false;
  /** Gone for good. */
  isLost = false;
  /** Rolled back behind its own back: at heights up to this one it counts among the faulty. */
  uncheckedThrough = 0;
  /** Until then each sync takes long. */
  slowUntilMs = 0;
  /** The next write is interrupted by a crash of this length. */
  crashAtNextWriteMs: number | undefined;
  #watch = new CommitWatch();
  /** Lives so far: what was planned in an earlier one does not happen. */
  #life = 0;
  #lastSyncMs = 0;

  constructor(world: World, options: NodeOptions) {
    this.world = world;
    this.index = options.index;
    this.number = options.number;
    this.publicKey = fakeKey(options.number);
    this.#rules = options.rules;
    this.skewMs = options.skewMs;
    this.liar = options.liar;
    this.isTwin = options.isTwin;
    this.#prng = world.prng;
    this.#newLedger = options.ledger;
    this.ledger = options.ledger();
    this.work = new BlockWork(this);
    if (this.liar !== undefined) this.liar.ownIndex = (context) => this.#indexIn(context);
  }

  /** Its word is watched: it neither lies nor shares its key. */
  get isHonest(): boolean {
    return this.liar === undefined && !this.isTwin;
  }

  get applied(): number {
    return this.disk.blocks.length;
  }

  start(): void {
    if (this.isLost) return;
    this.#life += 1;
    const { publicKey, world } = this;
    this.core = createCore({
      genesisHash: this.ledger.genesisHash,
      intervals: DEFAULT_INTERVALS,
      publicKey,
      sign: (preimage) => world.scheme.sign(publicKey, preimage),
      verify: world.scheme.verify,
      rules: this.#rules,
    });
    this.#watch = new CommitWatch();
    const records = this.disk.records();
    this.work.begin(records);
    const { startHeight } = this.ledger;
    const journal = journalVerdict(records, this.applied, startHeight) === 'amnesia' ? 'amnesia' : 'intact';
    const tip = this.applied === startHeight ? null : this.disk.blocks.at(-1)!.certificate;
    this.give({ kind: 'Start', context: this.ledger.context, tip, records, journal });
    this.work.tellPending(true);
    for (const peer of world.nodes)
      if (peer.number !== this.number && peer.core !== undefined) world.connect(this, peer);
    this.#poll();
  }

  crash(): void {
    this.core = undefined;
    this.crashAtNextWriteMs = undefined;
    this.work.end();
    this.#durable(this.disk.crash(this.#prng));
  }

  /** Puts another content on the disk: of a backup, or nothing. The node is down. */
  restore({ journal, blocks }: DiskCopy): void {
    if (blocks.length !== this.applied) {
      this.ledger = this.#newLedger();
      for (const { proposal, certificate } of blocks)
        this.ledger.apply(proposal, certificate, this.world.extraOf(this));
    }
    this.disk.restore(journal, blocks);
  }

  /** Applies a signed restart of the ledger after `blocks`; a node that is behind takes these first. It is down. */
  restart(genesisHash: Uint8Array, seats: readonly number[], blocks: DiskCopy['blocks']): void {
    const verdict = journalVerdict(this.disk.records(), this.applied, this.ledger.startHeight);
    if (blocks.length !== this.applied) this.restore({ journal: [], blocks });
    this.ledger.restart(genesisHash, seats);
    this.isAmnesiac = verdict === 'amnesia';
    this.uncheckedThrough = 0;
    this.disk.begin(this.isAmnesiac ? 'Amnesia' : 'Birth');
  }

  give(input: Input): void {
    const { core, world } = this;
    if (core === undefined) return;
    const effects = step(core, input);
    world.note(this, input, effects);
    if (this.isHonest) {
      world.invariants.onStep(this.index, core);
      world.invariants.onTimers(this.index, core, effects);
      if (!this.isAmnesiac && this.uncheckedThrough === 0) world.invariants.onReports(this.index, effects);
    }
    for (const effect of effects) this.#carryOut(effect);
  }

  receive(from: SimulatedNode, sent: Message): void {
    if (this.core === undefined) return;
    // Now and then by way of its bytes, as on a wire.
    const message = this.#prng.chance(0.02) ? decodeMessage(encodeMessage(sent)) : sent;
    const loud = this.liar?.hear(message);
    if (loud !== undefined)
      for (const peer of this.world.nodes)
        if (peer.number !== this.number) this.world.network.send(this.index, peer.index, loud);
    const admission = admitMessage(this.core, message);
    if (admission.kind === 'drop') {
      if (message.kind === 'Commit') this.#watchCommit(message);
      return;
    }
    const { direct } = admission;
    if (
      direct !== null &&
      message.kind !== 'Decided' &&
      !this.world.isSigned(message, direct.publicKey, () => direct.preimage)
    )
      return;
    const input: Input = { kind: 'Message', from: from.publicKey, message, verified: direct !== null };
    // Verification happens elsewhere and may come back late and out of order.
    if (this.#prng.chance(0.95)) this.#giveMessage(input);
    else this.later(this.#prng.between(1, 30), () => this.#giveMessage(input));
  }

  /** Plans something for this life. */
  later(afterMs: number, act: () => void): void {
    const life = this.#life;
    this.world.heap.plan(afterMs, () => {
      if (this.#life === life && this.core !== undefined) act();
    });
  }

  submit(transaction: SimulatedTransaction): void {
    if (this.core !== undefined) this.work.submit([transaction]);
  }

  #giveMessage(input: Extract<Input, { kind: 'Message' }>): void {
    const { height } = this.core!;
    this.give(input);
    // One that was too far ahead when it came, and was not verified, is dropped: it comes again.
    const counts = input.verified && input.message.kind === 'Commit' && this.core?.height === height;
    if (counts) this.#watchCommit(input.message);
  }

  /** What a node heard, before its own filters: it must decide on it, whatever it keeps. */
  #watchCommit(commit: Commit): void {
    const core = this.core!;
    const { context, view } = core.height;
    if (commit.height !== context.height || !this.isHonest) return;
    const key = context.validators.validators[commit.signer]?.publicKey;
    if (key === undefined) return;
    if (!this.world.isSigned(commit, key, () => votePreimage('COMMIT', this.ledger.genesisHash, commit))) return;
    // It may have said another thing before this height was entered: then that stands.
    const kept = core.height.commits.get(commit.view)?.get(commit.signer);
    if (kept !== undefined && !equalBytes(kept.blockHash, commit.blockHash)) return;
    this.#watch.hear(commit, view, quorumSize(context.validators.validators.length));
    this.#watch.check(this.index, core);
  }

  #carryOut(effect: Effect): void {
    const { work, world } = this;
    switch (effect.kind) {
      case 'Persist':
        this.#persist(effect);
        return;
      case 'Broadcast':
        for (const { publicKey } of this.core?.height.context.validators.validators ?? [])
          if (publicKey !== this.publicKey) this.#send(publicKey, effect.message);
        return;
      case 'Send':
        this.#send(effect.to, effect.message);
        return;
      case 'SetTimer': {
        // One that was replaced or cancelled is known by its token.
        const { timer, token } = effect;
        this.later(effect.afterMs, () => this.give({ kind: 'Timeout', timer, token }));
        return;
      }
      case 'Build':
        work.build(effect);
        return;
      case 'Validate':
        work.validate(effect, world.heap.nowMs + effect.deadlineMs);
        return;
      case 'Fetch':
        work.fetch(effect);
        return;
      case 'Decide':
        work.decide(effect);
        return;
      case 'Truncate':
        this.disk.truncate(effect.height, effect.blockHash);
        return;
      case 'Behind':
        for (const peer of world.nodesOf(effect.from)) work.catchUp(peer);
        return;
      case 'ForwardPending':
        work.forward();
        return;
      case 'RecheckPending':
        work.recheck(effect.height);
        return;
      case 'AskTips':
        this.#askTips();
        return;
      case 'CancelTimer':
      case 'Evidence':
      case 'Report':
        return;
    }
  }

  #persist({ token, records }: Extract<Effect, { kind: 'Persist' }>): void {
    const { heap } = this.world;
    this.disk.append(records);
    const isSlow = heap.nowMs < this.slowUntilMs || this.#prng.chance(0.02);
    const durationMs = isSlow ? this.#prng.between(50, 400) : this.#prng.between(1, 15);
    this.#lastSyncMs = Math.max(this.#lastSyncMs, heap.nowMs) + durationMs;
    this.later(this.#lastSyncMs - heap.nowMs, () => {
      this.#durable(this.disk.sync());
      this.give({ kind: 'Synced', token });
    });
    const downMs = this.crashAtNextWriteMs;
    if (downMs === undefined) return;
    // The moment between a write and its sync is the one that matters.
    this.crashAtNextWriteMs = undefined;
    this.later(this.#prng.between(0, durationMs), () => this.world.crash(this, downMs, 'crashAtSync'));
  }

  #durable(records: readonly JournalRecord[]): void {
    if (!this.isHonest) return;
    const checked = records.filter((record) => !('message' in record) || record.message.height > this.uncheckedThrough);
    this.world.invariants.onDurable(this.number, checked);
  }

  #send(to: Uint8Array, message: Message): void {
    const { network, invariants } = this.world;
    const { liar } = this;
    const context = this.core!.height.context;
    if (this.isHonest && message.kind !== 'Decided' && message.height > this.uncheckedThrough)
      invariants.onSend(this.number, message, this.#indexIn(context));
    for (const peer of this.world.nodesOf(to)) {
      if (liar === undefined) {
        network.send(this.index, peer.index, message);
        continue;
      }
      for (const spoken of liar.speak(message, peer.number, context)) {
        if (liar.invented !== undefined) this.work.hold(liar.invented.proposal);
        this.work.holdOf(spoken.message);
        network.send(this.index, peer.index, spoken.message, spoken.extraMs);
      }
    }
  }

  #indexIn(context: HeightContext): number | null {
    return validatorIndex(context.validators, this.publicKey) ?? null;
  }

  #askTips(): void {
    for (const peer of this.world.holders(this))
      this.later(this.world.network.delayMs(), () =>
        this.give({ kind: 'TipShown', peer: peer.publicKey, height: peer.applied }),
      );
  }

  /** One without a seat where others stand is sent no messages of theirs, whatever it knows itself: it asks. */
  #poll(): void {
    this.later(OBSERVER_POLL_MS, () => {
      const peers = this.world.holders(this);
      if (peers.length > 0) {
        const peer = this.#prng.pick(peers);
        if (this.#indexIn(peer.ledger.context) === null) this.work.catchUp(peer);
      }
      this.#poll();
    });
  }

  /** For people. */
  get name(): string {
    const role = this.liar !== undefined ? ' (liar)' : this.isTwin ? ' (twin)' : '';
    return `${this.index}${role} key ${toHex(this.publicKey.subarray(0, 2))}`;
  }
}
