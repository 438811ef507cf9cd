import assert from 'node:assert/strict';
import { audit } from './audit.ts';
import { canShapePackets } from './namespace-network.ts';
import type { NetworkMode } from './network.ts';
import type { Scenario } from './scenarios.ts';
import { closeTrial, openTrial, PATIENCE_MS, type Trial } from './trial.ts';

/** How a run is made. */
export interface SuiteOptions {
  readonly mode: NetworkMode;
  readonly nodes: number;
  readonly seed: number;
  readonly kills: number;
  /** Prints what the nodes wrote last when a scenario fails. */
  readonly logs: boolean;
}

interface Row {
  readonly scenario: string;
  readonly mode: string;
  readonly seconds: number;
  readonly acknowledged: number;
  readonly gapMs: number;
  readonly result: string;
}

/** Runs scenarios one after the other, each with a new cluster; prints a table; returns the exit status. */
export async function runScenarios(scenarios: readonly Scenario[], options: SuiteOptions): Promise<number> {
  const { mode, nodes, seed } = options;
  console.log(`${nodes} nodes, faults by ${mode}, seed ${seed}\n`);
  const interruption = watchSignals();
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    if (interruption.signal !== undefined) break;
    rows.push(await runOne(scenario, options, interruption));
  }
  printTable(rows);
  if (interruption.signal !== undefined) return 130;
  const failed = rows.filter(({ result }) => result !== 'passed').length;
  console.log(`\n${rows.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** A signal closes what runs; what was under way then fails, and everything is removed as after any failure. */
interface Interruption {
  signal: NodeJS.Signals | undefined;
  trial: Trial | undefined;
}

function watchSignals(): Interruption {
  const interruption: Interruption = { signal: undefined, trial: undefined };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (interruption.signal !== undefined) return;
      interruption.signal = signal;
      console.log(`${signal}: ending`);
      const { trial } = interruption;
      if (trial !== undefined) void closeTrial(trial).then(() => process.exit(130));
    });
  return interruption;
}

async function runOne(scenario: Scenario, options: SuiteOptions, interruption: Interruption): Promise<Row> {
  const startMs = performance.now();
  const { nodes, seed, kills } = options;
  const mode = scenario.shapes === true && !canShapePackets() ? 'proxy' : options.mode;
  console.log(`${scenario.name} (${scenario.title}), by ${mode}`);
  let trial: Trial | undefined;
  let gapMs = 0;
  let result = 'passed';
  let isClosing = false;
  try {
    trial = await openTrial(mode, nodes, seed);
    if (interruption.signal !== undefined) throw new Error('interrupted while starting');
    interruption.trial = trial;
    const { cluster, load } = trial;
    console.log(`  ${await scenario.run(trial, kills)}`);
    await load.more(20, PATIENCE_MS);
    gapMs = load.longestGapMs(trial.startedMs, performance.now());
    await load.stop();
    assert.deepEqual(load.faults, []);
    console.log(`  ${await audit(cluster, load.acknowledged)}`);
  } catch (error) {
    isClosing = interruption.trial !== undefined && interruption.signal !== undefined;
    if (interruption.signal !== undefined)
      return { scenario: scenario.name, mode, ...measures(trial, startMs), gapMs, result: 'interrupted' };
    result = `FAILED: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
    console.log(`  FAILED, again with: npm run test:faults -- ${scenario.name} --seed ${seed} --nodes ${nodes}`);
    console.log(error instanceof Error ? error.stack : error);
    if (options.logs && trial !== undefined) console.log(trial.cluster.logs(100));
  } finally {
    interruption.trial = undefined;
    if (trial !== undefined && !isClosing) await closeTrial(trial);
  }
  return { scenario: scenario.name, mode, ...measures(trial, startMs), gapMs, result };
}

function measures(trial: Trial | undefined, startMs: number): Pick<Row, 'seconds' | 'acknowledged'> {
  return { seconds: (performance.now() - startMs) / 1_000, acknowledged: trial?.load.acknowledged.length ?? 0 };
}

function printTable(rows: readonly Row[]): void {
  const line = (cells: readonly string[]) =>
    console.log(cells.map((cell, column) => (column < 2 ? cell.padEnd(12) : cell.padStart(12))).join(''));
  console.log('');
  line(['scenario', 'faults by', 'seconds', 'committed', 'longest gap', 'audit']);
  for (const { scenario, mode, seconds, acknowledged, gapMs, result } of rows)
    line([scenario, mode, seconds.toFixed(0), String(acknowledged), `${(gapMs / 1_000).toFixed(1)} s`, `  ${result}`]);
}
