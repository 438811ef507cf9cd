import { Violation } from './invariants.ts';
import { World, type WorldOptions } from './world.ts';

/** What a run did; equal for equal options. */
export interface SimulationResult {
  readonly violation: Violation | undefined;
  readonly traceHash: string;
  readonly height: number;
  /** Steps of all cores, up to the violation if there was one. */
  readonly steps: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs one simulation to its end, or to the first violation. */
export function simulate(options: WorldOptions): SimulationResult {
  const world = new World(options);
  let violation: Violation | undefined;
  try {
    world.run();
  } catch (error) {
    // An exception in the core would stop a node, whoever sent what led to it.
    violation = error instanceof Violation ? error : new Violation('exception', String((error as Error).stack));
  }
  const { trace, invariants, steps } = world;
  return { violation, traceHash: trace.hash, height: invariants.highest, steps, counts: trace.counts };
}
