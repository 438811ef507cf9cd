import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const ENTRY = path.join(import.meta.dirname, '..', '..', 'bin', 'medledger.ts');

/** How a command ended and what it printed. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `medledger` with these arguments in a process of its own; an aborted signal kills it at once. */
export async function medledger(args: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  const status = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  signal?.removeEventListener('abort', kill);
  return { status: await status, stdout, stderr };
}
