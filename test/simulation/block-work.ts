import { concatBytes, equalBytes, toHex } from '../../src/codec/bytes.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import type { Message, Proposal } from '../../src/consensus/messages.ts';
import { blockHash } from '../../src/ledger/block.ts';
import { type Certificate, certificateFault } from '../../src/ledger/certificate.ts';
import { DEFAULT_PARAMETERS } from '../../src/ledger/parameters.ts';
import { headerOf, makeProposal } from './application.ts';
import type { StoredBlock } from './disk.ts';
import { Violation } from './invariants.ts';
import type { SimulatedTransaction } from './ledger.ts';
import type { SimulatedNode } from './node.ts';

const SYNC_BLOCKS = 64;

type Of<K extends Effect['kind']> = Extract<Effect, { kind: K }>;

/** What a host does for its core with blocks and transactions. */
export class BlockWork {
  readonly #node: SimulatedNode;
  /** Blocks whose bodies are held, by hash. */
  readonly #bodies = new Map<string, Proposal>();
  readonly #pending = new Map<string, SimulatedTransaction>();
  #toldApplicable = false;
  #isCatchingUp = false;

  constructor(node: SimulatedNode) {
    this.#node = node;
  }

  /** A life begins: undecided blocks come back from the journal. */
  begin(records: readonly JournalRecord[]): void {
    for (const record of records) if (record.kind === 'Proposal') this.hold(record.message.proposal);
  }

  /** It ends: memory is gone. */
  end(): void {
    this.#bodies.clear();
    this.#pending.clear();
    this.#isCatchingUp = false;
  }

  hold(proposal: Proposal): void {
    this.#bodies.set(toHex(headerOf(proposal).hash), proposal);
  }

  /** What a liar proposes it can also serve, unless the bytes are none of a block. */
  holdOf(message: Message): void {
    if (message.kind !== 'PrePrepare') return;
    const { proposal } = message;
    if (equalBytes(blockHash(proposal.header), message.blockHash)) this.hold(proposal);
  }

  submit(transactions: Iterable<SimulatedTransaction>): void {
    for (const transaction of transactions)
      if (!this.#node.ledger.has(transaction.id)) this.#pending.set(toHex(transaction.txHash), transaction);
    this.tellPending(false);
  }

  /** Tells the core whether something applicable is pending, when that changed or it cannot know. */
  tellPending(always: boolean): void {
    const { ledger } = this.#node;
    const applicable = this.#chosen(1).length > 0;
    if (!always && applicable === this.#toldApplicable) return;
    this.#toldApplicable = applicable;
    this.#node.give({ kind: 'PendingChanged', height: ledger.height + 1, applicable });
  }

  recheck(height: number): void {
    const { world } = this.#node;
    // What waits for an attachment that does not come is dropped.
    if (world.isFaulty && world.prng.chance(0.05)) this.#pending.clear();
    this.#node.later(world.prng.between(1, 20), () => {
      const applicable = this.#chosen(1).length > 0;
      this.#toldApplicable = applicable;
      this.#node.give({ kind: 'PendingRechecked', height, applicable });
    });
  }

  forward(): void {
    const { world, liar } = this.#node;
    if (liar?.does('censor', 1) === true) return;
    const transactions = [...this.#pending.values()];
    for (const peer of world.holders(this.#node))
      world.heap.plan(world.network.delayMs(), () => {
        if (peer.core !== undefined) peer.work.submit(transactions);
      });
  }

  build({ height, view, proposer, allowEmpty }: Of<'Build'>): void {
    const { world } = this.#node;
    this.#node.later(world.prng.between(1, 20), () => {
      const { context } = this.#node.ledger;
      const censors = this.#node.liar?.does('censor', 1) === true;
      const txHashes = censors ? [] : this.#chosen().map(({ txHash }) => txHash);
      const isPossible = context.height === height && (allowEmpty || censors || txHashes.length > 0);
      const extra = world.extraOf(this.#node);
      const proposal = isPossible ? makeProposal(context, proposer, this.#clockMs(), txHashes, extra) : null;
      if (proposal !== null) this.hold(proposal);
      this.#node.give({ kind: 'Built', height, view, proposal });
    });
  }

  validate(effect: Of<'Validate'>, deadlineMs: number): void {
    const { height, view, blockHash: hash, proposal } = effect;
    const { world } = this.#node;
    const isHeld = this.#bodies.has(toHex(hash));
    if (!isHeld && !world.holders(this.#node).some((peer) => peer.work.serve(hash) !== undefined)) {
      if (world.heap.nowMs < deadlineMs) {
        this.#node.later(60, () => this.validate(effect, deadlineMs));
        return;
      }
      const result = { kind: 'invalid', provable: false, code: 'bodyMissing' } as const;
      this.#node.give({ kind: 'Validated', height, view, blockHash: hash, result });
      return;
    }
    this.hold(proposal);
    this.#node.later(world.prng.between(1, 20), () => {
      const result = this.#judge(effect);
      this.#node.give({ kind: 'Validated', height, view, blockHash: hash, result });
    });
  }

  fetch({ height, blockHash: hash, from }: Of<'Fetch'>): void {
    const { world } = this.#node;
    const own = this.#bodies.get(toHex(hash));
    this.#node.later(own === undefined ? world.prng.between(5, 100) : 1, () => {
      const askable = world.holders(this.#node).filter((peer) => from.includes(peer.publicKey));
      const proposal = own ?? askable.map((peer) => peer.work.serve(hash)).find((served) => served !== undefined);
      if (proposal === undefined) return;
      this.hold(proposal);
      this.#node.give({ kind: 'Fetched', height, blockHash: hash, proposal });
    });
  }

  decide({ blockHash: hash, proposal, certificate }: Of<'Decide'>): void {
    const { world, core, isHonest } = this.#node;
    if (isHonest && core !== undefined)
      world.invariants.onDecide(this.#node.index, hash, certificate, core.height.context.validators);
    this.#node.later(world.prng.between(1, 20), () => this.#apply({ proposal, certificate }));
  }

  /** A block of this hash for a peer that asks. */
  serve(hash: Uint8Array): Proposal | undefined {
    if (this.#node.core === undefined || this.#node.liar?.does('hideBlocks', 0.8) === true) return undefined;
    const { blocks } = this.#node.disk;
    return (
      this.#bodies.get(toHex(hash)) ??
      blocks.findLast(({ certificate }) => equalBytes(certificate.blockHash, hash))?.proposal
    );
  }

  /** Asks a peer for the blocks after ours. */
  catchUp(peer: SimulatedNode): void {
    const { world } = this.#node;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    const askedFrom = this.#node.applied;
    this.#node.later(world.prng.between(10, 150), () => {
      this.#isCatchingUp = false;
      if (!world.holders(this.#node).includes(peer)) return;
      for (const block of peer.work.offered(world.bugs.twoCommitPaths ? askedFrom : this.#node.applied)) {
        if (world.bugs.twoCommitPaths) this.#applyBeside(block);
        else if (!this.#applyChecked(block)) return;
      }
    });
  }

  /** Blocks for one who is at height `after`. */
  offered(after: number): readonly StoredBlock[] {
    const blocks = this.#node.disk.blocks.slice(after, after + SYNC_BLOCKS);
    const [first] = blocks;
    if (first === undefined || this.#node.liar?.does('badSync', 0.8) !== true) return blocks;
    const { prng } = this.#node.world;
    const header = Uint8Array.from(first.proposal.header);
    header[header.length - 1]! ^= 1;
    const { certificate } = first;
    return prng.pick([
      [{ proposal: { ...first.proposal, header }, certificate }],
      [{ ...first, certificate: { ...certificate, signatures: certificate.signatures.slice(1) } }],
      [{ ...first, certificate: { ...certificate, height: certificate.height + 1 } }],
      blocks.toReversed(),
    ]);
  }

  /** Checks a block that a peer served against our own set, and applies it like all others. */
  #applyChecked(block: StoredBlock): boolean {
    const { ledger, world } = this.#node;
    const { proposal, certificate } = block;
    const { validators, height } = ledger.context;
    if (certificate.height !== height || !equalBytes(certificate.blockHash, headerOf(proposal).hash)) return false;
    const fault = certificateFault('COMMIT', certificate, validators, ledger.genesisHash, world.scheme.verify);
    if (fault !== undefined) return false;
    if (this.#node.isHonest)
      world.invariants.onDecide(this.#node.index, certificate.blockHash, certificate, validators);
    return this.#apply(block);
  }

  /** The one way in which a block becomes part of the ledger, decided here or elsewhere. */
  #apply(block: StoredBlock): boolean {
    if (block.certificate.height !== this.#node.applied + 1) return false;
    this.#write(block);
    return true;
  }

  /** A planted bug: catch-up writes what it asked for, whatever was decided meanwhile. */
  #applyBeside(block: StoredBlock): void {
    if (equalBytes(block.certificate.blockHash, headerOf(block.proposal).hash)) this.#write(block);
  }

  #write(block: StoredBlock): void {
    const { ledger, disk, world } = this.#node;
    const { proposal, certificate } = block;
    const fault = ledger.apply(proposal, certificate, world.extraOf(this.#node));
    if (fault !== undefined && this.#node.isHonest)
      throw new Violation('application', `node ${this.#node.index} applies height ${certificate.height}: ${fault}`);
    if (fault !== undefined) return;
    disk.blocks.push(block);
    this.hold(proposal);
    for (const [key, { id }] of this.#pending) if (ledger.has(id)) this.#pending.delete(key);
    this.#node.give({ kind: 'Applied', context: ledger.context, certificate });
    world.onApplied();
    this.tellPending(true);
  }

  #judge({ height, proposal, mode }: Of<'Validate'>): Extract<Input, { kind: 'Validated' }>['result'] {
    const { ledger, world, index, isHonest } = this.#node;
    if (ledger.context.height !== height) return { kind: 'invalid', provable: false, code: 'stale' };
    const { timestampMs, proposer } = headerOf(proposal).header;
    const fault = ledger.executionFault(proposal, world.extraOf(this.#node));
    if (fault !== undefined) {
      const key = ledger.context.validators.validators[proposer]?.publicKey;
      const builders = key === undefined ? [] : world.nodesOf(key);
      if (isHonest && builders.some((builder) => builder.isHonest))
        throw new Violation('execution', `node ${index} finds ${fault} in a block that an honest node built`);
      return { kind: 'invalid', provable: true, code: fault };
    }
    const isAhead = mode === 'fresh' && timestampMs > this.#clockMs() + DEFAULT_PARAMETERS.precisionMs;
    return isAhead ? { kind: 'invalid', provable: false, code: 'timestampAhead' } : { kind: 'valid' };
  }

  #chosen(most?: number): readonly SimulatedTransaction[] {
    return this.#node.ledger.applicable(this.#pending.values(), most);
  }

  #clockMs(): number {
    return 1_000_000 + this.#node.world.heap.nowMs + this.#node.skewMs;
  }
}

/** What a broken application takes into its state: the signers of the tip's certificate. */
export function signersOf(certificate: Certificate | undefined): Uint8Array {
  return concatBytes(Uint8Array.from(certificate?.signatures.map(({ signer }) => signer) ?? []));
}
