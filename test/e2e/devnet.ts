import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeNodeClient } from '../../src/client/index.ts';
import { fromHex } from '../../src/codec/bytes.ts';
import { readConfig } from '../../src/node/config.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import { findFreePorts, isFree } from '../cluster/free-ports.ts';
import type { Report } from './report.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const NODES = 4;
const READY_MS_MAX = 30_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 50;
/** Distance of a node's libp2p port from the one of its API. */
const P2P_OFFSET = 100;

/** Runs `npm start` as a person would, with and without a data folder of their own, and ends it with Ctrl-C. */
export async function showDevnet(report: Report): Promise<void> {
  const temporary = mkdtempSync(path.join(os.tmpdir(), 'medledger-e2e-'));
  try {
    await showTemporary(report, temporary);
    await showKept(report, temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function showTemporary(report: Report, temporary: string): Promise<void> {
  const port = await findFreePorts(NODES);
  const devnet = new Devnet(['--port', String(port)], temporary);
  try {
    const isUp = await report.check('npm start -- --port P: ready, with its patients, within 30 s', async () => {
      const readyMs = await devnet.ready();
      assert(readyMs <= READY_MS_MAX, `${readyMs.toFixed(0)} ms`);
      return `${(readyMs / 1_000).toFixed(1)} s`;
    });
    if (!isUp) return;
    await report.check('four operating-system processes, each with its own data folder and keys', async () => {
      const folders = devnet.nodeFolders();
      assert.equal(new Set(folders).size, NODES);
      for (const folder of folders)
        assert(readdirSync(dataFolder(folder).keys).includes('validator.json'), `${folder} has no key`);
      const pids = nodeProcesses(temporary);
      assert.equal(pids.length, NODES);
      return `processes ${pids.join(', ')}`;
    });
    await report.check("node i's API is on P+i and its libp2p on P+100+i, on loopback", async () => {
      for (const [node, folder] of devnet.nodeFolders().entries()) {
        const { ready, height } = await statusOf(port + node);
        assert(ready && height > 0);
        assert(!(await isFree(port + P2P_OFFSET + node)));
        const config = readConfig(dataFolder(folder).config, {});
        assert.deepEqual(config.p2p.listen, [`/ip4/127.0.0.1/tcp/${port + P2P_OFFSET + node}`]);
        assert.equal(config.api.host, '127.0.0.1');
      }
      return undefined;
    });
    await report.check('the three commands that it prints work', () => showPrintedCommands(devnet));
    await showEnd(report, devnet, temporary, port);
    await report.check('the temporary folder is gone', async () => {
      assert.deepEqual(readdirSync(temporary), []);
      return undefined;
    });
  } finally {
    await devnet.kill();
  }
}

async function showKept(report: Report, temporary: string): Promise<void> {
  const port = await findFreePorts(NODES);
  const folder = path.join(temporary, 'kept');
  const flags = ['--port', String(port), '--data', folder];
  let before: string | undefined;
  for (const turn of ['first', 'second']) {
    const devnet = new Devnet(flags, temporary);
    try {
      const isUp = await report.check(`--data DIR, ${turn} start: the data stay in DIR`, async () => {
        await devnet.ready();
        const { genesisHash, transactionsCommitted } = await statusOf(port);
        const now = `${transactionsCommitted} transactions of ledger ${genesisHash.slice(0, 12)}`;
        assert.equal(now, before ?? now);
        before = now;
        return now;
      });
      if (!isUp) return;
      await showEnd(report, devnet, temporary, port);
    } finally {
      await devnet.kill();
    }
  }
}

async function showEnd(report: Report, devnet: Devnet, temporary: string, port: number): Promise<void> {
  await report.check('Ctrl-C leaves nothing running', async () => {
    const endedMs = await devnet.interrupt();
    assert.deepEqual(nodeProcesses(temporary), []);
    for (let node = 0; node < NODES; node += 1) {
      assert(await isFree(port + node));
      assert(await isFree(port + P2P_OFFSET + node));
    }
    return `${(endedMs / 1_000).toFixed(1)} s`;
  });
}

/** Runs each line under `Try:` in a shell, from the project's folder. */
async function showPrintedCommands(devnet: Devnet): Promise<string> {
  const commands = devnet.output.slice(devnet.output.indexOf('Try:')).match(/^ {2}\S.*$/gm) ?? [];
  assert.equal(commands.length, 3);
  for (const command of commands) {
    const child = spawn('sh', ['-c', command], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString();
      });
    const [status] = await once(child, 'close');
    assert.equal(status, 0, `${command}\n${output}`);
    assert(output.trim().length > 0, `${command} prints nothing`);
  }
  return commands.map((command) => command.trim().split(' ').slice(0, 5).join(' ')).join('; ');
}

/** One `npm start`, in a process group of its own as under a terminal. */
class Devnet {
  output = '';
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();

  constructor(flags: readonly string[], temporary: string) {
    this.#child = spawn('npm', ['start', '--', ...flags], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString();
      });
  }

  /** Resolves once it says that it is ready, with how long that took in milliseconds. */
  async ready(): Promise<number> {
    while (!this.output.includes('Ready after')) {
      if (this.#child.exitCode !== null) throw new Error(`npm start ended:\n${this.output}`);
      if (performance.now() - this.#startedMs > PATIENCE_MS) throw new Error(`npm start is not ready:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return performance.now() - this.#startedMs;
  }

  /** The data folders that it printed. */
  nodeFolders(): readonly string[] {
    return [...this.output.matchAll(/http:\/\/127\.0\.0\.1:\d+ +(\/.+)$/gm)].map(([, folder]) => folder!.trim());
  }

  /** Ctrl-C: SIGINT to the whole foreground group. Resolves to how long it took, in milliseconds. */
  async interrupt(): Promise<number> {
    const startMs = performance.now();
    const closed = once(this.#child, 'close');
    process.kill(-this.#child.pid!, 'SIGINT');
    await closed;
    return performance.now() - startMs;
  }

  /** Ends what an earlier failure left. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    process.kill(-this.#child.pid!, 'SIGTERM');
    await closed;
  }
}

async function statusOf(port: number) {
  const url = `http://127.0.0.1:${port}`;
  const response = await fetch(`${url}/v1/genesis`);
  const { genesisHash } = (await response.json()) as { readonly genesisHash: string };
  return makeNodeClient({ url, genesisHash: fromHex(genesisHash), identity: null }).status();
}

/** Ids of the processes whose configuration lies below `folder`. */
function nodeProcesses(folder: string): readonly number[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' });
  const lines = stdout.split('\n').filter((line) => line.includes(folder) && line.includes('config.toml'));
  return lines.map((line) => Number.parseInt(line, 10));
}
