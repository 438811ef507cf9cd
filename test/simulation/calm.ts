import { makePlan, type Plan } from './plan.ts';

/** A plan in which nothing goes wrong: what a scenario adds is all that does. */
export function calmPlan(nodes: number, seed = 1): Plan {
  return {
    ...makePlan(seed, nodes),
    spares: 0,
    network: { loss: 0, duplication: 0, delayMaxMs: 40 },
    faults: [],
    liars: [],
    twins: [],
    skews: [],
    changes: [],
    settings: [],
    restart: undefined,
  };
}
