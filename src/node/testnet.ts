import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { toHex } from '../codec/bytes.ts';
import { formatAddress } from '../crypto/address.ts';
import { generateSealingKeyPair, sealingPublicKey } from '../crypto/hpke.ts';
import { signingKeyFault } from '../crypto/node/key-admission.ts';
import { type AccountKeyFile, writeAccountKey } from '../crypto/node/keystore.ts';
import { writeNewFile } from '../crypto/node/new-file.ts';
import { sodiumSigner } from '../crypto/node/sign.ts';
import { accountAddress, type KeyDocument } from '../ledger/account.ts';
import { ACTION_CODES, type ActionKind } from '../ledger/action.ts';
import { defaultRequirement } from '../ledger/default-requirements.ts';
import { encodeGenesis, GENESIS_VERSION, type GenesisDocument, genesisHash } from '../ledger/genesis.ts';
import { genesisFault } from '../ledger/genesis-check.ts';
import { DEFAULT_PARAMETERS, type Parameters } from '../ledger/parameters.ts';
import type { NodeConfig } from './config.ts';
import { drawSeed, initNode, nodeConfig } from './init-node.ts';
import { OperatorError } from './operator-error.ts';

/** Most nodes of a testnet: more would not fit one machine, and their ports would overlap. */
const TESTNET_NODES_MAX = 64;
/** Distance of a node's ports for the other nodes and for its operator from the one of its API. */
const P2P_PORT_OFFSET = 100;
const OPERATOR_PORT_OFFSET = 200;
const PORT_MAX = 65_535;
const KEYS_FOLDER = 'keys';
const NODE_PREFIX = 'hospital-';

const HOSPITALS = ['Northbridge General Hospital', 'Eastwater University Hospital', 'Millfield Children’s Hospital'];
const HOSPITAL_NAMES: readonly string[] = [...HOSPITALS, 'Stonehaven Regional Hospital'];

/** What a testnet is to be. */
export interface TestnetOptions {
  /** Folder to make; it must not exist, or be empty. */
  readonly folder: string;
  /** 1 to TESTNET_NODES_MAX nodes, each of an organisation of its own; fewer than four survive no fault. */
  readonly nodes: number;
  /** API port of the first node: node i, from 0, has port + i, and for the other nodes port + 100 + i. */
  readonly port: number;
  /** Name of the ledger. */
  readonly ledger: string;
  /** Parameters other than the usual ones. */
  readonly parameters: Partial<Parameters>;
  /** Time of the genesis, milliseconds since the Unix epoch. */
  readonly createdMs: number;
}

/** One node of a testnet. */
interface TestnetNode {
  /** Its data folder. */
  readonly folder: string;
  readonly organisation: string;
  readonly publicKey: Uint8Array;
  readonly apiUrl: string;
}

/** A testnet as written to disk. */
export interface Testnet {
  readonly genesisHash: Uint8Array;
  /** Folder with the organisations' keys and the genesis document: what `medledger load --keys` takes. */
  readonly keysFolder: string;
  readonly nodes: readonly TestnetNode[];
}

interface Member {
  /** Name of its folder and key file. */
  readonly slug: string;
  readonly account: AccountKeyFile;
  readonly keyDocument: KeyDocument;
  readonly validatorSeed: Uint8Array;
  readonly validatorKey: Uint8Array;
}

/**
 * Makes a ledger of hospitals on this machine: a genesis, a data folder for each node (`hospital-1`, …), and `keys`.
 * Secrets are readable by their owner alone. Throws an OperatorError before anything is written when an option does
 * not fit or the folder is in use.
 */
export async function createTestnet(options: TestnetOptions): Promise<Testnet> {
  checkOptions(options);
  const members = Array.from({ length: options.nodes }, (_, index) => drawMember(index));
  const document = genesisOf(options, members);
  const fault = genesisFault(document, signingKeyFault);
  if (fault !== undefined) throw new OperatorError(`The genesis would not be valid: ${fault}.`);
  const encoded = encodeGenesis(document);

  const folder = makeEmptyFolder(options.folder);
  const keysFolder = path.join(folder, KEYS_FOLDER);
  mkdirSync(keysFolder, { mode: 0o700 });
  writeNewFile(path.join(keysFolder, 'genesis.cbor'), encoded);
  const nodes: TestnetNode[] = [];
  for (const [index, member] of members.entries()) {
    writeAccountKey(path.join(keysFolder, `${member.slug}.json`), member.account);
    const nodeFolder = path.join(folder, member.slug);
    const publicKey = await initNode({
      folder: nodeFolder,
      config: configOf(options, members, index),
      genesisDocument: encoded,
      key: { kind: 'new', seed: member.validatorSeed },
      organisation: member.account,
    });
    const apiUrl = `http://127.0.0.1:${options.port + index}`;
    nodes.push({ folder: nodeFolder, organisation: member.account.name, publicKey, apiUrl });
  }
  return { genesisHash: genesisHash(encoded), keysFolder, nodes };
}

function checkOptions({ nodes, port, ledger }: TestnetOptions): void {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > TESTNET_NODES_MAX)
    throw new OperatorError(
      `${nodes} nodes: choose 1 to ${TESTNET_NODES_MAX}; four are the fewest that survive a fault.`,
    );
  const portMax = PORT_MAX - OPERATOR_PORT_OFFSET - nodes;
  if (!Number.isInteger(port) || port < 1 || port > portMax)
    throw new OperatorError(`Port ${port} does not fit: choose the first API port from 1 to ${portMax}.`);
  const ledgerBytes = Buffer.byteLength(ledger);
  if (ledger.trim() === '' || ledgerBytes > 64)
    throw new OperatorError(`The name of the ledger has ${ledgerBytes} bytes; give it 1 to 64 with --ledger.`);
}

function makeEmptyFolder(name: string): string {
  const folder = path.resolve(name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const [found] = readdirSync(folder);
    if (found !== undefined)
      throw new OperatorError(
        `The folder ${folder} is not empty: it holds ${found}. Name a new one, or remove what an earlier attempt left.`,
      );
    chmodSync(folder, 0o700);
    return folder;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new OperatorError(`The folder ${folder} can not be made (${code}): name another, or mend its parent.`);
  }
}

function drawMember(index: number): Member {
  const signingSeed = drawSeed();
  const { secretKey: sealingSecret } = generateSealingKeyPair();
  const keyDocument: KeyDocument = {
    sealingKey: sealingPublicKey(sealingSecret),
    keys: [{ algorithm: 'ed25519', publicKey: sodiumSigner(signingSeed).publicKey, weight: 1, label: '' }],
    thresholds: { routine: 1, sensitive: 1, keys: 1 },
  };
  const name = HOSPITAL_NAMES[index] ?? `Hospital ${index + 1}`;
  const address = formatAddress(accountAddress(keyDocument));
  const validatorSeed = drawSeed();
  return {
    slug: `${NODE_PREFIX}${index + 1}`,
    account: { name, role: 'organisation', address, signingSeed, sealingSecret },
    keyDocument,
    validatorSeed,
    validatorKey: sodiumSigner(validatorSeed).publicKey,
  };
}

function genesisOf(options: TestnetOptions, members: readonly Member[]): GenesisDocument {
  const kinds = Object.keys(ACTION_CODES) as ActionKind[];
  kinds.sort((a, b) => ACTION_CODES[a] - ACTION_CODES[b]);
  return {
    version: GENESIS_VERSION,
    ledger: options.ledger,
    createdMs: options.createdMs,
    organisations: members.map(({ account, keyDocument }) => ({ name: account.name, keyDocument })),
    regulator: null,
    validators: members.map(({ keyDocument, validatorKey }) => ({
      publicKey: validatorKey,
      organisation: accountAddress(keyDocument),
    })),
    accounts: [],
    parameters: { ...DEFAULT_PARAMETERS, ...options.parameters },
    requirements: kinds.map((action) => ({ action, requirement: defaultRequirement(action, null) })),
  };
}

function configOf({ port }: TestnetOptions, members: readonly Member[], own: number): NodeConfig {
  const addressOf = (index: number) => `/ip4/127.0.0.1/tcp/${port + P2P_PORT_OFFSET + index}`;
  const peers = members.map(({ slug, validatorKey }, index) => ({
    name: slug,
    publicKey: toHex(validatorKey),
    addresses: [addressOf(index)],
  }));
  return nodeConfig({
    name: members[own]!.slug,
    listen: addressOf(own),
    peers: peers.filter((_, index) => index !== own),
    apiPort: port + own,
    operatorPort: port + OPERATOR_PORT_OFFSET + own,
  });
}
