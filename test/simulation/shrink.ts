import type { Plan } from './plan.ts';
import { partsOf, withoutParts } from './plan-parts.ts';
import { type SimulationResult, simulate } from './simulate.ts';
import type { WorldOptions } from './world.ts';

/** What can be left out of a failing run so that it still fails, and how early its faults can end. */
export interface Shrunk {
  readonly without: readonly string[];
  /** Faults end here. */
  readonly untilMs: number;
  readonly plan: Plan;
  readonly result: SimulationResult;
}

/** Runs that a shrinking may take. */
const TRIES_MAX = 600;
/** A plan with less in it goes its own way from there: some of its runs may still fail. */
const SALTS = 8;
const UNTIL_STEP_MS = 50;

/** The plan with its faults ended early. */
export function endedAt(plan: Plan, untilMs: number): Plan {
  return { ...plan, faultsMs: Math.min(plan.faultsMs, untilMs) };
}

/**
 * Leaves out of a failing plan what it can, one part after the other until none can go, and then shortens the faults:
 * what is left breaks the same invariant, in one of its runs. The run itself ends with the step that breaks it.
 */
export function shrink(plan: Plan, options: Omit<WorldOptions, 'plan'>): Shrunk {
  const first = simulate({ ...options, plan });
  const invariant = first.violation?.invariant;
  if (invariant === undefined) throw new Error('nothing to shrink: the run does not fail');
  let tries = 0;
  let salt = plan.salt;
  let result = first;
  const stillFails = (candidate: Plan): boolean => {
    for (let attempt = 0; attempt < SALTS && tries < TRIES_MAX; attempt += 1) {
      tries += 1;
      const salted = { ...candidate, salt: (salt + attempt) % SALTS };
      const run = simulate({ ...options, plan: salted });
      if (run.violation?.invariant !== invariant) continue;
      result = run;
      salt = salted.salt;
      return true;
    }
    return false;
  };
  let without: readonly string[] = [];
  for (let hasLess = true; hasLess; ) {
    hasLess = false;
    for (const part of partsOf(plan)) {
      if (isGone(part, without) || !stillFails(withoutParts(plan, [...without, part]))) continue;
      without = [...without, part];
      hasLess = true;
    }
  }
  const least = withoutParts(plan, without);
  let untilMs = plan.faultsMs;
  for (let stepMs = plan.faultsMs / 2; stepMs >= UNTIL_STEP_MS; stepMs /= 2)
    if (stillFails(endedAt(least, Math.floor(untilMs - stepMs)))) untilMs = Math.floor(untilMs - stepMs);
  const smallest = { ...endedAt(least, untilMs), salt };
  return { without: without.filter((part) => !isImplied(part, without)), untilMs, plan: smallest, result };
}

function isGone(part: string, without: readonly string[]): boolean {
  return without.includes(part) || isImplied(part, without);
}

/** What a liar does goes with the liar. */
function isImplied(part: string, without: readonly string[]): boolean {
  return without.some((other) => part.startsWith(`${other}.`));
}
