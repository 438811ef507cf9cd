/** How one folder's process ended and what it printed. */
export interface FolderRun {
  readonly output: string;
  /** Exit status; null when a signal ended the process. */
  readonly exitCode: number | null;
  /** `timeLimit` and `openHandle`: this runner killed it, during the tests or after the summary. */
  readonly ended: 'exited' | 'timeLimit' | 'openHandle';
  readonly seconds: number;
}

/** Counts of uvu's own closing summary. */
export interface Summary {
  readonly total: number;
  readonly passed: number;
  readonly skipped: number;
}

/** What one folder's run amounts to. Each problem counts as one failure. */
export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly problems: readonly string[];
}

const SUMMARY = / {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: /g;

/** The last summary in the output, or null. */
export function findSummary(output: string): Summary | null {
  const match = [...output.matchAll(SUMMARY)].at(-1);
  if (match === undefined) return null;
  return { total: Number(match[1]), passed: Number(match[2]), skipped: Number(match[3]) };
}

/**
 * Judges a run. `floor` is the least number of tests that the folder must hold (null: not checked); a test skipped with
 * a reason counts towards it. `strict` turns skips into failures.
 */
export function judge(run: FolderRun, floor: number | null, strict: boolean): Verdict {
  const problems: string[] = [];
  const summary = findSummary(run.output);
  if (run.ended === 'timeLimit') problems.push(`killed at its time limit after ${run.seconds.toFixed(0)} s`);
  if (run.ended === 'openHandle') problems.push('killed: its tests ended but the process did not (an open handle)');
  if (summary === null) {
    if (run.ended === 'exited') problems.push(`ended without a summary, exit status ${run.exitCode}`);
    return { passed: 0, failed: problems.length, skipped: 0, problems };
  }
  const failedTests = summary.total - summary.passed;
  // uvu says nothing and exits 0 when a hook throws: the counts tell, not the exit status.
  if (run.exitCode === 0 && failedTests > 0) problems.push(`${failedTests} tests did not run: a hook threw`);
  if (run.ended === 'exited' && run.exitCode !== 0 && failedTests === 0)
    problems.push(`exit status ${run.exitCode} though no test failed`);
  const reasons = run.output.match(/^SKIP: .+$/gm) ?? [];
  if (summary.skipped > reasons.length)
    problems.push(`${summary.skipped - reasons.length} tests skipped without a reason (.skip or .only left in?)`);
  for (const file of filesWithoutTests(run.output)) problems.push(`${file} holds no test`);
  if (floor !== null && summary.passed + failedTests + reasons.length < floor)
    problems.push(`${summary.passed + reasons.length} tests, fewer than its floor of ${floor} in floors.json`);
  if (strict && summary.skipped > 0)
    return {
      passed: summary.passed,
      failed: failedTests + problems.length + summary.skipped,
      skipped: 0,
      problems: [...problems, ...reasons.map((line) => `skipped, refused in strict mode: ${line.slice(6)}`)],
    };
  return { passed: summary.passed, failed: failedTests + problems.length, skipped: summary.skipped, problems };
}

/** Files whose line of dots says `(0 / 0)`; a file that only skips says so in a SKIP line before and is not meant. */
function filesWithoutTests(output: string): readonly string[] {
  if (/^SKIP: /m.test(output)) return [];
  return [...output.matchAll(/^(\S+\.(?:test|long)\.ts)\n {2}\(0 \/ 0\)$/gm)].map((match) => match[1]!);
}
