import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import type { Message } from '../../src/consensus/messages.ts';
import { RULES, type Rules } from '../../src/consensus/parameters.ts';
import { signersOf } from './block-work.ts';
import { EventHeap } from './event-heap.ts';
import { planFault } from './faults.ts';
import { Invariants, Violation } from './invariants.ts';
import { CHEAP_SIGNATURES, fakeKey, GENESIS_HASH, RESTARTED_HASH, type SignatureScheme } from './keys.ts';
import { Ledger, type SimulatedTransaction, TransactionPool } from './ledger.ts';
import { type Conspiracy, Liar } from './liar.ts';
import { Network } from './network.ts';
import { SimulatedNode } from './node.ts';
import type { FaultKind, LiarPlan, Plan } from './plan.ts';
import { CALM_DELAY_MS } from './plan-parts.ts';
import { makePrng, type Prng } from './prng.ts';
import { Trace } from './trace.ts';

/** Bugs planted in the host and the application, which no rule of the core can show. */
export interface HostBugs {
  /** Catch-up writes blocks beside the decision's writer. */
  readonly twoCommitPaths: boolean;
  /** The state depends on the tip's certificate. */
  readonly certificatesInContent: boolean;
  /** On nodes of odd numbers a change of parameters counts one height too soon. */
  readonly parametersAtOnce: boolean;
  /** A restarted ledger keeps its genesis hash. */
  readonly restartUnderOldName: boolean;
}

const NO_BUGS: HostBugs = {
  twoCommitPaths: false,
  certificatesInContent: false,
  parametersAtOnce: false,
  restartUnderOldName: false,
};

/** What a run is made of besides its plan. */
export interface WorldOptions {
  readonly plan: Plan;
  /** Rules broken on purpose. */
  readonly rules?: Partial<Rules>;
  readonly bugs?: Partial<HostBugs>;
  readonly scheme?: SignatureScheme;
  /** False: a certificate too small is only noticed by its consequences. */
  readonly checksCertificates?: boolean;
  /** Hears of every step. */
  readonly onStep?: (nowMs: number, node: SimulatedNode, input: Input, effects: readonly Effect[]) => void;
}

/** Virtual milliseconds after the last fault within which every healthy node must have two blocks more. */
const RECOVERY_MS = 240_000;
/** An id far from those of the clients. */
const PROBE_ID = 1e9;
const CHANGE_ID = 2e9;
const SETTINGS_ID = 3e9;

/** A message with a signature of its own. */
type SignedMessage = Exclude<Message, { kind: 'Decided' }>;

/** The nodes, what lies between them, and what befalls them. */
export class World {
  readonly plan: Plan;
  readonly prng: Prng;
  readonly heap = new EventHeap();
  readonly pool = new TransactionPool();
  readonly scheme: SignatureScheme;
  readonly bugs: HostBugs;
  readonly invariants: Invariants;
  readonly network: Network;
  readonly nodes: readonly SimulatedNode[];
  readonly trace = new Trace();
  readonly #byKey = new Map<Uint8Array, SimulatedNode[]>();
  #signed = new WeakMap<Message, { readonly publicKey: Uint8Array; readonly isGood: boolean }>();
  readonly #onStep: WorldOptions['onStep'];
  /** False once the faults are over. */
  isFaulty = true;
  #steps = 0;
  #transactions = 0;
  #genesisHash = GENESIS_HASH;
  #hasApplied = false;

  constructor(options: WorldOptions) {
    const { plan } = options;
    this.plan = plan;
    this.prng = makePrng(plan.seed ^ 0x5eed ^ (plan.salt << 20));
    this.scheme = options.scheme ?? CHEAP_SIGNATURES;
    this.bugs = { ...NO_BUGS, ...options.bugs };
    this.#onStep = options.onStep;
    this.invariants = new Invariants({
      verify: this.scheme.verify,
      checksCertificates: options.checksCertificates ?? true,
      honestNumber: (publicKey) => {
        const [node, twin] = this.nodesOf(publicKey);
        return node?.isHonest === true && node.uncheckedThrough === 0 && twin === undefined ? node.number : undefined;
      },
    });
    this.network = new Network({ prng: this.prng, heap: this.heap, faults: plan.network }, (from, to, message) =>
      this.nodes[to]!.receive(this.nodes[from]!, message),
    );
    this.nodes = this.#makeNodes({ ...RULES, ...options.rules });
    for (const node of this.nodes) this.#byKey.set(node.publicKey, [...this.nodesOf(node.publicKey), node]);
  }

  /** How many steps the cores took. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs to the end of the plan and of the recovery after it; throws the first Violation. */
  run(): void {
    const { plan, heap, invariants } = this;
    for (const node of this.nodes) node.start();
    this.#planTransactions();
    for (const [index, { atMs, joins, leaves }] of plan.changes.entries()) {
      const change = this.pool.make(CHANGE_ID + index, 0, undefined, { joins, leaves });
      heap.plan(atMs, () => {
        for (const node of this.nodes) if (this.prng.chance(0.5)) node.submit(change);
      });
    }
    for (const [index, { atMs, settings }] of plan.settings.entries()) {
      const change = this.pool.makeSettings(SETTINGS_ID + index, settings);
      heap.plan(atMs, () => {
        for (const node of this.nodes) if (this.prng.chance(0.5)) node.submit(change);
      });
    }
    for (const fault of plan.faults) planFault(this, fault);
    this.#planRestart();
    while (heap.runNext(plan.faultsMs));
    const probe = this.#endFaults();
    const target = invariants.highest + 2;
    const deadlineMs = heap.nowMs + RECOVERY_MS;
    this.#hasApplied = true;
    while (!this.#isHealthy(target, probe))
      if (!heap.runNext(deadlineMs))
        throw new Violation('liveness', `below height ${target}: ${this.nodes.map(({ applied }) => applied)}`);
    this.#countEnd();
  }

  note(node: SimulatedNode, input: Input, effects: readonly Effect[]): void {
    this.#steps += 1;
    this.trace.note(this.heap.nowMs, node.index, input, effects);
    this.#onStep?.(this.heap.nowMs, node, input, effects);
  }

  onApplied(): void {
    this.#hasApplied = true;
  }

  /** The nodes that have this key: two where there is a twin, none for a key that nobody here has. */
  nodesOf(publicKey: Uint8Array): readonly SimulatedNode[] {
    return this.#byKey.get(publicKey) ?? [];
  }

  /** Whether a message's own signature is good; each is verified once, however many hear it. */
  isSigned(message: SignedMessage, publicKey: Uint8Array, preimage: () => Uint8Array): boolean {
    const known = this.#signed.get(message);
    if (known?.publicKey === publicKey) return known.isGood;
    const isGood = this.scheme.verify(message.signature, preimage(), publicKey);
    this.#signed.set(message, { publicKey, isGood });
    return isGood;
  }

  /** What a broken application mixes into the state that follows a node's tip. */
  extraOf(node: SimulatedNode): Uint8Array | undefined {
    return this.bugs.certificatesInContent ? signersOf(node.disk.blocks.at(-1)?.certificate) : undefined;
  }

  /** Others that run and can be reached both ways. */
  holders(from: SimulatedNode): readonly SimulatedNode[] {
    const { network } = this;
    return this.nodes.filter(
      ({ index, number, core }) =>
        number !== from.number &&
        core !== undefined &&
        network.isOpen(from.index, index) &&
        network.isOpen(index, from.index),
    );
  }

  connect(a: SimulatedNode, b: SimulatedNode): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      this.heap.plan(this.network.delayMs(), () => {
        if (this.network.isOpen(from.index, to.index)) to.give({ kind: 'Connected', peer: from.publicKey });
      });
  }

  crash(node: SimulatedNode, downMs: number, kind: FaultKind): void {
    if (node.core === undefined || !this.isFaulty) return;
    node.crash();
    this.trace.count(`fault.${kind}`);
    this.heap.plan(downMs, () => {
      if (node.core === undefined) node.start();
    });
  }

  #makeNodes(rules: Rules): readonly SimulatedNode[] {
    const { plan } = this;
    const conspiracy: Conspiracy = { twin: undefined, otherFace: new Set() };
    const numbers = Array.from({ length: plan.nodes + plan.spares }, (_, number) => number);
    return [...numbers, ...plan.twins].map((number, index) => {
      const liarPlan = plan.liars.find(({ node }) => node === number);
      return new SimulatedNode(this, {
        index,
        number,
        rules,
        skewMs: plan.skews.find(({ node }) => node === number)?.skewMs ?? this.prng.between(-100, 100),
        liar: liarPlan && this.#makeLiar(liarPlan, conspiracy),
        isTwin: plan.twins.includes(number),
        ledger: () => new Ledger(this.pool, plan.nodes, this.bugs.parametersAtOnce && number % 2 === 1),
      });
    });
  }

  #makeLiar({ node, behaviours }: LiarPlan, conspiracy: Conspiracy): Liar {
    const publicKey = fakeKey(node);
    return new Liar({
      prng: this.prng,
      sign: (preimage) => this.scheme.sign(publicKey, preimage(this.#genesisHash)),
      behaviours,
      nodes: this.plan.nodes + this.plan.spares,
      conspiracy,
      onLie: (behaviour) => this.trace.count(`liar.${behaviour}`),
    });
  }

  /** Clients: mostly one transaction at one node; some send one id under two signature sets, some two that conflict. */
  #planTransactions(): void {
    this.heap.plan(this.prng.between(50, 600), () => {
      this.#transactions += 1;
      const id = 2 * this.#transactions;
      const kind = this.prng.next();
      const claims = kind < 0.1 ? `thing ${id}` : undefined;
      this.prng.pick(this.nodes).submit(this.pool.make(id, 0, claims));
      if (kind < 0.1) this.prng.pick(this.nodes).submit(this.pool.make(id + 1, 0, claims));
      else if (kind < 0.2) this.prng.pick(this.nodes).submit(this.pool.make(id, 1));
      if (kind < 0.2) this.trace.count(kind < 0.1 ? 'client.conflictingPair' : 'client.idTwice');
      this.#planTransactions();
    });
  }

  #planRestart(): void {
    const { restart } = this.plan;
    if (restart === undefined) return;
    const lost = this.nodes.filter(({ number }) => restart.lost.includes(number));
    this.heap.plan(restart.lostAtMs, () => {
      for (const node of lost) {
        node.crash();
        node.isLost = true;
      }
    });
    this.heap.plan(restart.atMs, () => this.#restart(lost));
  }

  /** Those who stay stop, agree on the highest block that one of them has, and go on from it (signed-restart.md). */
  #restart(lost: readonly SimulatedNode[]): void {
    const { heap, prng } = this;
    const staying = this.nodes.filter(({ isLost }) => !isLost);
    const seats = [...new Set(staying.map(({ number }) => number))];
    for (const node of staying) if (node.core !== undefined) node.crash();
    const [highest] = staying.filter(({ isHonest }) => isHonest).sort((a, b) => b.applied - a.applied);
    const blocks = highest!.disk.blocks;
    // A ledger without a block is founded anew: here those who were lost are found again.
    if (blocks.length === 0) for (const node of lost) node.isLost = false;
    else {
      this.#genesisHash = this.bugs.restartUnderOldName ? GENESIS_HASH : RESTARTED_HASH;
      this.#signed = new WeakMap();
      this.invariants.onRestart(blocks.length, this.#genesisHash);
      for (const node of staying) node.restart(this.#genesisHash, seats, blocks);
      this.trace.count('end.restarted');
    }
    for (const node of this.nodes)
      heap.plan(prng.between(10, 1_000), () => {
        if (node.core === undefined) node.start();
      });
  }

  /** From now on messages arrive soon and nodes stay up; liars fall silent or go on. Returns what must get in. */
  #endFaults(): SimulatedTransaction {
    this.isFaulty = false;
    this.network.faults = { loss: 0, duplication: 0, delayMaxMs: CALM_DELAY_MS };
    this.network.healAll();
    for (const a of this.nodes)
      for (const b of this.nodes) if (a.index < b.index && a.number !== b.number) this.connect(a, b);
    for (const node of this.nodes) {
      node.crashAtNextWriteMs = undefined;
      node.slowUntilMs = 0;
      const stops = this.plan.liars.find((liar) => liar.node === node.number)?.stops === true;
      if (node.core === undefined && !stops) node.start();
      else if (node.core !== undefined && stops) node.crash();
    }
    const probe = this.pool.make(PROBE_ID, 0);
    this.prng.pick(this.nodes.filter(({ isHonest, isLost }) => isHonest && !isLost)).submit(probe);
    return probe;
  }

  #isHealthy(target: number, probe: SimulatedTransaction): boolean {
    if (!this.#hasApplied) return false;
    this.#hasApplied = false;
    return this.nodes.every(
      (node) => !node.isHonest || node.isLost || (node.applied >= target && node.ledger.has(probe.id)),
    );
  }

  #countEnd(): void {
    for (const [what, times] of Object.entries(this.network.counts)) this.trace.count(`network.${what}`, times);
    this.trace.count('end.certificateOfAnotherView', this.invariants.otherViews);
    this.trace.count('end.twins', this.plan.twins.length);
    this.trace.count('end.skewedClocks', this.plan.skews.length);
    const changed = this.nodes.some(({ ledger }) => ledger.hasChanged);
    this.trace.count('end.membershipChanged', changed ? 1 : 0);
    this.trace.count('end.parametersChanged', this.nodes.some(({ ledger }) => ledger.hasChangedSettings) ? 1 : 0);
  }
}
