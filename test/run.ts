// Runs the test folders: node bin/run.cjs test/run.ts [--long] [--raise-floors] [NAME…]
//   --long          runs the *.long.ts files too, under a longer limit
//   --raise-floors  writes the counts of this run to floors.json where they are higher or new
//   NAME            only files whose path contains it; floors are not checked then
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type FolderLimits, runFolder } from './runner/folder-run.ts';
import { findTestFolders, type TestFolder } from './runner/test-folders.ts';
import { judge, type Verdict } from './runner/verdict.ts';

const NORMAL_LIMITS: FolderLimits = { wallClockMs: 240_000, closingMs: 3_000 };
const LONG_LIMITS: FolderLimits = { wallClockMs: 3_600_000, closingMs: 3_000 };
const FOLDERS_AT_ONCE = 2;

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: 'boolean', default: false },
    'raise-floors': { type: 'boolean', default: false },
    root: { type: 'string', default: import.meta.dirname },
    'limit-ms': { type: 'string' },
  },
});
const strict = process.env['MEDLEDGER_TEST_STRICT'] === '1';
const root = path.resolve(options.root);
const limits = options.long ? LONG_LIMITS : NORMAL_LIMITS;
const wallClockMs = Number(options['limit-ms'] ?? limits.wallClockMs);
const floorsFile = path.join(root, 'floors.json');
const floors = readFloors();
const verdicts = new Map<string, Verdict>();
const total = { passed: 0, failed: 0, skipped: 0 };

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interruption.abort());

const plan = findTestFolders(root, options.long, filters);
for (const refusal of plan.refusals) refuse(refusal);
if (plan.folders.length === 0)
  refuse(filters.length > 0 ? `no test file matches ${filters.join(' ')}` : 'no test files');
if (filters.length === 0)
  for (const name of Object.keys(floors))
    if (!plan.folders.some((folder) => folder.name === name)) refuse(`${name} has a floor but no test files`);

const waiting = [...plan.folders];
const workers = Math.min(FOLDERS_AT_ONCE, os.availableParallelism(), waiting.length);
await Promise.all(Array.from({ length: workers }, runWaiting));
if (interruption.signal.aborted) refuse('interrupted');

if (options['raise-floors'] && filters.length === 0 && !options.long && total.failed === 0) writeFloors();
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function runWaiting(): Promise<void> {
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    if (interruption.signal.aborted) return;
    await runAndReport(folder);
  }
}

async function runAndReport(folder: TestFolder): Promise<void> {
  const run = await runFolder(folder.files, { ...limits, wallClockMs }, interruption.signal);
  const verdict = judge(run, filters.length === 0 ? (floors[folder.name] ?? null) : null, strict);
  const problems = [...verdict.problems];
  if (filters.length === 0 && floors[folder.name] === undefined && !options['raise-floors'])
    problems.push('has no floor in floors.json: run with --raise-floors and commit it');
  verdicts.set(folder.name, verdict);
  total.passed += verdict.passed;
  total.failed += verdict.failed + problems.length - verdict.problems.length;
  total.skipped += verdict.skipped;
  const failed = verdict.failed + problems.length > 0;
  const counts = `${verdict.passed} passed, ${verdict.failed} failed, ${verdict.skipped} skipped`;
  const lines = [`${failed ? 'FAIL' : 'ok  '} ${folder.name.padEnd(14)} ${counts} (${run.seconds.toFixed(1)} s)`];
  if (failed) lines.push(run.output.trimEnd());
  else for (const reason of run.output.match(/^SKIP: .+$/gm) ?? []) lines.push(`     ${reason}`);
  for (const problem of problems) lines.push(`FAIL ${folder.name}: ${problem}`);
  console.log(lines.join('\n'));
}

function refuse(reason: string): void {
  total.failed += 1;
  console.log(`FAIL ${reason}`);
}

function readFloors(): Readonly<Record<string, number>> {
  try {
    return JSON.parse(readFileSync(floorsFile, 'utf8')) as Record<string, number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`Cannot read ${floorsFile}: ${(error as Error).message}`);
  }
}

function writeFloors(): void {
  const raised: Record<string, number> = {};
  for (const name of [...verdicts.keys()].sort())
    raised[name] = Math.max(floors[name] ?? 0, (verdicts.get(name)?.passed ?? 0) + (verdicts.get(name)?.skipped ?? 0));
  writeFileSync(floorsFile, `${JSON.stringify(raised, null, 2)}\n`);
}
