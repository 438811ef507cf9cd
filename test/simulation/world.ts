import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import { RULES, type Rules } from '../../src/consensus/parameters.ts';
import { faultyMax, type ValidatorSet } from '../../src/ledger/validator-set.ts';
import { fakeTransaction } from './application.ts';
import { EventHeap } from './event-heap.ts';
import { Invariants, Violation } from './invariants.ts';
import { fakeValidators } from './keys.ts';
import { type Conspiracy, Liar } from './liar.ts';
import { Network, type NetworkFaults } from './network.ts';
import { SimulatedNode } from './node.ts';
import { makePrng, type Prng } from './prng.ts';
import { Trace } from './trace.ts';

/** One run. What goes wrong in it follows from the seed. */
export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  /** How long faults happen, in virtual milliseconds. */
  readonly faultsMs: number;
  /** Byzantine validators; by default none or f. */
  readonly liars?: number;
  /** A network of this badness in place of one that the seed chooses. */
  readonly network?: NetworkFaults;
  /** Rules broken on purpose. */
  readonly rules?: Partial<Rules>;
  /** False: a certificate too small is only noticed by its consequences. */
  readonly checksCertificates?: boolean;
}

/** What a run did; equal for equal options. */
export interface SimulationResult {
  readonly violation: Violation | undefined;
  readonly traceHash: string;
  readonly height: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Virtual milliseconds after the last fault within which every healthy node must have two blocks more. */
const RECOVERY_MS = 240_000;

/** Runs one simulation to its end, or to the first violation. */
export function simulate(options: SimulationOptions): SimulationResult {
  const world = new World(options);
  let violation: Violation | undefined;
  try {
    world.run(options.faultsMs);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  return {
    violation,
    traceHash: world.trace.hash,
    height: world.invariants.highest,
    counts: world.counts(),
  };
}

/** The nodes, what lies between them, and what befalls them. */
export class World {
  readonly prng: Prng;
  readonly heap = new EventHeap();
  readonly validators: ValidatorSet;
  readonly invariants: Invariants;
  readonly network: Network;
  readonly nodes: SimulatedNode[];
  readonly trace = new Trace();
  #faulty = true;
  #transactions = 0;
  #crashRate: number;

  constructor(options: SimulationOptions) {
    const n = options.nodes;
    this.prng = makePrng(options.seed);
    const { prng } = this;
    this.validators = fakeValidators(n);
    this.invariants = new Invariants(this.validators, options.checksCertificates ?? true);
    const faults = options.network ?? {
      loss: prng.pick([0, 0.02, 0.2]),
      duplication: prng.pick([0, 0.1]),
      delayMaxMs: prng.pick([40, 400, 2_000]),
    };
    this.network = new Network({ prng, heap: this.heap, faults }, (from, to, frame) =>
      this.nodes[to]!.receive(from, frame),
    );
    this.#crashRate = prng.pick([0, 0.002, 0.02]);
    const liars = options.liars ?? (prng.chance(0.5) ? faultyMax(n) : 0);
    const firstLiar = prng.between(0, n - 1);
    const skewed = prng.chance(0.2) ? prng.between(0, n - 1) : -1;
    const rules = { ...RULES, ...options.rules };
    const conspiracy: Conspiracy = { twin: undefined, otherFace: new Set() };
    this.nodes = this.validators.validators.map(({ publicKey }, index) => {
      const isLiar = (index - firstLiar + n) % n < liars;
      const liar = isLiar ? new Liar(prng, publicKey, conspiracy) : undefined;
      const skewMs = index === skewed ? 5_000 : prng.between(-100, 100);
      return new SimulatedNode(this, index, { rules, skewMs, liar });
    });
  }

  run(faultsMs: number): void {
    for (const node of this.nodes) node.start();
    this.#planTransactions();
    this.#planCrashes();
    this.#planPartitions();
    while (this.heap.runNext(faultsMs));
    this.#endFaults();
    const target = this.invariants.highest + 2;
    const deadlineMs = this.heap.nowMs + RECOVERY_MS;
    const isHealthy = () => this.nodes.every((node) => node.liar !== undefined || node.applied >= target);
    while (!isHealthy())
      if (!this.heap.runNext(deadlineMs))
        throw new Violation('liveness', `below height ${target}: ${this.nodes.map((node) => node.applied).join(', ')}`);
  }

  note(node: number, input: Input, effects: readonly Effect[]): void {
    this.trace.note(this.heap.nowMs, node, input, effects);
  }

  keyOf(index: number): Uint8Array {
    return this.validators.validators[index]!.publicKey;
  }

  indexOf(publicKey: Uint8Array): number {
    return this.nodes.findIndex((node) => node.publicKey === publicKey || node.publicKey.join() === publicKey.join());
  }

  /** Peers that run and can be reached both ways. */
  holders(from: number): readonly SimulatedNode[] {
    return this.nodes.filter(
      ({ index, core }) =>
        index !== from && core !== undefined && this.network.isOpen(from, index) && this.network.isOpen(index, from),
    );
  }

  connect(a: number, b: number): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      this.heap.plan(this.network.delayMs(), () => {
        if (this.network.isOpen(from, to)) this.nodes[to]!.connected(from);
      });
  }

  /** The moment between a write and its sync is the one that matters: some crashes come just then. */
  onPersist(node: SimulatedNode, durationMs: number): void {
    if (!this.#faulty || !this.prng.chance(this.#crashRate)) return;
    this.heap.plan(this.prng.between(0, durationMs), () => this.#crash([node]));
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = { ...this.trace.counts };
    for (const [what, times] of Object.entries(this.network.counts)) counts[`network.${what}`] = times;
    for (const { liar } of this.nodes)
      for (const [what, times] of Object.entries(liar?.counts ?? {}))
        counts[`liar.${what}`] = (counts[`liar.${what}`] ?? 0) + times;
    return counts;
  }

  #crash(nodes: readonly SimulatedNode[]): void {
    for (const node of nodes) {
      if (node.core === undefined || !this.#faulty) continue;
      node.crash();
      this.trace.count('fault.crash');
      this.#loseJournal(node);
      this.heap.plan(this.prng.between(20, 3_000), () => {
        if (node.core === undefined) node.start();
      });
    }
  }

  /** One node of a run may lose its journal, where nobody lies. */
  #loseJournal(node: SimulatedNode): void {
    const f = faultyMax(this.nodes.length);
    if (f === 0 || this.nodes.some((other) => other.liar !== undefined || other.isAmnesiac)) return;
    if (!this.prng.chance(0.2)) return;
    node.disk.loseJournal();
    node.isAmnesiac = true;
    this.trace.count('fault.amnesia');
  }

  #planTransactions(): void {
    this.heap.plan(this.prng.between(50, 600), () => {
      this.#transactions += 1;
      this.prng.pick(this.nodes).submit(fakeTransaction(this.#transactions));
      this.#planTransactions();
    });
  }

  #planCrashes(): void {
    this.heap.plan(this.prng.between(500, 6_000), () => {
      if (!this.#faulty || this.#crashRate === 0) return;
      const all = this.prng.chance(0.15);
      if (all) this.trace.count('fault.crashOfAll');
      this.#crash(all ? this.nodes : [this.prng.pick(this.nodes)]);
      this.#planCrashes();
    });
  }

  #planPartitions(): void {
    this.heap.plan(this.prng.between(1_000, 8_000), () => {
      if (!this.#faulty) return;
      const side = this.nodes.filter(() => this.prng.chance(0.4)).map(({ index }) => index);
      const others = this.nodes.map(({ index }) => index).filter((index) => !side.includes(index));
      const oneWay = this.prng.chance(0.3);
      this.network.partition(side, others, oneWay);
      this.trace.count(oneWay ? 'fault.oneWayPartition' : 'fault.partition');
      this.heap.plan(this.prng.between(200, 5_000), () => this.#heal());
      this.#planPartitions();
    });
  }

  #heal(): void {
    this.network.heal();
    for (const a of this.nodes) for (const b of this.nodes) if (a.index < b.index) this.connect(a.index, b.index);
  }

  /** From now on messages arrive soon and nodes stay up; liars fall silent or go on. */
  #endFaults(): void {
    this.#faulty = false;
    this.network.faults = { loss: 0, duplication: 0, delayMaxMs: 40 };
    this.#heal();
    const liarsStop = this.prng.chance(0.5);
    for (const node of this.nodes) {
      if (node.core === undefined && (node.liar === undefined || !liarsStop)) node.start();
      else if (node.liar !== undefined && liarsStop) node.crash();
    }
  }
}
