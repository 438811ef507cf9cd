// Real nodes under real faults: npm run test:faults -- [SCENARIO…] [--nodes 4..7] [--seed S] [--kills K] [--proxy] [--logs]
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { environmentInside, isInsideWorld, prepareWorld, privateWorld } from './namespace-network.ts';
import { findScenarios, SCENARIOS } from './scenarios.ts';
import { runScenarios } from './suite.ts';

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '4' },
    seed: { type: 'string' },
    kills: { type: 'string', default: '100' },
    proxy: { type: 'boolean', default: false },
    logs: { type: 'boolean', default: false },
  },
});
const nodes = Number(options.nodes);
const kills = Number(options.kills);
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
const chosen = findScenarios(names);
if (typeof chosen === 'string')
  refuse(`There is no scenario ${chosen}; there are ${Object.keys(SCENARIOS).join(', ')}.`);
if (!Number.isInteger(nodes) || nodes < 4 || nodes > 7) refuse('--nodes: 4 to 7.');
if (!Number.isInteger(kills) || kills < 1) refuse('--kills: a number of kills.');
if (!Number.isInteger(seed)) refuse('--seed: an integer.');

const world = options.proxy || isInsideWorld() ? undefined : privateWorld();
if (world !== undefined && 'command' in world) process.exitCode = await runInside(world.command);
else {
  if (isInsideWorld()) prepareWorld();
  else console.log(`No network namespaces: ${world?.missing ?? 'not wanted'}.`);
  const mode = isInsideWorld() ? 'namespaces' : 'proxy';
  process.exitCode = await runScenarios(chosen, { mode, nodes, seed, kills, logs: options.logs });
}

/** Runs this file again in a network of its own; signals go on to it. */
async function runInside([unshare, ...flags]: readonly string[]): Promise<number> {
  const again = [...flags, process.execPath, ...process.execArgv, ...process.argv.slice(1), '--seed', String(seed)];
  const child = spawn(unshare!, again, { stdio: 'inherit', env: environmentInside() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
