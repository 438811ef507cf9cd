// Runs simulations: node bin/run.cjs test/simulation/run.ts [options]
//   --seeds N        how many (default 100)         --first S   the first seed (default 1)
//   --nodes A..B, --n A..B  validators, in turn     --faults-ms how long faults happen (default 6000)
//   --bug NAME       plants a bug of mutants.ts, and looks where it shows
//   --without A,B    leaves parts out of the plan   --until-ms  ends the faults early
//   --salt N         another run of the same plan
//   --trace LINES    prints the end of the run; of a failure it is printed anyway
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.ts';
import { MUTANTS, type Mutant, mutantPlan } from './mutants.ts';
import { Narrator } from './narrator.ts';
import { FAULTS_MS, makePlan, type Plan } from './plan.ts';
import { describePlan, withoutParts } from './plan-parts.ts';
import { endedAt, shrink } from './shrink.ts';
import { type SimulationResult, simulate } from './simulate.ts';

const FAILURES_SHOWN = 3;
const TRACE_LINES = 40;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '1..7' },
    n: { type: 'string', short: 'n' },
    'faults-ms': { type: 'string', default: String(FAULTS_MS) },
    'until-ms': { type: 'string' },
    without: { type: 'string', default: '' },
    salt: { type: 'string', default: '0' },
    bug: { type: 'string' },
    trace: { type: 'string' },
  },
});
const first = Number(values.first);
const last = first + Number(values.seeds) - 1;
const [fewest, most = fewest] = (values.n ?? values.nodes).split('..').map(Number) as [number, number | undefined];
const mutant = mutantNamed(values.bug);
const options = mutant?.options ?? {};

const coverage = new Coverage();
const startedMs = performance.now();
const startedCpu = process.cpuUsage();
let failures = 0;
let blocks = 0;
let steps = 0;
for (let seed = first; seed <= last; seed += 1) {
  const plan = planOf(seed);
  const result = simulate({ ...options, plan });
  blocks += result.height;
  steps += result.steps;
  coverage.add(result.counts);
  if (first === last) console.log(`trace hash ${result.traceHash}, height ${result.height}, ${result.steps} steps`);
  if (first === last && values.trace !== undefined) printTrace(plan, Number(values.trace));
  if (result.violation === undefined) continue;
  failures += 1;
  if (failures <= FAILURES_SHOWN) explain(plan, result);
  else console.log(`seed ${seed}, ${plan.nodes} nodes: ${result.violation.message}`);
}
const seeds = last - first + 1;
const seconds = (performance.now() - startedMs) / 1000;
const cpu = process.cpuUsage(startedCpu);
const perCpuSecond = (seeds * 1e6) / (cpu.user + cpu.system);
console.log(coverage.lines.join('\n'));
if (coverage.missing.length > 0) console.log(`never exercised: ${coverage.missing.join(' ')}`);
console.log(
  `${seeds} seeds, ${blocks} blocks, ${steps} steps in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(1)} seeds/s` +
    ` (${perCpuSecond.toFixed(1)} a second of CPU), ${failures} failed`,
);
process.exitCode = failures === 0 ? 0 : 1;

function planOf(seed: number): Plan {
  const nodes = fewest + (seed % (most - fewest + 1));
  const whole = mutant === undefined ? makePlan(seed, nodes, Number(values['faults-ms'])) : mutantPlan(mutant, seed);
  const without = values.without.split(',').filter((name) => name !== '');
  const plan = { ...withoutParts(whole, without), salt: Number(values.salt) };
  return values['until-ms'] === undefined ? plan : endedAt(plan, Number(values['until-ms']));
}

function mutantNamed(name: string | undefined): Mutant | undefined {
  if (name === undefined) return undefined;
  const known = MUTANTS[name];
  if (known === undefined) throw new Error(`no bug ${name}; there are ${Object.keys(MUTANTS).join(', ')}`);
  return known;
}

/** The failure, what of the plan it needs, the end of the smallest run that shows it, and how to run that again. */
function explain(plan: Plan, { violation }: SimulationResult): void {
  console.log(`seed ${plan.seed}, ${plan.nodes} nodes: ${violation?.message}`);
  if (values.without !== '' || values['until-ms'] !== undefined) {
    printTrace(plan, Number(values.trace ?? TRACE_LINES));
    return;
  }
  const least = shrink(plan, options);
  console.log(`needs (of ${describePlan(plan).length} lines of its plan, ${least.result.steps} steps):`);
  for (const line of describePlan(least.plan)) console.log(`  ${line}`);
  printTrace(least.plan, Number(values.trace ?? TRACE_LINES));
  console.log(`${least.result.violation?.message}`);
  const without = least.without.join(',');
  const words = [
    `npm run sim -- --seeds 1 --first ${plan.seed} --nodes ${plan.nodes} --faults-ms ${values['faults-ms']}`,
    ...(values.bug === undefined ? [] : [`--bug ${values.bug}`]),
    ...(least.plan.salt === 0 ? [] : [`--salt ${least.plan.salt}`]),
    ...(without === '' ? [] : [`--without ${without}`]),
    ...(least.untilMs === Number(values['faults-ms']) ? [] : [`--until-ms ${least.untilMs}`]),
  ];
  console.log(`again: ${words.join(' ')}`);
}

function printTrace(plan: Plan, lines: number): void {
  const narrator = new Narrator();
  simulate({ ...options, plan, onStep: narrator.onStep });
  for (const line of narrator.lines.slice(-lines)) console.log(line);
}
