import type { EventHeap } from './event-heap.ts';
import type { Prng } from './prng.ts';

/** Second byte of an encoded COMMIT and DECIDED. */
const DECISION_CODES: readonly number[] = [3, 6];

/** How badly the network behaves; probabilities from 0 to 1. */
export interface NetworkFaults {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMaxMs: number;
  /** Loss of COMMIT and DECIDED instead, so that few learn of a decision. */
  readonly decisionLoss?: number;
}

/** Links between nodes: each message is lost, doubled or delayed on its own, so that order is not kept. */
export class Network {
  readonly #prng: Prng;
  readonly #heap: EventHeap;
  readonly #deliver: (from: number, to: number, frame: Uint8Array) => void;
  /** One-way cuts, `from/to`. */
  readonly #cuts = new Set<string>();
  readonly counts = { sent: 0, lost: 0, duplicated: 0, cut: 0 };
  faults: NetworkFaults;

  constructor(
    options: { readonly prng: Prng; readonly heap: EventHeap; readonly faults: NetworkFaults },
    deliver: (from: number, to: number, frame: Uint8Array) => void,
  ) {
    this.#prng = options.prng;
    this.#heap = options.heap;
    this.faults = options.faults;
    this.#deliver = deliver;
  }

  send(from: number, to: number, frame: Uint8Array): void {
    this.counts.sent += 1;
    if (!this.isOpen(from, to)) {
      this.counts.cut += 1;
      return;
    }
    if (this.#prng.chance(this.#lossOf(frame))) {
      this.counts.lost += 1;
      return;
    }
    const copies = this.#prng.chance(this.faults.duplication) ? 2 : 1;
    this.counts.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy += 1) this.#heap.plan(this.delayMs(), () => this.#deliver(from, to, frame));
  }

  #lossOf(frame: Uint8Array): number {
    const { loss, decisionLoss } = this.faults;
    return decisionLoss !== undefined && DECISION_CODES.includes(frame[1]!) ? decisionLoss : loss;
  }

  delayMs(): number {
    const slow = this.#prng.chance(0.05) ? this.faults.delayMaxMs : this.faults.delayMaxMs / 10;
    return this.#prng.between(1, Math.max(1, Math.floor(slow)));
  }

  isOpen(from: number, to: number): boolean {
    return !this.#cuts.has(`${from}/${to}`);
  }

  /** Cuts every link from the nodes of one side to the others; both ways unless `oneWay`. */
  partition(side: readonly number[], others: readonly number[], oneWay: boolean): void {
    for (const from of side)
      for (const to of others) {
        this.#cuts.add(`${from}/${to}`);
        if (!oneWay) this.#cuts.add(`${to}/${from}`);
      }
  }

  heal(): void {
    this.#cuts.clear();
  }
}
