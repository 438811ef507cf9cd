import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from './environment.ts';
import { reportPage } from './report/page.ts';
import type { Section } from './report/report.ts';

/** One figure of a run, comparable between runs. */
export interface Measurement {
  /** The same in every run that measures the same thing. */
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** One for each repeat. */
  readonly values: readonly number[];
}

/** What `results.json` holds. */
export interface BenchResult {
  readonly format: 1;
  readonly bench: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly seed: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment: Environment;
  readonly measurements: readonly Measurement[];
  /** Everything that was measured, as the benchmark saw it. */
  readonly raw: unknown;
}

/** Writes results.json and index.html into a new folder below `root`, and returns the folder. */
export function writeResult(root: string, result: BenchResult, sections: readonly Section[]): string {
  const folder = path.join(root, `${result.bench}-${result.startedAt.replaceAll(':', '-').slice(0, 19)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'results.json'), `${JSON.stringify(result, null, 1)}\n`);
  const { commit, isModified } = result.environment;
  const at = `${commit.slice(0, 10)}${isModified ? ' with changes' : ''}`;
  writeFileSync(path.join(folder, 'index.html'), reportPage(`${result.bench}, ${result.startedAt}, ${at}`, sections));
  return folder;
}

/** Reads a result by its folder or its file. Throws an Error that names what is wrong. */
export function readResult(place: string): BenchResult {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? path.join(place, 'results.json') : place;
  const result = JSON.parse(readFileSync(file, 'utf8')) as Partial<BenchResult>;
  if (result.format !== 1 || !Array.isArray(result.measurements))
    throw new Error(`${file} is not a result of this benchmark suite`);
  return result as BenchResult;
}

/** The environment of a run as notes for its report. */
export function environmentNotes({
  environment,
  seed,
  options,
}: Pick<BenchResult, 'environment' | 'seed' | 'options'>) {
  const {
    commit,
    isModified,
    node,
    platform,
    cpu,
    cores,
    memoryBytes,
    loadAverage,
    fileSystem,
    syncMs,
    verifyMicroseconds,
  } = environment;
  return [
    `Commit ${commit}${isModified ? ' with uncommitted changes' : ''}; Node ${node}; ${platform}.`,
    `${cores} cores of ${cpu}, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB; load average ${loadAverage.toFixed(2)} at the ` +
      `start; file system ${fileSystem}, 4 KiB append with fdatasync ${syncMs.toFixed(2)} ms (median of 50); one Ed25519 ` +
      `verification ${verifyMicroseconds.toFixed(0)} µs of one thread (median of 2,000).`,
    `Seed ${seed}; options ${JSON.stringify(options)}.`,
  ];
}
