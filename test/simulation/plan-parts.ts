import type { Plan } from './plan.ts';

/**
 * Names of what can be left out of a plan: `fault.N`, `liar.NODE`, `liar.NODE.BEHAVIOUR`, `twin.NODE`, `skew.NODE`,
 * `change.N`, `settings.N`, `restart`, `loss`, `duplication`, `delay`. N counts in the whole plan, so names stay when others are left out.
 */
export function partsOf(plan: Plan): readonly string[] {
  const { loss, decisionLoss, duplication, delayMaxMs } = plan.network;
  return [
    ...plan.liars.map(({ node }) => `liar.${node}`),
    ...plan.twins.map((node) => `twin.${node}`),
    ...plan.faults.map((_, index) => `fault.${index}`),
    ...plan.changes.map((_, index) => `change.${index}`),
    ...plan.settings.map((_, index) => `settings.${index}`),
    ...plan.skews.map(({ node }) => `skew.${node}`),
    ...(plan.restart === undefined ? [] : ['restart']),
    ...(loss > 0 || decisionLoss !== undefined ? ['loss'] : []),
    ...(duplication > 0 ? ['duplication'] : []),
    ...(delayMaxMs > CALM_DELAY_MS ? ['delay'] : []),
    ...plan.liars.flatMap(({ node, behaviours }) =>
      behaviours.length > 1 ? behaviours.map((behaviour) => `liar.${node}.${behaviour}`) : [],
    ),
  ];
}

/** Delay of a network that nothing ails, in milliseconds. */
export const CALM_DELAY_MS = 40;

/** The plan without the named parts. Throws on a name that the plan does not have. */
export function withoutParts(plan: Plan, names: readonly string[]): Plan {
  const known = partsOf(plan);
  for (const name of names) if (!known.includes(name)) throw new Error(`the plan has no part ${name}`);
  const stays = (name: string) => !names.includes(name);
  const { decisionLoss, ...network } = plan.network;
  const calmer = {
    loss: stays('loss') ? network.loss : 0,
    duplication: stays('duplication') ? network.duplication : 0,
    delayMaxMs: stays('delay') ? network.delayMaxMs : CALM_DELAY_MS,
    ...(stays('loss') && decisionLoss !== undefined ? { decisionLoss } : {}),
  };
  return {
    ...plan,
    network: calmer,
    faults: plan.faults.filter((_, index) => stays(`fault.${index}`)),
    liars: plan.liars
      .filter(({ node }) => stays(`liar.${node}`))
      .map((liar) => ({
        ...liar,
        behaviours: liar.behaviours.filter((behaviour) => stays(`liar.${liar.node}.${behaviour}`)),
      })),
    twins: plan.twins.filter((node) => stays(`twin.${node}`)),
    skews: plan.skews.filter(({ node }) => stays(`skew.${node}`)),
    changes: plan.changes.filter((_, index) => stays(`change.${index}`)),
    settings: plan.settings.filter((_, index) => stays(`settings.${index}`)),
    restart: stays('restart') ? plan.restart : undefined,
  };
}

/** One line a part, for the reader of a failure. */
export function describePlan(plan: Plan): readonly string[] {
  const { network } = plan;
  return [
    `${plan.nodes} validators, ${plan.spares} spares, faults for ${plan.faultsMs} ms`,
    `network: loss ${network.loss}, of decisions ${network.decisionLoss ?? network.loss}, ` +
      `duplication ${network.duplication}, delay up to ${network.delayMaxMs} ms`,
    ...plan.liars.map(({ node, behaviours, stops }) => `node ${node} lies${stops ? ' for a time' : ''}: ${behaviours}`),
    ...plan.twins.map((node) => `node ${node} has a twin`),
    ...plan.skews.map(({ node, skewMs }) => `clock of node ${node} is off by ${skewMs} ms`),
    ...plan.changes.map(
      ({ atMs, joins, leaves }) => `${atMs} ms: change, ${joins ?? 'nobody'} joins, ${leaves ?? 'nobody'} leaves`,
    ),
    ...plan.settings.map(({ atMs, settings }) => `${atMs} ms: parameters, ${JSON.stringify(settings)}`),
    ...(plan.restart === undefined
      ? []
      : [`${plan.restart.lostAtMs} ms: [${plan.restart.lost}] are lost, restart at ${plan.restart.atMs} ms`]),
    ...plan.faults.map(
      ({ kind, atMs, forMs, node, side }) =>
        `${atMs} ms: ${kind} ${kind.endsWith('artition') ? `[${side}]` : node} for ${forMs} ms`,
    ),
  ];
}
