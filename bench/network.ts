import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Parameters } from '../src/ledger/parameters.ts';
import { readConfig } from '../src/node/config.ts';
import { type NodeProcess, ProcessGroup, waitUntilReady } from '../src/node/process-group.ts';
import { createTestnet } from '../src/node/testnet.ts';

/** A node of the benchmark's network. */
export interface BenchNode {
  readonly name: string;
  readonly folder: string;
  readonly pid: number;
  readonly apiUrl: string;
  readonly operatorUrl: string;
  /** Key file of its organisation. */
  readonly keyFile: string;
}

/** Nodes that run as processes of their own on loopback. */
export interface BenchNetwork {
  readonly genesisHash: Uint8Array;
  readonly nodes: readonly BenchNode[];
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
}

const ENTRY = path.resolve(import.meta.dirname, '../bin/medledger.ts');
const READY_MS = 60_000;

/** Makes a ledger, starts its nodes and waits until all are ready. */
export async function startNetwork(options: BenchNetworkOptions): Promise<BenchNetwork> {
  const root = mkdtempSync(path.join(options.folder ?? os.tmpdir(), 'medledger-bench-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  let hasStopped: string | undefined;
  const group = new ProcessGroup(ENTRY, ({ folder }, code, signal) => {
    hasStopped = `the node in ${folder} stopped (${signal ?? code})`;
    process.stderr.write(`${hasStopped}\n`);
  });
  try {
    const testnet = await createTestnet({
      folder: root,
      nodes: options.nodes,
      port: options.port,
      ledger: 'benchmark',
      parameters: options.parameters,
      createdMs: Date.now(),
    });
    const started = testnet.nodes.map(({ folder, apiUrl }, index) =>
      startNode(group, folder, apiUrl, index === 0 ? options.inspectorPort : undefined),
    );
    await waitUntilReady(started, READY_MS);
    const nodes = started.map(({ folder, apiUrl, child }): BenchNode => {
      const { node, api } = readConfig(path.join(folder, 'config.toml'), {});
      const operatorUrl = `http://127.0.0.1:${api.operatorPort}`;
      const keyFile = path.join(testnet.keysFolder, `${path.basename(folder)}.json`);
      return { name: node.name, folder, pid: child.pid!, apiUrl, operatorUrl, keyFile };
    });
    return { genesisHash: testnet.genesisHash, nodes, stop: () => group.stop(), remove };
  } catch (error) {
    await group.stop();
    if (hasStopped === undefined) remove();
    throw error;
  }
}

/** Starts a node with its output in node.log. */
function startNode(
  group: ProcessGroup,
  folder: string,
  apiUrl: string,
  inspectorPort: number | undefined,
): NodeProcess {
  const log = openSync(path.join(folder, 'node.log'), 'a', 0o600);
  const before = process.env['NODE_OPTIONS'];
  try {
    // The group passes the environment on, and has no other way to give the runtime an option.
    if (inspectorPort !== undefined)
      process.env['NODE_OPTIONS'] = `${before ?? ''} --inspect=127.0.0.1:${inspectorPort}`.trim();
    return group.start(folder, apiUrl, log);
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
    closeSync(log);
  }
}
