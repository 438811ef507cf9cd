// Runs simulations from the command line: --seeds N --first S --nodes A..B --faults-ms M.
import { parseArgs } from 'node:util';
import { simulate } from './world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    nodes: { type: 'string', short: 'n', default: '1..7' },
    'faults-ms': { type: 'string', default: '12000' },
  },
});
const first = Number(values.first);
const last = first + Number(values.seeds) - 1;
const [fewest, most] = values.nodes.split('..').map(Number) as [number, number | undefined];
const faultsMs = Number(values['faults-ms']);

const totals: Record<string, number> = {};
const startedMs = performance.now();
let failures = 0;
let blocks = 0;
for (let seed = first; seed <= last; seed += 1) {
  const nodes = fewest + (seed % ((most ?? fewest) - fewest + 1));
  const result = simulate({ seed, nodes, faultsMs });
  blocks += result.height;
  for (const [what, times] of Object.entries(result.counts)) totals[what] = (totals[what] ?? 0) + times;
  if (first === last) console.log(`trace ${result.traceHash}, height ${result.height}`);
  if (result.violation === undefined) continue;
  failures += 1;
  console.log(`seed ${seed}, ${nodes} nodes: ${result.violation.message}`);
  console.log(`  again: npm run sim -- --seeds 1 --first ${seed} --nodes ${nodes} --faults-ms ${faultsMs}`);
}
const seconds = (performance.now() - startedMs) / 1000;
for (const what of Object.keys(totals).sort()) console.log(`${what.padEnd(32)} ${totals[what]}`);
console.log(
  `${last - first + 1} seeds, ${blocks} blocks, ${((last - first + 1) / seconds).toFixed(1)} seeds/s, ${failures} failed`,
);
process.exitCode = failures === 0 ? 0 : 1;
