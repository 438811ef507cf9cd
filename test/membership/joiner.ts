import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeNodeClient, type NodeClient } from '../../src/client/index.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { readConfig } from '../../src/node/config.ts';
import { initNode, nodeConfig } from '../../src/node/init-node.ts';
import { ProcessGroup } from '../../src/node/process-group.ts';
import type { Cluster } from '../cluster/cluster.ts';

const ENTRY = path.join(import.meta.dirname, '..', '..', 'bin', 'medledger.ts');

/** A node as operators list it. */
export interface Listed {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly address: string;
}

/** Adds peers to the configuration of a node that does not run yet. */
export function listPeers(folder: string, peers: readonly Listed[]): void {
  for (const { name, publicKey, address } of peers)
    appendFileSync(
      path.join(folder, 'config.toml'),
      `\n[[p2p.peers]]\nname = "${name}"\npublicKey = "${toHex(publicKey)}"\naddresses = ["${address}"]\n`,
    );
}

/** A node beside a cluster that is no validator, with an empty folder at first. */
export class Joiner {
  readonly folder: string;
  readonly url: string;
  readonly client: NodeClient;
  /** Exits that nobody asked for, in words. */
  readonly exits: string[] = [];
  readonly #group = new ProcessGroup(ENTRY, ({ folder }, code) => this.exits.push(`${folder} exited with ${code}`));

  private constructor(cluster: Cluster, folder: string, port: number) {
    this.folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.client = makeNodeClient({ url: this.url, genesisHash: cluster.genesisHash, identity: null });
  }

  /** Makes its folder; it listens for nodes on `port` + 100. The cluster's nodes must list it before they start. */
  static async make(cluster: Cluster, name: string, seed: Uint8Array, port: number): Promise<Joiner> {
    const folder = path.join(cluster.root, name);
    const peers = cluster.nodes.map(({ folder: of, publicKey }) => ({
      name: path.basename(of),
      publicKey: toHex(publicKey),
      addresses: [...readConfig(path.join(of, 'config.toml'), {}).p2p.listen],
    }));
    const listen = `/ip4/127.0.0.1/tcp/${port + 100}`;
    await initNode({
      folder,
      config: nodeConfig({ name, listen, peers, apiPort: port, operatorPort: port + 200 }),
      genesisDocument: readFileSync(path.join(cluster.keysFolder, 'genesis.cbor')),
      key: { kind: 'new', seed },
      organisation: undefined,
    });
    return new Joiner(cluster, folder, port);
  }

  start() {
    const log = openSync(path.join(this.folder, 'node.log'), 'a', 0o600);
    const started = this.#group.start(this.folder, this.url, log);
    closeSync(log);
    return started;
  }

  /** `kill -9`, which is then no exit that nobody asked for. */
  async kill(): Promise<void> {
    const child = this.#group.get(this.folder)!.child;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    this.exits.pop();
  }

  /** What it wrote. */
  log(): Record<string, unknown>[] {
    return readFileSync(path.join(this.folder, 'node.log'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async stop(): Promise<void> {
    await this.#group.stop();
  }
}
