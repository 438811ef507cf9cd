import { RULES } from '../../src/consensus/parameters.ts';
import { faultyMax } from '../../src/ledger/validator-set.ts';
import type { InvariantName } from './invariants.ts';
import { UNDOMAINED_SIGNATURES } from './keys.ts';
import { makePlan, type Plan } from './plan.ts';
import { simulate } from './simulate.ts';
import type { WorldOptions } from './world.ts';

/** A bug planted on purpose, where it is looked for, and which invariants may catch it. */
export interface Mutant {
  readonly options: Omit<WorldOptions, 'plan'>;
  /** Validators, in turn. */
  readonly nodes: readonly number[];
  readonly caughtBy: readonly InvariantName[];
  /** Seeds 1 … this many are enough. */
  readonly seeds: number;
  /** Makes the plans harsher where the bug needs rare luck. */
  readonly harsher?: (plan: Plan) => Plan;
}

/** Two quorums of 2f+1 among 5 or 6 need not share an honest node; noticed by its consequences alone. */
const quorumOf2f1: Mutant = {
  options: {
    rules: {
      quorumSize: (validators) => 2 * faultyMax(validators) + 1,
      certificateFault(kind, certificate, set, genesisHash, verify) {
        const fault = RULES.certificateFault(kind, certificate, set, genesisHash, verify);
        const isEnough = certificate.signatures.length >= 2 * faultyMax(set.validators.length) + 1;
        return fault === 'quorum' && isEnough ? undefined : fault;
      },
    },
    checksCertificates: false,
  },
  nodes: [5, 6],
  caughtBy: ['agreement'],
  seeds: 60,
  harsher: (plan) => ({ ...plan, changes: [], liars: [{ node: 0, behaviours: ['equivocate'], stops: false }] }),
};

/** Few learn of a decision: then what the others carry into the next view decides. */
const loseDecisions = (plan: Plan): Plan => ({
  ...plan,
  network: { loss: 0, duplication: 0, delayMaxMs: 400, decisionLoss: 0.7 },
  liars: [],
  twins: [],
});

/** Every planted bug, by the name under which the command line and the table in docs/PROTOCOL.md know it. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  quorumOf2f1,
  preparedDropped: {
    options: { rules: { carriesPrepared: false } },
    nodes: [4],
    caughtBy: ['agreement'],
    seeds: 10,
    harsher: loseDecisions,
  },
  undomainedSignatures: {
    options: { scheme: UNDOMAINED_SIGNATURES },
    nodes: [4],
    caughtBy: ['certificate', 'agreement'],
    seeds: 40,
    harsher: (plan) => ({ ...plan, changes: [], liars: [{ node: 0, behaviours: ['replay'], stops: false }] }),
  },
  sendBeforeSync: {
    options: { rules: { syncsBeforeSending: false } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['slot', 'agreement', 'journal', 'view'],
    seeds: 60,
  },
  viewsGoBack: {
    options: { rules: { dropsOldViews: false } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['view'],
    seeds: 20,
  },
  oldCommitsIgnored: {
    options: { rules: { countsOldCommits: false } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['decision'],
    seeds: 20,
  },
  twoCommitPaths: {
    options: { bugs: { twoCommitPaths: true } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['application'],
    seeds: 5,
  },
  certificatesInContent: {
    options: { bugs: { certificatesInContent: true } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['execution', 'application'],
    seeds: 5,
  },
  parametersAtOnce: {
    options: { bugs: { parametersAtOnce: true } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['parameters', 'execution', 'application'],
    seeds: 10,
  },
  restartUnderOldName: {
    options: { bugs: { restartUnderOldName: true } },
    nodes: [4, 5, 6, 7],
    caughtBy: ['slot', 'view'],
    seeds: 20,
  },
  amnesiaAtT1: {
    options: { rules: { amnesiaMargin: 1 } },
    nodes: [4],
    caughtBy: ['slot', 'view', 'journal'],
    seeds: 60,
    // One that decides a block almost alone, and forgets it before the others have decided.
    harsher: (plan) => ({
      ...loseDecisions(plan),
      network: { loss: 0, duplication: 0, delayMaxMs: 100, decisionLoss: 0.95 },
      skews: [],
      spares: 0,
      changes: [],
      faults: [{ kind: 'loseDisk', atMs: 300 + ((plan.seed * 137) % 5_500), forMs: 20, node: plan.seed % 4, side: [] }],
    }),
  },
};

/** The plan in which a mutant is looked for under this seed. */
export function mutantPlan({ nodes, harsher }: Mutant, seed: number): Plan {
  const plan = makePlan(seed, nodes[seed % nodes.length]!);
  return harsher === undefined ? plan : harsher(plan);
}

/** The first seed whose run shows the bug, and by which invariant; undefined when none of them does. */
export function firstCaught(mutant: Mutant): { readonly seed: number; readonly invariant: string } | undefined {
  for (let seed = 1; seed <= mutant.seeds; seed += 1) {
    const { violation } = simulate({ ...mutant.options, plan: mutantPlan(mutant, seed) });
    if (violation !== undefined && mutant.caughtBy.includes(violation.invariant))
      return { seed, invariant: violation.invariant };
  }
  return undefined;
}
