import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import type { Message } from '../../src/consensus/messages.ts';
import { messagePreimage } from '../../src/consensus/messages.ts';
import { NEXT_HEIGHT_BYTES_MAX, NEXT_HEIGHT_MESSAGES_MAX } from '../../src/consensus/parameters.ts';
import type { Core, OwnMessage } from '../../src/consensus/state.ts';
import { type Certificate, certificateFault, type VerifySignature } from '../../src/ledger/certificate.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { GENESIS_HASH } from './keys.ts';

/** What is watched. `liveness` is looked at when the faults are over, the rest after every step. */
const INVARIANTS = [
  'agreement',
  'certificate',
  'decision',
  'slot',
  'view',
  'journal',
  'memory',
  'parameters',
  'application',
  'execution',
  'exception',
  'liveness',
] as const;
export type InvariantName = (typeof INVARIANTS)[number];

/** What must never happen did. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: InvariantName;

  constructor(invariant: InvariantName, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

/** Watches the honest nodes of a run; nodes are known by their numbers, which are those of their keys. */
export class Invariants {
  readonly #verify: VerifySignature;
  readonly #checksCertificates: boolean;
  readonly #honestNumber: (publicKey: Uint8Array) => number | undefined;
  readonly #decided = new Map<number, { readonly hash: Uint8Array; readonly view: number }>();
  readonly #slots = new Map<string, Uint8Array>();
  readonly #seen = new WeakSet<Message>();
  /** Highest newView that a node wrote at a height. */
  readonly #left = new Map<string, number>();
  /** Height and view of each running core at its last step. */
  readonly #views = new WeakMap<Core, { height: number; view: number }>();
  /** What a view and an idle ledger are timed by at each height. */
  readonly #timed = new Map<string, number>();
  #genesisHash = GENESIS_HASH;
  /** Heights that honest nodes decided by certificates of different views. */
  otherViews = 0;

  /** `honestNumber` is undefined for the keys that lie, run twice, or were rolled back behind their own back. */
  constructor(options: {
    readonly verify: VerifySignature;
    readonly checksCertificates: boolean;
    readonly honestNumber: (publicKey: Uint8Array) => number | undefined;
  }) {
    this.#verify = options.verify;
    this.#checksCertificates = options.checksCertificates;
    this.#honestNumber = options.honestNumber;
  }

  /** Highest height that any honest node decided. */
  get highest(): number {
    return this.#decided.size === 0 ? 0 : Math.max(...this.#decided.keys());
  }

  /** The ledger goes on after this height under another genesis hash: what only those who are gone decided is void. */
  onRestart(height: number, genesisHash: Uint8Array): void {
    for (const decided of this.#decided.keys()) if (decided > height) this.#decided.delete(decided);
    // Under the same name it would be the same ledger, in which every slot is filled once.
    if (equalBytes(genesisHash, this.#genesisHash)) return;
    this.#genesisHash = genesisHash;
    for (const kept of [this.#slots, this.#left, this.#timed]) kept.clear();
  }

  /** Agreement and certificate validity. */
  onDecide(node: number, blockHash: Uint8Array, certificate: Certificate, set: ValidatorSet): void {
    const { height, view } = certificate;
    const before = this.#decided.get(height);
    if (before === undefined) this.#decided.set(height, { hash: blockHash, view });
    else if (!equalBytes(before.hash, blockHash))
      throw new Violation(
        'agreement',
        `height ${height}: ${short(before.hash)} of view ${before.view}, and on node ${node} ` +
          `${short(blockHash)} of view ${view}`,
      );
    else if (before.view !== view) this.otherViews += 1;
    if (!this.#checksCertificates) return;
    const fault = certificateFault('COMMIT', certificate, set, this.#genesisHash, this.#verify);
    if (fault !== undefined || !equalBytes(certificate.blockHash, blockHash))
      throw new Violation('certificate', `height ${height} on node ${node}: ${fault ?? 'of another block'}`);
    this.#checkSigners(node, certificate, set);
  }

  /** What stands under an honest validator's name in a certificate, it said. */
  #checkSigners(node: number, certificate: Certificate, set: ValidatorSet): void {
    const { height, view, blockHash } = certificate;
    for (const { signer } of certificate.signatures) {
      const number = this.#honestNumber(set.validators[signer]!.publicKey);
      if (number === undefined) continue;
      const said = this.#slots.get(`${number}/Commit/${height}/${view}`);
      if (said === undefined || !equalBytes(said.subarray(-32), blockHash))
        throw new Violation(
          'certificate',
          `height ${height} on node ${node}: node ${number} never sent COMMIT ${view} ${short(blockHash)}`,
        );
    }
  }

  /** All time a height by the same parameters: those that its state has. */
  onTimers(node: number, core: Core, effects: readonly Effect[]): void {
    const { context, view } = core.height;
    for (const effect of effects) {
      if (effect.kind !== 'SetTimer' || (effect.timer !== 'view' && effect.timer !== 'heartbeat')) continue;
      const timed = effect.timer === 'view' ? `view ${view}` : 'the heartbeat';
      const place = `${timed} of height ${context.height}`;
      const before = this.#timed.get(place) ?? effect.afterMs;
      if (before !== effect.afterMs)
        throw new Violation(
          'parameters',
          `node ${node} times ${place} with ${effect.afterMs} ms, others with ${before}`,
        );
      this.#timed.set(place, before);
    }
  }

  /** One payload a slot, over all lives of a node. */
  onSend(node: number, message: Message, own: number | null): void {
    if (message.kind === 'Status' || message.kind === 'Decided' || message.signer !== own) return;
    this.#fill(node, message);
  }

  #fill(node: number, message: OwnMessage): void {
    if (this.#seen.has(message)) return;
    this.#seen.add(message);
    const view = message.kind === 'ViewChange' ? message.newView : message.view;
    const slot = `${node}/${message.kind}/${message.height}/${view}`;
    const payload = messagePreimage(this.#genesisHash, message)!;
    const before = this.#slots.get(slot);
    if (before === undefined) this.#slots.set(slot, payload);
    else if (!equalBytes(before, payload)) throw new Violation('slot', `two payloads in ${slot}`);
  }

  /** No way back from a VIEWCHANGE: after its record nothing of a lower view is written. */
  onDurable(node: number, records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind !== 'Vote' && record.kind !== 'Proposal' && record.kind !== 'ViewChanged') continue;
      if (record.kind === 'Vote') this.#fill(node, record.message);
      const place = `${node}/${record.message.height}`;
      const view = record.kind === 'ViewChanged' ? record.message.newView : record.message.view;
      const left = this.#left.get(place) ?? 0;
      if (view < left)
        throw new Violation('view', `node ${node} wrote ${record.kind} of view ${view} after leaving for ${left}`);
      if (record.kind === 'ViewChanged') this.#left.set(place, view);
    }
  }

  /** The journal holds all that was sent: nobody learns of a signature of its own from a peer, or of another fault. */
  onReports(node: number, effects: readonly Effect[]): void {
    for (const effect of effects)
      if (effect.kind === 'Report' && effect.level === 'alarm')
        throw new Violation('journal', `node ${node} reports ${effect.code} ${effect.detail}`);
  }

  /** Within a life views never go back, and memory is bounded by the number of validators, whatever comes in. */
  onStep(node: number, core: Core): void {
    const { height } = core;
    const last = this.#views.get(core);
    if (last?.height === height.context.height && height.view < last.view)
      throw new Violation('view', `node ${node} went from view ${last.view} back to ${height.view}`);
    this.#views.set(core, { height: height.context.height, view: height.view });
    const n = Math.max(height.context.validators.validators.length, height.context.nextValidators.validators.length);
    if (height.prepares.size > 5) tooMany(node, 'prepares', height.prepares.size);
    if (height.commits.size > 19) tooMany(node, 'commits', height.commits.size);
    if (height.blocks.size > n + 10) tooMany(node, 'blocks', height.blocks.size);
    if (height.accepted.size > 3) tooMany(node, 'accepted', height.accepted.size);
    if (height.fetching.size > n + 2) tooMany(node, 'fetching', height.fetching.size);
    if (height.viewChanges.size > n) tooMany(node, 'viewChanges', height.viewChanges.size);
    if (height.evidenced.size > 4 * n) tooMany(node, 'evidenced', height.evidenced.size);
    if (height.next.prePrepares.size > n) tooMany(node, 'proposals of the next height', height.next.prePrepares.size);
    if (height.next.others.size > n) tooMany(node, 'shares of the next height', height.next.others.size);
    if (core.peerHeights.size > 2 * n) tooMany(node, 'peerHeights', core.peerHeights.size);
    if (core.releases.size > 200) tooMany(node, 'releases', core.releases.size);
    if (core.timers.size > 5) tooMany(node, 'timers', core.timers.size);
    if (core.counters.size > 100) tooMany(node, 'counters', core.counters.size);
    for (const { messages, bytes } of height.next.others.values())
      if (messages.length > NEXT_HEIGHT_MESSAGES_MAX || bytes > NEXT_HEIGHT_BYTES_MAX)
        tooMany(node, 'messages of the next height', messages.length);
  }
}

function tooMany(node: number, what: string, size: number): never {
  throw new Violation('memory', `${size} ${what} on node ${node}`);
}

/** The beginning of a hash, for people. */
export function short(hash: Uint8Array): string {
  return toHex(hash.subarray(0, 4));
}
