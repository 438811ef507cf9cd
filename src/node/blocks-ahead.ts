import { type ExecutedBlock, type LedgerState, type ParentBlock, parentOf } from '../ledger/block-execution.ts';
import { StateAhead } from '../ledger/state-ahead.ts';
import type { StateMap } from '../ledger/state-map.ts';
import type { DecidedBlock } from './decided-block.ts';
import { Head } from './head.ts';

/** Most bytes of bodies and attachments that wait in memory, but for the last block's. */
const BYTES_MAX = 4 * 1024 * 1024;

/** The ledger after blocks that are executed and not committed yet. */
class HeadAhead extends Head {
  readonly #state: StateAhead;
  #map: StateMap;
  #tip: ParentBlock;

  constructor(committed: Head) {
    super(committed.parts);
    const { reader, map } = committed.state;
    this.#state = new StateAhead(reader);
    this.#map = map;
    this.#tip = committed.tip;
  }

  override get tip(): ParentBlock {
    return this.#tip;
  }

  override get state(): LedgerState {
    return { reader: this.#state, map: this.#map };
  }

  advance(block: ExecutedBlock): void {
    this.#state.advance(block.changes);
    this.#map = block.map;
    this.#tip = parentOf(block);
  }
}

/**
 * Decided blocks that are executed one on the other before all are committed together, so that a node that is behind
 * waits for its disk once for many. Consensus may commit some of them, or all, meanwhile.
 */
export class BlocksAhead {
  readonly #committed: Head;
  #ahead: HeadAhead | undefined;
  #blocks: DecidedBlock[] = [];
  #bytes = 0;

  constructor(committed: Head) {
    this.#committed = committed;
  }

  /** Where the next block is checked and executed, in the same turn: it may move between two turns, never back. */
  get head(): Head {
    if (this.#ahead !== undefined && this.#ahead.tip.height <= this.#committed.tip.height) this.take();
    return this.#ahead ?? this.#committed;
  }

  /** Adds a block that was executed on `head`. */
  push(decided: DecidedBlock): void {
    const { block, attachments } = decided;
    if (this.head === this.#committed) this.#ahead = new HeadAhead(this.#committed);
    this.#ahead!.advance(block);
    this.#blocks.push(decided);
    this.#bytes += attachments.reduce((sum, bytes) => sum + bytes.length, block.header.bodyBytes);
  }

  /**
   * True when those waiting should be committed: they are large, or a snapshot is due, which is made of the state that
   * is committed last.
   */
  get isFull(): boolean {
    const { tip, parameters } = this.head;
    return this.#bytes >= BYTES_MAX || tip.height % parameters.snapshotInterval === 0;
  }

  /** Those waiting, in order; from then on none are. */
  take(): readonly DecidedBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#bytes = 0;
    this.#ahead = undefined;
    return blocks;
  }
}
