import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toHex } from '../src/codec/bytes.ts';
import { sodiumSigner } from '../src/crypto/node/sign.ts';
import { formatConfig, type NodeConfig, readConfig } from '../src/node/config.ts';
import { drawSeed, initNode, nodeConfig } from '../src/node/init-node.ts';
import type { Testnet } from '../src/node/testnet.ts';

/** A node that follows a ledger without a seat in it. */
export interface FollowerSettings {
  readonly name: string;
  /** Whether it executes every block from the first, or takes the state of a snapshot. */
  readonly history: NodeConfig['sync']['history'];
}

/** From a node's API port to the one for other nodes and the one for its operator. */
const P2P_PORT_OFFSET = 100;
const OPERATOR_PORT_OFFSET = 200;

/**
 * Makes an empty data folder for a follower and lists it with every validator, none of which runs yet. Its ports follow
 * from `port`, its API's, as those of the validators do. Returns the folder.
 */
export async function addFollower(
  root: string,
  testnet: Testnet,
  port: number,
  { name, history }: FollowerSettings,
): Promise<string> {
  const seed = drawSeed();
  const listen = `/ip4/127.0.0.1/tcp/${port + P2P_PORT_OFFSET}`;
  const validators = testnet.nodes.map(({ folder, publicKey }) => {
    const file = path.join(folder, 'config.toml');
    return { file, config: readConfig(file, {}), publicKey: toHex(publicKey) };
  });
  const own = { name, publicKey: toHex(sodiumSigner(seed).publicKey), addresses: [listen] };
  for (const { file, config } of validators)
    writeFileSync(file, formatConfig({ ...config, p2p: { ...config.p2p, peers: [...config.p2p.peers, own] } }));
  const peers = validators.map(({ config, publicKey }) => ({
    name: config.node.name,
    publicKey,
    addresses: config.p2p.listen,
  }));
  const settings = { name, listen, peers, apiPort: port, operatorPort: port + OPERATOR_PORT_OFFSET };
  const config = nodeConfig(settings);
  const folder = path.join(root, name);
  await initNode({
    folder,
    config: { ...config, sync: { ...config.sync, history } },
    genesisDocument: readFileSync(path.join(testnet.keysFolder, 'genesis.cbor')),
    key: { kind: 'new', seed },
    organisation: undefined,
  });
  return folder;
}
