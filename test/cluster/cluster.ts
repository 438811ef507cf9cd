import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { NodeStatusView } from '../../src/api/contract/schemas.ts';
import { type AccountIdentity, makeAccount, makeNodeClient, type NodeClient } from '../../src/client/index.ts';
import { readAccountKey } from '../../src/crypto/node/keystore.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { decodeGenesis } from '../../src/ledger/genesis.ts';
import type { Parameters } from '../../src/ledger/parameters.ts';
import { formatConfig, type NodeConfig, readConfig } from '../../src/node/config.ts';
import { ProcessGroup, type Surroundings, stopProcess, waitUntilReady } from '../../src/node/process-group.ts';
import { createTestnet, type Testnet } from '../../src/node/testnet.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';
import { findFreePorts } from './free-ports.ts';

const ENTRY = path.join(import.meta.dirname, '..', '..', 'bin', 'medledger.ts');
const READY_MS = 30_000;
const EXIT_MS = 60_000;
const POLL_MS = 50;

/** A node of a cluster, running or not, and the hospital that it belongs to. */
export interface ClusterNode {
  readonly folder: string;
  readonly url: string;
  readonly publicKey: Uint8Array;
  /** Where its output goes, of all its processes. */
  readonly logFile: string;
  readonly organisation: AccountIdentity;
  /** Signs as the organisation. */
  readonly client: NodeClient;
}

/** Four or so real node processes on loopback, made for one test in a temporary folder. */
export class Cluster {
  readonly root: string;
  readonly genesisHash: Uint8Array;
  readonly keysFolder: string;
  readonly nodes: ClusterNode[];
  /** Exits that nobody asked for, in words. */
  readonly unexpectedExits: string[] = [];
  readonly #group: ProcessGroup;
  readonly #surroundings: (number: number) => Surroundings;
  readonly #ended = new Set<string>();

  /** Made by `createCluster` alone. */
  constructor(root: string, testnet: Testnet, surroundings: (number: number) => Surroundings) {
    this.#surroundings = surroundings;
    this.root = root;
    this.genesisHash = testnet.genesisHash;
    this.keysFolder = testnet.keysFolder;
    this.nodes = [];
    for (const { folder, publicKey } of testnet.nodes) {
      const { api } = readConfig(dataFolder(folder).config, {});
      this.adopt(folder, `http://${api.host}:${api.port}`, publicKey, path.basename(folder));
    }
    this.#group = new ProcessGroup(ENTRY, ({ folder }, code, signal) => {
      if (!this.#ended.delete(folder))
        this.unexpectedExits.push(`${path.basename(folder)} exited with ${signal ?? code}`);
    });
  }

  /** Takes a further node of the hospital of this name into the cluster; returns its number. */
  adopt(folder: string, url: string, publicKey: Uint8Array, hospital: string): number {
    const key = readAccountKey(path.join(this.keysFolder, `${hospital}.json`));
    const secrets = { signingSeeds: [key.signingSeed], sealingSecret: key.sealingSecret };
    const organisation = makeAccount(secrets, sodiumSigner);
    const client = makeNodeClient({ url, genesisHash: this.genesisHash, identity: organisation });
    // Beside the folder: what limits the folder's disk does not limit the log.
    return this.nodes.push({ folder, url, publicKey, logFile: `${folder}.log`, organisation, client }) - 1;
  }

  /** Starts the nodes with these numbers, all by default, without waiting for them; `more` adds to what they run in. */
  start(numbers: readonly number[] = this.#all(), more: Partial<Surroundings> = {}): void {
    for (const number of numbers) {
      const { folder, url, logFile } = this.nodes[number]!;
      const { prefix, environment } = this.#surroundings(number);
      const log = openSync(logFile, 'a', 0o600);
      this.#group.start(folder, url, log, {
        prefix: [...prefix, ...(more.prefix ?? [])],
        environment: { ...environment, ...more.environment },
      });
      closeSync(log);
    }
  }

  /** Resolves once these nodes are ready: caught up and connected to a quorum. */
  async ready(numbers: readonly number[] = this.#all()): Promise<void> {
    await waitUntilReady(
      numbers.map((number) => this.#group.get(this.nodes[number]!.folder)!),
      READY_MS,
    );
  }

  /** `kill -9`; resolves when the processes are gone. */
  async kill(numbers: readonly number[] = this.#all()): Promise<void> {
    await Promise.all(
      numbers.map(async (number) => {
        const { folder } = this.nodes[number]!;
        const child = this.#group.get(folder)?.child;
        if (child === undefined) return;
        this.#ended.add(folder);
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }

  /** Resolves with the status of a node that ends by itself, as it is expected to. Throws at the deadline. */
  async exit(number: number): Promise<number | null> {
    const { folder } = this.nodes[number]!;
    const child = this.#group.get(folder)!.child;
    this.#ended.add(folder);
    const [status] = await once(child, 'exit', { signal: AbortSignal.timeout(EXIT_MS) });
    return status as number | null;
  }

  /** Stops a node's process where it is, or lets it go on: a machine that hangs. */
  signal(number: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#group.get(this.nodes[number]!.folder)?.child.kill(signal);
  }

  /** SIGTERM to these nodes; resolves with their exit statuses when they are gone. */
  async terminate(numbers: readonly number[] = this.#all()): Promise<(number | null)[]> {
    return Promise.all(
      numbers.map(async (number) => {
        const { folder } = this.nodes[number]!;
        const child = this.#group.get(folder)?.child;
        if (child === undefined) return null;
        this.#ended.add(folder);
        await stopProcess(child);
        return child.exitCode;
      }),
    );
  }

  /** Where every node stands, once all have the same height of at least `height`. Throws at the deadline. */
  async agreed(height: number, deadlineMs: number, numbers = this.#all()): Promise<readonly NodeStatusView[]> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const statuses = await Promise.all(numbers.map((number) => this.nodes[number]!.client.status()));
      const heights = new Set(statuses.map((status) => status.height));
      if (heights.size === 1 && statuses[0]!.height >= height) return statuses;
      if (performance.now() > end)
        throw new Error(`the nodes did not come to one height: ${statuses.map((status) => status.height).join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** What the nodes wrote, for a failed test: the last lines of each. */
  logs(lines = 20): string {
    return this.nodes
      .filter(({ logFile }) => existsSync(logFile))
      .map(({ logFile }) => `${logFile}\n${readFileSync(logFile, 'utf8').split('\n').slice(-lines).join('\n')}`)
      .join('\n');
  }

  /** Stops all that runs and removes the folder; says what the nodes wrote last when one ended by itself. */
  async close(): Promise<void> {
    await this.#group.stop();
    if (this.unexpectedExits.length > 0) console.log(this.unexpectedExits.join('\n'), this.logs());
    rmSync(this.root, { recursive: true, force: true });
  }

  #all(): readonly number[] {
    return this.nodes.map((_, number) => number);
  }
}

/** What a cluster is to be, where not four hospitals on loopback. */
export interface ClusterOptions {
  readonly nodes?: number;
  readonly parameters?: Partial<Parameters>;
  /** Changes the configuration of a node before anything starts. */
  readonly rewire?: (number: number, config: NodeConfig) => NodeConfig;
  readonly surroundings?: (number: number) => Surroundings;
}

/** Makes a cluster on ports that are free now; starts nothing yet. */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { nodes = 4, parameters = {}, rewire, surroundings = () => ({ prefix: [], environment: {} }) } = options;
  const port = await findFreePorts(nodes);
  const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-cluster-'));
  const folder = path.join(root, 'testnet');
  const testnet = await createTestnet({
    folder,
    nodes,
    port,
    ledger: 'cluster under test',
    parameters,
    createdMs: Date.now(),
  });
  for (const [number, node] of testnet.nodes.entries()) {
    const file = dataFolder(node.folder).config;
    if (rewire !== undefined) writeFileSync(file, formatConfig(rewire(number, readConfig(file, {}))));
  }
  return new Cluster(root, testnet, surroundings);
}

/** The node of a cluster that has this index in the validator set, as blocks name their proposers. */
export function numberOfValidator(cluster: Cluster, validator: number): number {
  const keys = cluster.nodes.map(({ publicKey }) => publicKey);
  const sorted = [...keys].sort(Buffer.compare);
  return keys.indexOf(sorted[validator]!);
}

/** Reads the genesis document that the keys folder of a cluster holds. */
export function readClusterGenesis(cluster: Cluster) {
  return decodeGenesis(new Uint8Array(readFileSync(path.join(cluster.keysFolder, 'genesis.cbor'))));
}
