import { clockAnHourOff } from './scenarios/clock.ts';
import { delayAndLoss } from './scenarios/delay.ts';
import { fullDisk, slowDisks } from './scenarios/disks.ts';
import { hang, killAll } from './scenarios/hangs.ts';
import { killAtRandom } from './scenarios/kills.ts';
import { cutAtRandom, cutOneWay, isolateForLong, isolatePrimary, splitInHalves } from './scenarios/partitions.ts';
import type { Trial } from './trial.ts';

/** One kind of faults. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Whether lines have to be delayed, which not every kernel can do. */
  readonly shapes?: true;
  /** Does the harm, shows what must hold meanwhile, and leaves all nodes running; returns what was seen. */
  run(trial: Trial, kills: number): Promise<string>;
}

/** Every scenario by its name, and names for several. */
export const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = groups([
  { name: 'split', title: 'two halves without a quorum', run: splitInHalves },
  { name: 'primary', title: 'the primary cut off', run: isolatePrimary },
  { name: 'one-way', title: 'lines that work one way', run: cutOneWay },
  { name: 'cuts', title: 'lines cut by chance', run: cutAtRandom },
  { name: 'long-cut', title: 'a node alone for long', run: isolateForLong },
  { name: 'delay', title: 'delay, jitter, loss', shapes: true, run: delayAndLoss },
  { name: 'slow-disk', title: 'slow disks', run: slowDisks },
  { name: 'full-disk', title: 'a full disk', run: fullDisk },
  { name: 'clock', title: 'a clock an hour off', run: clockAnHourOff },
  { name: 'hang', title: 'a node that hangs', run: hang },
  { name: 'kill-all', title: 'all nodes die at once', run: killAll },
  { name: 'kills', title: 'kill -9 at random', run: killAtRandom },
]);

/** The scenarios with these names, all without any; or the name that there is not. */
export function findScenarios(names: readonly string[]): readonly Scenario[] | string {
  const unknown = names.find((name) => SCENARIOS[name] === undefined);
  if (unknown !== undefined) return unknown;
  return names.length === 0 ? SCENARIOS['all']! : [...new Set(names.flatMap((name) => SCENARIOS[name]!))];
}

function groups(all: readonly Scenario[]): Record<string, readonly Scenario[]> {
  const named = (...names: readonly string[]) => all.filter(({ name }) => names.includes(name));
  return {
    ...Object.fromEntries(all.map((scenario) => [scenario.name, [scenario]])),
    partitions: named('split', 'primary', 'one-way', 'cuts', 'long-cut'),
    disks: named('slow-disk', 'full-disk'),
    all,
  };
}
