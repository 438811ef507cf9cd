import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { parseAddress } from '../crypto/address.ts';
import { signingKeyFault } from '../crypto/key-admission.ts';
import { type AccountKeyFile, readAccountKey } from '../crypto/node/keystore.ts';
import { accountAddress } from '../ledger/account.ts';
import type { GenesisDocument } from '../ledger/genesis.ts';
import { genesisFault } from '../ledger/genesis-check.ts';
import { readLedgerStart } from '../ledger/ledger-start.ts';
import { type NodeConfig, readConfig } from '../node/config.ts';
import { drawSeed, initNode, nodeConfig } from '../node/init-node.ts';
import { OperatorError } from '../node/operator-error.ts';
import { readWhole } from './options.ts';
import { makeOutput } from './output.ts';

interface InitFlags {
  readonly out: string;
  readonly name: string;
  readonly genesis: string;
  readonly key?: string;
  readonly organisation?: string;
  readonly peers: readonly string[];
  readonly port: number;
  readonly listen?: string;
  readonly json?: true;
}

const P2P_PORT_OFFSET = 100;
const OPERATOR_PORT_OFFSET = 200;

/** Adds `medledger init`: makes the data folder of one node. */
export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description("make one node's data folder and print its public key")
    .requiredOption('--out <folder>', 'folder to make; must not exist or be empty')
    .requiredOption('--name <name>', 'name of the node in logs and on status pages')
    .requiredOption('--genesis <file>', 'genesis document of the ledger; of a restarted one the restart file')
    .option('--key <file>', 'existing validator key file; without it a new key is drawn')
    .option('--organisation <file>', 'key file of the organisation, with which the node opens what it indexes')
    .option('--peers <configs...>', 'config.toml of other nodes: who is listed there is listed here', [])
    .option('--port <port>', 'API port; the port for other nodes is 100 higher', readWhole(1, 65_335), 7100)
    .option('--listen <multiaddress>', 'where other nodes reach this one')
    .option('--json', 'print the result as JSON')
    .action(async (flags: InitFlags) => {
      const genesisDocument = readGenesis(flags.genesis);
      const { founding, validators, genesisHash } = readLedgerStart(genesisDocument);
      const organisation = flags.organisation === undefined ? undefined : readMember(flags.organisation, founding);
      const folder = path.resolve(flags.out);
      const publicKey = await initNode({
        folder,
        config: nodeConfig({
          name: flags.name,
          listen: flags.listen ?? `/ip4/0.0.0.0/tcp/${flags.port + P2P_PORT_OFFSET}`,
          peers: peersOf(flags.peers),
          apiPort: flags.port,
          operatorPort: flags.port + OPERATOR_PORT_OFFSET,
        }),
        genesisDocument,
        key: flags.key === undefined ? { kind: 'new', seed: drawSeed() } : { kind: 'existing', file: flags.key },
        organisation,
      });
      const output = makeOutput(flags.json === true);
      const isValidator = validators.some((validator) => equalBytes(validator.publicKey, publicKey));
      if (!isValidator)
        output.note(
          'This key is no validator of the genesis: the other nodes list it under p2p.peers, it catches up, and then ' +
            'the members give it a seat (medledger validator).',
        );
      if (flags.peers.length === 0)
        output.note(`Name the other nodes under p2p.peers in ${path.join(folder, 'config.toml')} before the start.`);
      const result = { folder, publicKey: toHex(publicKey), genesisHash: toHex(genesisHash) };
      output.result({ ...result, isValidator }, result.publicKey);
    });
}

/** A genesis document that a ledger can start from. */
function readGenesis(file: string): Uint8Array {
  try {
    const document = new Uint8Array(readFileSync(file));
    const fault = genesisFault(readLedgerStart(document).founding, signingKeyFault);
    if (fault === undefined) return document;
    throw new OperatorError(`No ledger can start from ${file}: ${fault}. Copy the document from another hospital.`);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (error instanceof DecodeError)
      throw new OperatorError(`${file} is no genesis document (${error.message}): copy it from another hospital.`);
    throw new OperatorError(
      `Cannot read the genesis document ${file} (${(error as NodeJS.ErrnoException).code}): name it with --genesis.`,
    );
  }
}

/** The peers of several configurations, each once: two of them list each other. */
function peersOf(files: readonly string[]): NodeConfig['p2p']['peers'] {
  const peers = files.flatMap((file) => readConfig(file, {}).p2p.peers);
  return [...new Map(peers.map((peer) => [peer.publicKey, peer])).values()];
}

function readMember(file: string, genesis: GenesisDocument): AccountKeyFile {
  const key = readAccountKey(file);
  const address = parseAddress(key.address);
  if (genesis.organisations.some(({ keyDocument }) => equalBytes(accountAddress(keyDocument), address))) return key;
  throw new OperatorError(`${file} is the key of ${key.address}, which is no organisation of this genesis.`);
}
