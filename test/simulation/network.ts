import type { Message } from '../../src/consensus/messages.ts';
import type { EventHeap } from './event-heap.ts';
import type { Prng } from './prng.ts';

/** How badly the network behaves; probabilities from 0 to 1. */
export interface NetworkFaults {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMaxMs: number;
  /** Loss of COMMIT and DECIDED instead, so that few learn of a decision. */
  readonly decisionLoss?: number;
}

/** A cut between two sides; one way: only what the first side sends is lost. */
export interface Partition {
  readonly side: ReadonlySet<number>;
  readonly oneWay: boolean;
}

/** Links between nodes: each message is lost, doubled or delayed on its own, so that order is not kept. */
export class Network {
  readonly #prng: Prng;
  readonly #heap: EventHeap;
  readonly #deliver: (from: number, to: number, message: Message) => void;
  readonly #partitions = new Set<Partition>();
  readonly #lastArrival = new Map<number, number>();
  readonly counts = { sent: 0, lost: 0, duplicated: 0, delayed: 0, reordered: 0, cut: 0 };
  faults: NetworkFaults;

  constructor(
    options: { readonly prng: Prng; readonly heap: EventHeap; readonly faults: NetworkFaults },
    deliver: (from: number, to: number, message: Message) => void,
  ) {
    this.#prng = options.prng;
    this.#heap = options.heap;
    this.faults = options.faults;
    this.#deliver = deliver;
  }

  send(from: number, to: number, message: Message, extraMs = 0): void {
    this.counts.sent += 1;
    if (!this.isOpen(from, to)) {
      this.counts.cut += 1;
      return;
    }
    if (this.#prng.chance(this.#lossOf(message))) {
      this.counts.lost += 1;
      return;
    }
    const copies = this.#prng.chance(this.faults.duplication) ? 2 : 1;
    this.counts.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const afterMs = extraMs + this.delayMs();
      this.#noteOrder(from, to, this.#heap.nowMs + afterMs);
      this.#heap.plan(afterMs, () => this.#deliver(from, to, message));
    }
  }

  delayMs(): number {
    const isSlow = this.#prng.chance(0.05);
    if (isSlow) this.counts.delayed += 1;
    const mostMs = isSlow ? this.faults.delayMaxMs : this.faults.delayMaxMs / 10;
    return this.#prng.between(1, Math.max(1, Math.floor(mostMs)));
  }

  isOpen(from: number, to: number): boolean {
    for (const { side, oneWay } of this.#partitions)
      if (side.has(from) !== side.has(to) && (!oneWay || side.has(from))) return false;
    return true;
  }

  cut(partition: Partition): void {
    this.#partitions.add(partition);
  }

  heal(partition: Partition): void {
    this.#partitions.delete(partition);
  }

  healAll(): void {
    this.#partitions.clear();
  }

  #noteOrder(from: number, to: number, arrivesMs: number): void {
    const link = from * 64 + to;
    const lastMs = this.#lastArrival.get(link) ?? 0;
    if (arrivesMs < lastMs) this.counts.reordered += 1;
    else this.#lastArrival.set(link, arrivesMs);
  }

  #lossOf(message: Message): number {
    const { loss, decisionLoss } = this.faults;
    if (decisionLoss === undefined) return loss;
    return message.kind === 'Commit' || message.kind === 'Decided' ? decisionLoss : loss;
  }
}
