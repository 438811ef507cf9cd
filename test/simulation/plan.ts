import { faultyMax } from '../../src/ledger/validator-set.ts';
import type { NetworkFaults } from './network.ts';
import { makePrng, type Prng } from './prng.ts';
import type { Settings } from './settings.ts';

/** What befalls nodes and links. */
export const FAULT_KINDS = [
  'crash',
  'crashAtSync',
  'crashOfAll',
  'partition',
  'oneWayPartition',
  'slowDisk',
  'loseJournal',
  'loseDisk',
  'staleJournal',
  'staleDisk',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What Byzantine validators do; a twin is a second node with an honest one's key. */
export const BEHAVIOURS = [
  'equivocate',
  'withhold',
  'forgeCertificate',
  'replay',
  'lieInViewChange',
  'floodHeights',
  'floodViews',
  'delay',
  'censor',
  'hideBlocks',
  'proposeInvalid',
  'hastyCommit',
  'spoilRelay',
  'badSync',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** One fault. `node` is the one it befalls; of a partition, `side` is cut off from the rest. */
export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly forMs: number;
  readonly node: number;
  readonly side: readonly number[];
}

/** A Byzantine validator; `stops`: it falls silent when the faults end. */
export interface LiarPlan {
  readonly node: number;
  readonly behaviours: readonly Behaviour[];
  readonly stops: boolean;
}

/** A change of the validator set, sent as a transaction: `joins` takes a seat, `leaves` gives one up. */
interface MembershipChange {
  readonly atMs: number;
  readonly joins: number | undefined;
  readonly leaves: number | undefined;
}

/** A change of the parameters, sent as a transaction. */
interface SettingsChange {
  readonly atMs: number;
  readonly settings: Partial<Settings>;
}

/** More than f validators are lost for good, and some time later those who stay restart the ledger. */
interface RestartPlan {
  readonly lostAtMs: number;
  readonly atMs: number;
  readonly lost: readonly number[];
}

/**
 * All that goes wrong in one run, known before it begins, so that parts of it can be left out. Nodes 0 … nodes − 1 are
 * the first validators, `spares` more wait for a seat.
 */
export interface Plan {
  readonly seed: number;
  /** Chooses among the runs of one plan: what takes how long, what is lost. */
  readonly salt: number;
  readonly nodes: number;
  readonly spares: number;
  readonly faultsMs: number;
  readonly network: NetworkFaults;
  readonly faults: readonly Fault[];
  readonly liars: readonly LiarPlan[];
  /** Nodes that run twice. */
  readonly twins: readonly number[];
  readonly skews: readonly { readonly node: number; readonly skewMs: number }[];
  readonly changes: readonly MembershipChange[];
  readonly settings: readonly SettingsChange[];
  readonly restart: RestartPlan | undefined;
}

/** Virtual milliseconds during which faults happen, if nobody says otherwise. */
export const FAULTS_MS = 6_000;
const SKEW_MS = 5_000;
const TWIN_CHANCE = 0.15;

/** The plan that follows from a seed. At most f of any validator set that can arise are faulty beyond crashes. */
export function makePlan(seed: number, nodes: number, faultsMs = FAULTS_MS): Plan {
  const prng = makePrng(seed);
  const network: NetworkFaults = {
    loss: prng.pick([0, 0, 0.02, 0.2]),
    duplication: prng.pick([0, 0.1]),
    delayMaxMs: prng.pick([40, 400, 2_000]),
    ...(prng.chance(0.1) ? { decisionLoss: 0.7 } : {}),
  };
  const changes = nodes > 1 && prng.chance(0.35) ? planChanges(prng, nodes, faultsMs) : [];
  const leaving = changes.filter((change) => change.joins === undefined).length;
  const budget = faultyMax(Math.max(1, nodes - leaving));
  const order = shuffled(prng, nodes);
  const faulty = order.slice(0, prng.chance(0.75) ? budget : 0);
  const { liars, twins, losses } = planFaulty(prng, faulty, faultsMs);
  const skews = prng.chance(0.2) ? [{ node: prng.between(0, nodes - 1), skewMs: prng.pick([-SKEW_MS, SKEW_MS]) }] : [];
  const faults = [...losses, ...planCrashes(prng, nodes, faultsMs), ...planPartitions(prng, nodes, faultsMs)];
  const spares = changes.filter((change) => change.joins !== undefined).length;
  const settings = planSettings(seed, faultsMs);
  const plan = { seed, salt: 0, nodes, spares, faultsMs, network, faults, liars, twins, skews, changes, settings };
  const betrayed = losses.map(({ atMs, forMs, node }) => ({ node, untilMs: atMs + forMs }));
  const restart = changes.length > 0 ? undefined : planRestart(plan, betrayed);
  return { ...plan, restart };
}

/** From numbers of their own too. Of those who stay, at most as many are faulty as they bear. */
function planRestart(
  { seed, nodes, faultsMs, liars, twins }: Omit<Plan, 'restart'>,
  betrayed: readonly { readonly node: number; readonly untilMs: number }[],
): RestartPlan | undefined {
  const prng = makePrng(seed ^ 0x7e57);
  const lostAtMs = prng.between(1_000, 3_500);
  const atMs = lostAtMs + prng.between(300, 1_500);
  const isQuiet = betrayed.every(({ untilMs }) => untilMs < lostAtMs);
  if (nodes < 2 || atMs > faultsMs || !isQuiet || !prng.chance(0.25)) return undefined;
  const faulty = [...liars, ...betrayed].map(({ node }) => node).concat(twins);
  const stay = prng.between(1, nodes - faultyMax(nodes) - 1);
  const order = shuffled(prng, nodes);
  const staying = [...faulty.slice(0, faultyMax(stay)), ...order.filter((node) => !faulty.includes(node))].slice(
    0,
    stay,
  );
  return { lostAtMs, atMs, lost: order.filter((node) => !staying.includes(node)) };
}

/** From numbers of their own, so that the rest of a plan is what it is without them. */
function planSettings(seed: number, faultsMs: number): readonly SettingsChange[] {
  const prng = makePrng(seed ^ 0x5e77);
  if (!prng.chance(0.35)) return [];
  return Array.from({ length: prng.between(1, 3) }, () => ({
    atMs: prng.between(100, faultsMs),
    settings: prng.pick([
      { baseTimeoutMs: prng.pick([300, 700, 2_500]) },
      { heartbeatMs: prng.pick([700, 2_000, 9_000]) },
      { baseTimeoutMs: 1_500, timeoutMaxMs: prng.pick([6_000, 20_000]) },
      { blockTransactionsMax: prng.pick([1, 2, 9]) },
    ]),
  }));
}

/** The Byzantine ones, the twins, and those whose disk betrays them. */
function planFaulty(prng: Prng, faulty: readonly number[], faultsMs: number) {
  const liars: LiarPlan[] = [];
  const twins: number[] = [];
  const losses: Fault[] = [];
  for (const node of faulty) {
    if (prng.chance(0.3)) {
      const kind = prng.pick(['loseJournal', 'loseDisk', 'staleJournal', 'staleDisk'] as const);
      const atMs = prng.between(1_500, faultsMs);
      losses.push({ kind, atMs, forMs: prng.between(20, 1_500), node, side: [] });
    } else if (prng.chance(TWIN_CHANCE)) twins.push(node);
    else {
      const first = prng.pick(BEHAVIOURS);
      const behaviours = BEHAVIOURS.filter((behaviour) => behaviour === first || prng.chance(0.25));
      liars.push({ node, behaviours, stops: prng.chance(0.5) });
    }
  }
  return { liars, twins, losses };
}

function planCrashes(prng: Prng, nodes: number, faultsMs: number): readonly Fault[] {
  const often = prng.pick([0, 1, 2]);
  const faults: Fault[] = [];
  for (let atMs = prng.between(200, 4_000); often > 0 && atMs < faultsMs; atMs += prng.between(300, 6_000 / often)) {
    const kind = prng.pick(['crash', 'crashAtSync', 'crashAtSync', 'crashAtSync', 'crashOfAll', 'slowDisk'] as const);
    faults.push({ kind, atMs, forMs: prng.between(20, 2_500), node: prng.between(0, nodes - 1), side: [] });
  }
  return faults;
}

function planPartitions(prng: Prng, nodes: number, faultsMs: number): readonly Fault[] {
  if (prng.chance(0.3)) return [];
  const faults: Fault[] = [];
  for (let atMs = prng.between(500, 5_000); atMs < faultsMs; atMs += prng.between(1_000, 6_000)) {
    const side = Array.from({ length: nodes }, (_, node) => node).filter(() => prng.chance(0.4));
    const kind = prng.chance(0.3) ? 'oneWayPartition' : 'partition';
    faults.push({ kind, atMs, forMs: prng.between(200, 4_000), node: 0, side });
  }
  return faults;
}

function planChanges(prng: Prng, nodes: number, faultsMs: number): readonly MembershipChange[] {
  const leavers = shuffled(prng, nodes);
  let joining = nodes;
  return Array.from({ length: prng.between(1, 3) }, () => {
    const atMs = prng.between(100, faultsMs);
    const kind = prng.pick(['add', 'remove', 'rotate'] as const);
    const joins = kind === 'remove' ? undefined : joining;
    if (joins !== undefined) joining += 1;
    return { atMs, joins, leaves: kind === 'add' ? undefined : leavers.pop() };
  });
}

function shuffled(prng: Prng, count: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = prng.between(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
