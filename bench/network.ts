import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Parameters } from '../src/ledger/parameters.ts';
import { readConfig } from '../src/node/config.ts';
import { ProcessGroup, waitUntilReady } from '../src/node/process-group.ts';
import { createTestnet } from '../src/node/testnet.ts';
import { addFollower, type FollowerSettings } from './follower.ts';

/** A process of the benchmark's network. */
export interface BenchProcess {
  readonly name: string;
  readonly folder: string;
  /** Of its present process; 0 while it does not run. */
  readonly pid: number;
  readonly apiUrl: string;
  readonly operatorUrl: string;
}

/** A validator of the benchmark's network. */
export interface BenchNode extends BenchProcess {
  readonly publicKey: Uint8Array;
  /** Key file of its organisation. */
  readonly keyFile: string;
}

/** Nodes that run as processes of their own on loopback. */
export interface BenchNetwork {
  readonly genesisHash: Uint8Array;
  readonly nodes: readonly BenchNode[];
  /** Nodes with an empty folder that are no validators; not started with the others. */
  readonly followers: readonly BenchProcess[];
  /** Starts one that does not run. */
  start(node: BenchProcess): void;
  /** Resolves once these are caught up and connected to a quorum. */
  ready(nodes: readonly BenchProcess[]): Promise<void>;
  /** `kill -9`: the signal is sent before the call returns; resolves when the process is gone. */
  kill(node: BenchProcess): Promise<void>;
  /** Stops the nodes; their folders stay. */
  stop(): Promise<void>;
  /** Removes everything, the nodes being stopped. */
  remove(): void;
}

export interface BenchNetworkOptions {
  readonly nodes: number;
  /** API port of the first node. */
  readonly port: number;
  /** Where the data folders are made; the system's folder for temporary files when undefined. */
  readonly folder: string | undefined;
  /** Parameters of the ledger other than the usual ones. */
  readonly parameters: Partial<Parameters>;
  /** Port at which the first node can be inspected; undefined for none. */
  readonly inspectorPort: number | undefined;
  readonly followers?: readonly FollowerSettings[];
}

const ENTRY = path.resolve(import.meta.dirname, '../bin/medledger.ts');
const READY_MS = 180_000;
/** How a testnet calls its first node. */
const FIRST_NODE = 'hospital-1';

/** From the API port of the first node to one for its inspector, beyond the ports of API, peers and operator. */
export const INSPECTOR_PORT_OFFSET = 300;

/** Makes a ledger, starts its nodes and waits until all are ready. */
export async function startNetwork(options: BenchNetworkOptions): Promise<BenchNetwork> {
  const root = mkdtempSync(path.join(options.folder ?? os.tmpdir(), 'medledger-bench-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  const processes = new Processes(options.inspectorPort);
  try {
    const testnet = await createTestnet({
      folder: root,
      nodes: options.nodes,
      port: options.port,
      ledger: 'benchmark',
      parameters: options.parameters,
      createdMs: Date.now(),
    });
    const followers: BenchProcess[] = [];
    for (const [place, settings] of (options.followers ?? []).entries())
      followers.push(
        processes.describe(await addFollower(root, testnet, options.port + options.nodes + place, settings)),
      );
    const nodes = testnet.nodes.map(({ folder, publicKey }): BenchNode => {
      const keyFile = path.join(testnet.keysFolder, `${path.basename(folder)}.json`);
      // Not spread: `pid` is read anew each time.
      return Object.assign(processes.describe(folder), { publicKey, keyFile });
    });
    for (const node of nodes) processes.start(node);
    await processes.ready(nodes);
    return {
      genesisHash: testnet.genesisHash,
      nodes,
      followers,
      start: (node) => processes.start(node),
      ready: (some) => processes.ready(some),
      kill: (node) => processes.kill(node),
      stop: () => processes.stop(),
      remove,
    };
  } catch (error) {
    await processes.stop();
    if (!processes.hasFailed) remove();
    throw error;
  }
}

/** The processes of one network. */
class Processes {
  /** Whether one ended that nobody ended. */
  hasFailed = false;
  readonly #inspectorPort: number | undefined;
  readonly #killed = new Set<string>();
  readonly #group = new ProcessGroup(ENTRY, ({ folder }, code, signal) => {
    if (this.#killed.delete(folder)) return;
    this.hasFailed = true;
    process.stderr.write(`the node in ${folder} stopped (${signal ?? code})\n`);
  });

  constructor(inspectorPort: number | undefined) {
    this.#inspectorPort = inspectorPort;
  }

  describe(folder: string): BenchProcess {
    const { node, api } = readConfig(path.join(folder, 'config.toml'), {});
    const group = this.#group;
    return {
      name: node.name,
      folder,
      get pid() {
        return group.get(folder)?.child.pid ?? 0;
      },
      apiUrl: `http://127.0.0.1:${api.port}`,
      operatorUrl: `http://127.0.0.1:${api.operatorPort}`,
    };
  }

  /** Starts a node with its output in node.log; the first of all can be inspected. */
  start({ folder, apiUrl, name }: BenchProcess): void {
    const log = openSync(path.join(folder, 'node.log'), 'a', 0o600);
    const inspector = this.#inspectorPort !== undefined && name === FIRST_NODE;
    const before = process.env['NODE_OPTIONS'] ?? '';
    const environment: Record<string, string> = inspector
      ? { NODE_OPTIONS: `${before} --inspect=127.0.0.1:${this.#inspectorPort}`.trim() }
      : {};
    this.#group.start(folder, apiUrl, log, { prefix: [], environment });
    closeSync(log);
  }

  async ready(nodes: readonly BenchProcess[]): Promise<void> {
    const running = nodes.map(({ folder, name }) => {
      const started = this.#group.get(folder);
      if (started === undefined) throw new Error(`${name} does not run: see ${folder}/node.log`);
      return started;
    });
    await waitUntilReady(running, READY_MS);
  }

  async kill({ folder, name }: BenchProcess): Promise<void> {
    const child = this.#group.get(folder)?.child;
    if (child === undefined) throw new Error(`${name} does not run: see ${folder}/node.log`);
    this.#killed.add(folder);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  stop(): Promise<void> {
    return this.#group.stop();
  }
}
