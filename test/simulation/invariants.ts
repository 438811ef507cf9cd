import { toHex } from '../../src/codec/bytes.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import type { Message } from '../../src/consensus/messages.ts';
import { messagePreimage } from '../../src/consensus/messages.ts';
import type { Core } from '../../src/consensus/state.ts';
import { type Certificate, certificateFault } from '../../src/ledger/certificate.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { fakeVerify, GENESIS_HASH } from './keys.ts';

/** What must never happen did. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

/** Watches the honest nodes of a run. */
export class Invariants {
  readonly #validators: ValidatorSet;
  readonly #checksCertificates: boolean;
  readonly #decided = new Map<number, string>();
  readonly #slots = new Map<string, string>();
  /** Highest newView that a node wrote at a height. */
  readonly #left = new Map<string, number>();

  constructor(validators: ValidatorSet, checksCertificates: boolean) {
    this.#validators = validators;
    this.#checksCertificates = checksCertificates;
  }

  /** Highest height that any honest node decided. */
  get highest(): number {
    return this.#decided.size === 0 ? 0 : Math.max(...this.#decided.keys());
  }

  /** Agreement and certificate validity. */
  onDecide(node: number, height: number, blockHash: Uint8Array, certificate: Certificate): void {
    const hash = toHex(blockHash);
    const before = this.#decided.get(height);
    if (before !== undefined && before !== hash)
      throw new Violation('agreement', `height ${height}: ${before} before, ${hash} on node ${node}`);
    this.#decided.set(height, hash);
    if (!this.#checksCertificates) return;
    const fault = certificateFault('COMMIT', certificate, this.#validators, GENESIS_HASH, fakeVerify);
    if (fault !== undefined || toHex(certificate.blockHash) !== hash || certificate.height !== height)
      throw new Violation('certificate', `height ${height} on node ${node}: ${fault ?? 'of another block'}`);
  }

  /** One payload a slot, over all lives of a node. */
  onSend(node: number, message: Message): void {
    if (message.kind === 'Status' || message.kind === 'Decided' || message.signer !== node) return;
    const view = message.kind === 'ViewChange' ? message.newView : message.view;
    const slot = `${node}/${message.kind}/${message.height}/${view}`;
    const payload = toHex(messagePreimage(GENESIS_HASH, message)!);
    const before = this.#slots.get(slot);
    if (before !== undefined && before !== payload) throw new Violation('slot', `two payloads in ${slot}`);
    this.#slots.set(slot, payload);
  }

  /** No way back from a VIEWCHANGE: after its record nothing of a lower view is written. */
  onDurable(node: number, records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind !== 'Vote' && record.kind !== 'Proposal' && record.kind !== 'ViewChanged') continue;
      const place = `${node}/${record.message.height}`;
      const view = record.kind === 'ViewChanged' ? record.message.newView : record.message.view;
      const left = this.#left.get(place) ?? 0;
      if (view < left)
        throw new Violation('view', `node ${node} wrote ${record.kind} of view ${view} after leaving for ${left}`);
      if (record.kind === 'ViewChanged') this.#left.set(place, view);
    }
  }

  /** The journal holds all that was sent: nobody learns of a signature of its own from a peer. */
  onReports(node: number, effects: readonly Effect[]): void {
    for (const effect of effects)
      if (effect.kind === 'Report' && effect.level === 'alarm')
        throw new Violation('journal', `node ${node} reports ${effect.code} ${effect.detail}`);
  }

  /** Memory is bounded by the number of validators, whatever comes in. */
  onStep(node: number, core: Core): void {
    const n = this.#validators.validators.length;
    const { height } = core;
    const sizes: readonly [string, number, number][] = [
      ['prepares', height.prepares.size, 5],
      ['commits', height.commits.size, 19],
      ['blocks', height.blocks.size, n + 10],
      ['accepted', height.accepted.size, 3],
      ['fetching', height.fetching.size, n + 2],
      ['viewChanges', height.viewChanges.size, n],
      ['next proposals', height.next.prePrepares.size, n],
      ['next votes', height.next.others.size, n],
      ['peerHeights', core.peerHeights.size, n],
      ['releases', core.releases.size, 200],
      ['timers', core.timers.size, 5],
      ['counters', core.counters.size, 100],
    ];
    for (const [what, size, max] of sizes)
      if (size > max) throw new Violation('memory', `${size} ${what} on node ${node}, at most ${max} expected`);
  }
}
