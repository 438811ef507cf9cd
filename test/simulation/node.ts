import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { admitMessage } from '../../src/consensus/admission.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import { decodeMessage, encodeMessage, type Message, type Proposal } from '../../src/consensus/messages.ts';
import { DEFAULT_PARAMETERS, PRECISION_MS, type Rules } from '../../src/consensus/parameters.ts';
import { journalVerdict } from '../../src/consensus/recovery.ts';
import { type Core, createCore } from '../../src/consensus/state.ts';
import { step } from '../../src/consensus/step.ts';
import { blockHash, decodeHeader } from '../../src/ledger/block.ts';
import { type Certificate, certificateFault } from '../../src/ledger/certificate.ts';
import { contextAfter, makeProposal } from './application.ts';
import { Disk } from './disk.ts';
import { fakeSign, fakeVerify, GENESIS_HASH } from './keys.ts';
import type { Liar } from './liar.ts';
import type { World } from './world.ts';

const BLOCK_TRANSACTIONS = 5;
const SYNC_BLOCKS = 64;
/** Sooner than in a node, so that short runs see heartbeats. */
const PARAMETERS = { ...DEFAULT_PARAMETERS, heartbeatMs: 8_000 };

/** One simulated node: a disk that lasts, and a core and memory that end with each crash. */
export class SimulatedNode {
  readonly index: number;
  readonly #world: World;
  readonly #rules: Rules;
  readonly skewMs: number;
  liar: Liar | undefined;
  disk = new Disk();
  /** It lost its journal once: it counts among the f, and may say so. */
  isAmnesiac = false;
  core: Core | undefined;
  /** Blocks whose bodies are held, by hash. */
  #bodies = new Map<string, Proposal>();
  #pending = new Map<string, Uint8Array>();
  /** Lives so far: what was planned in an earlier one does not happen. */
  #life = 0;
  #lastSyncMs = 0;
  #catchingUp = false;

  constructor(world: World, index: number, options: { rules: Rules; skewMs: number; liar: Liar | undefined }) {
    this.#world = world;
    this.index = index;
    this.#rules = options.rules;
    this.skewMs = options.skewMs;
    this.liar = options.liar;
  }

  get publicKey(): Uint8Array {
    return this.#world.validators.validators[this.index]!.publicKey;
  }

  get applied(): number {
    return this.disk.blocks.length;
  }

  start(): void {
    this.#life += 1;
    const { publicKey } = this;
    this.core = createCore({
      genesisHash: GENESIS_HASH,
      parameters: PARAMETERS,
      publicKey,
      sign: (preimage) => fakeSign(publicKey, preimage),
      verify: fakeVerify,
      rules: this.#rules,
    });
    const records = this.disk.records();
    for (const record of records) if (record.kind === 'Proposal') this.#hold(record.message.proposal);
    for (const { proposal } of this.disk.blocks) this.#hold(proposal);
    const tip = this.disk.blocks.at(-1);
    const journal = journalVerdict(records, this.applied) === 'amnesia' ? 'amnesia' : 'intact';
    const context = contextAfter(this.#world.validators, tip?.proposal);
    this.give({ kind: 'Start', context, tip: tip?.certificate ?? null, records, journal });
    this.#tellPending();
    for (const peer of this.#world.nodes)
      if (peer !== this && peer.core !== undefined) this.#world.connect(this.index, peer.index);
  }

  crash(): void {
    this.core = undefined;
    this.#bodies.clear();
    this.#pending.clear();
    this.#catchingUp = false;
    this.#durable(this.disk.crash(this.#world.prng));
  }

  give(input: Input): void {
    if (this.core === undefined) return;
    const effects = step(this.core, input);
    this.#world.note(this.index, input, effects);
    if (this.liar === undefined) {
      this.#world.invariants.onStep(this.index, this.core);
      if (!this.isAmnesiac) this.#world.invariants.onReports(this.index, effects);
    }
    for (const effect of effects) this.#carryOut(effect);
  }

  receive(from: number, frame: Uint8Array): void {
    if (this.core === undefined) return;
    const message = decodeMessage(frame);
    this.liar?.hear(message);
    const admission = admitMessage(this.core, message);
    if (admission.kind === 'drop') return;
    const { direct } = admission;
    if (direct !== null && !fakeVerify(direct.signature, direct.preimage, direct.publicKey)) return;
    const input: Input = { kind: 'Message', from: this.#world.keyOf(from), message, verified: direct !== null };
    // Verification happens elsewhere and may come back late and out of order.
    if (this.#world.prng.chance(0.9)) this.give(input);
    else this.#later(this.#world.prng.between(1, 30), () => this.give(input));
  }

  submit(txHash: Uint8Array): void {
    if (this.core === undefined) return;
    this.#pending.set(toHex(txHash), txHash);
    this.#tellPending();
  }

  connected(peer: number): void {
    this.give({ kind: 'Connected', peer: this.#world.keyOf(peer) });
  }

  /** A block of this hash for a peer that asks; a liar often has none for it. */
  serve(hash: Uint8Array): Proposal | undefined {
    if (this.core === undefined || (this.liar !== undefined && this.#world.prng.chance(0.5))) return undefined;
    return this.#bodies.get(toHex(hash));
  }

  #carryOut(effect: Effect): void {
    const { prng } = this.#world;
    switch (effect.kind) {
      case 'Persist': {
        this.#persist(effect);
        return;
      }
      case 'Broadcast':
        for (let to = 0; to < this.#world.nodes.length; to += 1) if (to !== this.index) this.#send(to, effect.message);
        return;
      case 'Send': {
        this.#send(this.#world.indexOf(effect.to), effect.message);
        return;
      }
      case 'SetTimer': // One that was replaced or cancelled is known by its token.
        {
          this.#later(effect.afterMs, () => this.give({ kind: 'Timeout', timer: effect.timer, token: effect.token }));
          return;
        }
      case 'Build': {
        this.#later(prng.between(1, 20), () => this.#build(effect));
        return;
      }
      case 'Validate': {
        this.#validate(effect, this.#world.heap.nowMs + effect.deadlineMs);
        return;
      }
      case 'Fetch': {
        this.#fetch(effect);
        return;
      }
      case 'Decide':
        if (this.liar === undefined)
          this.#world.invariants.onDecide(this.index, effect.height, effect.blockHash, effect.certificate);
        {
          this.#later(prng.between(1, 20), () => this.#apply(effect.proposal, effect.certificate));
          return;
        }
      case 'Truncate': {
        this.disk.truncate(effect.height, effect.blockHash);
        return;
      }
      case 'Behind': {
        this.#catchUp(this.#world.indexOf(effect.from));
        return;
      }
      case 'ForwardPending': {
        this.#forward();
        return;
      }
      case 'RecheckPending':
        if (prng.chance(0.05)) this.#pending.clear();
        {
          this.#later(prng.between(1, 20), () =>
            this.give({ kind: 'PendingRechecked', height: effect.height, applicable: this.#pending.size > 0 }),
          );
          return;
        }
      case 'AskTips': {
        this.#askTips();
        return;
      }
      case 'CancelTimer':
      case 'Evidence':
      case 'Report':
        return;
    }
  }

  #persist({ token, records }: Extract<Effect, { kind: 'Persist' }>): void {
    const { prng, heap } = this.#world;
    this.disk.append(records);
    const durationMs = prng.chance(0.05) ? prng.between(50, 400) : prng.between(1, 15);
    this.#lastSyncMs = Math.max(this.#lastSyncMs, heap.nowMs) + durationMs;
    this.#later(this.#lastSyncMs - heap.nowMs, () => {
      this.#durable(this.disk.sync());
      this.give({ kind: 'Synced', token });
    });
    this.#world.onPersist(this, durationMs);
  }

  #durable(records: readonly JournalRecord[]): void {
    if (this.liar === undefined) this.#world.invariants.onDurable(this.index, records);
  }

  #send(to: number, message: Message): void {
    let messages: readonly Message[] = [message];
    if (this.liar === undefined) this.#world.invariants.onSend(this.index, message);
    else {
      const n = this.#world.nodes.length;
      const distorted = this.liar.distort(message, to, n, this.core!.height.context);
      messages = distorted.messages;
      if (distorted.offered !== undefined) this.#hold(distorted.offered.proposal);
    }
    for (const spoken of messages) this.#world.network.send(this.index, to, encodeMessage(spoken));
  }

  #build({ height, view, proposer, allowEmpty }: Extract<Effect, { kind: 'Build' }>): void {
    const context = contextAfter(this.#world.validators, this.disk.blocks.at(-1)?.proposal);
    const txHashes = [...this.#pending.values()].slice(0, BLOCK_TRANSACTIONS);
    const isPossible = context.height === height && (allowEmpty || txHashes.length > 0);
    const proposal = isPossible ? makeProposal(context, proposer, this.#clockMs(), txHashes) : null;
    if (proposal !== null) this.#hold(proposal);
    this.give({ kind: 'Built', height, view, proposal });
  }

  #validate(effect: Extract<Effect, { kind: 'Validate' }>, deadlineMs: number): void {
    const { height, view, blockHash: hash, proposal, mode } = effect;
    const { heap, prng } = this.#world;
    const answer = (result: Extract<Input, { kind: 'Validated' }>['result']) =>
      this.#later(prng.between(1, 20), () => this.give({ kind: 'Validated', height, view, blockHash: hash, result }));
    if (!this.#bodies.has(toHex(hash)) && !this.#world.holders(this.index).some((peer) => peer.serve(hash))) {
      if (heap.nowMs >= deadlineMs) {
        answer({ kind: 'invalid', provable: false, code: 'bodyMissing' });
        return;
      }
      this.#later(60, () => this.#validate(effect, deadlineMs));
      return;
    }
    this.#hold(proposal);
    const isAhead = mode === 'fresh' && decodeHeader(proposal.header).timestampMs > this.#clockMs() + PRECISION_MS;
    answer(isAhead ? { kind: 'invalid', provable: false, code: 'timestampAhead' } : { kind: 'valid' });
  }

  #fetch({ height, blockHash: hash, from }: Extract<Effect, { kind: 'Fetch' }>): void {
    const askable = this.#world
      .holders(this.index)
      .filter((peer) => from.some((key) => equalBytes(key, peer.publicKey)));
    const own = this.#bodies.get(toHex(hash));
    this.#later(this.#world.prng.between(5, 100), () => {
      const proposal = own ?? askable.map((peer) => peer.serve(hash)).find((served) => served !== undefined);
      if (proposal === undefined) return;
      this.#hold(proposal);
      this.give({ kind: 'Fetched', height, blockHash: hash, proposal });
    });
  }

  /** The one way in which a block becomes part of the ledger, decided here or elsewhere. */
  #apply(proposal: Proposal, certificate: Certificate): void {
    if (certificate.height !== this.applied + 1) return;
    this.disk.blocks.push({ proposal, certificate });
    this.#hold(proposal);
    for (const block of this.disk.blocks.slice(-1))
      for (const txHash of block.proposal.txHashes) this.#pending.delete(toHex(txHash));
    this.give({ kind: 'Applied', context: contextAfter(this.#world.validators, proposal), certificate });
    this.#tellPending();
  }

  #catchUp(from: number): void {
    const { prng, nodes, network, validators } = this.#world;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.#later(prng.between(10, 150), () => {
      this.#catchingUp = false;
      const peer = nodes[from]!;
      if (peer.core === undefined || !network.isOpen(from, this.index) || !network.isOpen(this.index, from)) return;
      for (const { proposal, certificate } of peer.disk.blocks.slice(this.applied, this.applied + SYNC_BLOCKS)) {
        const fault = certificateFault('COMMIT', certificate, validators, GENESIS_HASH, fakeVerify);
        if (fault !== undefined || !equalBytes(certificate.blockHash, blockHash(proposal.header))) return;
        this.#apply(proposal, certificate);
      }
    });
  }

  #forward(): void {
    for (const peer of this.#world.holders(this.index))
      for (const txHash of this.#pending.values())
        this.#later(this.#world.network.delayMs(), () => peer.submit(txHash));
  }

  #askTips(): void {
    for (const peer of this.#world.holders(this.index))
      this.#later(this.#world.network.delayMs(), () =>
        this.give({ kind: 'TipShown', peer: peer.publicKey, height: peer.applied }),
      );
  }

  #tellPending(): void {
    this.give({ kind: 'PendingChanged', height: this.applied + 1, applicable: this.#pending.size > 0 });
  }

  #hold(proposal: Proposal): void {
    this.#bodies.set(toHex(blockHash(proposal.header)), proposal);
  }

  #clockMs(): number {
    return 1_000_000 + this.#world.heap.nowMs + this.skewMs;
  }

  #later(afterMs: number, act: () => void): void {
    const life = this.#life;
    this.#world.heap.plan(afterMs, () => {
      if (this.#life === life && this.core !== undefined) act();
    });
  }
}
