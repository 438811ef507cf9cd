import { type ChildProcess, spawn } from 'node:child_process';
import { OperatorError } from './operator-error.ts';

/** One node running as a process of its own. */
export interface NodeProcess {
  readonly folder: string;
  readonly apiUrl: string;
  readonly child: ChildProcess;
}

/** What a node's process runs in, beside what it has from this one. */
export interface Surroundings {
  /** Words before its command, such as those that enter a network namespace; the command replaces that process. */
  readonly prefix: readonly string[];
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string>>;
}

const NOTHING_SPECIAL: Surroundings = { prefix: [], environment: {} };

/** How long a node may take to finish its height after SIGTERM before it is killed. */
const STOP_DEADLINE_MS = 10_000;

/**
 * Node processes that live and die together: started from their data folders, stopped as one. Should the parent die
 * without stopping them, each child notices that its standard input closed and stops by itself.
 */
export class ProcessGroup {
  readonly #entry: string;
  readonly #processes = new Map<string, NodeProcess>();
  #stopping = false;
  readonly #onExit: (process: NodeProcess, code: number | null, signal: NodeJS.Signals | null) => void;

  /** `entry` is the script that understands `start --config FILE`; `onExit` hears of exits that nobody asked for. */
  constructor(
    entry: string,
    onExit: (process: NodeProcess, code: number | null, signal: NodeJS.Signals | null) => void,
  ) {
    this.#entry = entry;
    this.#onExit = onExit;
  }

  /** Starts the node of `folder`; output goes to `output` (a file descriptor), or nowhere when undefined. */
  start(
    folder: string,
    apiUrl: string,
    output: number | undefined,
    { prefix, environment } = NOTHING_SPECIAL,
  ): NodeProcess {
    const sink = output ?? 'ignore';
    const options = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=32'];
    const node = [process.execPath, ...options, this.#entry];
    const words = [...prefix, ...node, 'start', '--config', `${folder}/config.toml`, '--stop-with-stdin'];
    const child = spawn(words[0]!, words.slice(1), {
      stdio: ['pipe', sink, sink],
      detached: true,
      env: { ...process.env, ...environment },
    });
    const started: NodeProcess = { folder, apiUrl, child };
    this.#processes.set(folder, started);
    child.on('exit', (code, signal) => {
      if (this.#processes.get(folder) === started) this.#processes.delete(folder);
      if (!this.#stopping) this.#onExit(started, code, signal);
    });
    return started;
  }

  get(folder: string): NodeProcess | undefined {
    return this.#processes.get(folder);
  }

  /** Asks every process to stop, and kills what has not stopped in time. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#processes.values()].map(({ child }) => stopProcess(child)));
  }
}

/** SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    child.once('exit', () => {
      clearTimeout(deadline);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Polls `/readyz` of every node until all say ready. Throws an OperatorError at the deadline or when one exits. */
export async function waitUntilReady(processes: readonly NodeProcess[], deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (const { apiUrl, child, folder } of processes) {
    while (!(await isReady(apiUrl))) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new OperatorError(`The node in ${folder} stopped while starting; see ${folder}/node.log.`);
      if (performance.now() > end)
        throw new OperatorError(`The node at ${apiUrl} was not ready in time; see ${folder}/node.log.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function isReady(apiUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${apiUrl}/readyz`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
