import { spawn } from 'node:child_process';
import path from 'node:path';
import { type FolderRun, findSummary } from './verdict.ts';

/** Output kept of one folder; of more, the end. */
const OUTPUT_CHARACTERS_MAX = 4_000_000;

/** Limits of one folder, in milliseconds. */
export interface FolderLimits {
  /** From the start to the exit. */
  readonly wallClockMs: number;
  /** From the summary to the exit; longer means that a handle was left open. */
  readonly closingMs: number;
}

/** Runs the files in one child process; kills it, with all it started, at a limit or when `signal` aborts. */
export function runFolder(files: readonly string[], limits: FolderLimits, signal: AbortSignal): Promise<FolderRun> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const entry = path.join(import.meta.dirname, 'folder-process.ts');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...files], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what the tests started must end with them.
      detached: true,
      env: environmentWithoutColour(),
    });
    let output = '';
    let ended: FolderRun['ended'] = 'exited';
    let closing: NodeJS.Timeout | undefined;
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group has ended already.
      }
    };
    const stop = (reason: FolderRun['ended']) => {
      ended = reason;
      killGroup();
    };
    const wallClock = setTimeout(() => stop('timeLimit'), limits.wallClockMs);
    const append = (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX);
      if (closing === undefined && findSummary(output.slice(-chunk.length - 200)) !== null)
        closing = setTimeout(() => stop('openHandle'), limits.closingMs);
    };
    child.stdout.setEncoding('utf8').on('data', append);
    child.stderr.setEncoding('utf8').on('data', append);
    signal.addEventListener('abort', killGroup, { once: true });
    child.on('error', reject);
    // Grandchildren may hold the pipes open after the exit: without this 'close' would never come.
    child.on('exit', killGroup);
    child.on('close', (exitCode) => {
      clearTimeout(wallClock);
      clearTimeout(closing);
      signal.removeEventListener('abort', killGroup);
      resolve({ output, exitCode, ended, seconds: (performance.now() - started) / 1000 });
    });
  });
}

function environmentWithoutColour(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...environment } = process.env;
  return { ...environment, NO_COLOR: '1' };
}
