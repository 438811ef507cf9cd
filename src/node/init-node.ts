import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import { encodeJournalRecord } from '../consensus/journal-record.ts';
import { type AccountKeyFile, readValidatorKey, writeAccountKey, writeValidatorKey } from '../crypto/node/keystore.ts';
import { writeNewFile } from '../crypto/node/new-file.ts';
import { sodiumSigner } from '../crypto/node/sign.ts';
import { createDataFolder } from '../storage/data-folder.ts';
import { createJournal } from '../storage/journal.ts';
import { formatConfig, type NodeConfig, parseConfig } from './config.ts';
import { ORGANISATION_KEY_FILE, VALIDATOR_KEY_FILE } from './identity.ts';
import { encodeRecord } from './journal-entry.ts';

/** What a new data folder is made of. */
export interface NewNode {
  /** The folder to make; it must not exist, or be empty. */
  readonly folder: string;
  readonly config: NodeConfig;
  /** Canonical bytes of the genesis document. */
  readonly genesisDocument: Uint8Array;
  /**
   * The node's key. `new`: this act draws it, so nothing was ever signed with it and a journal with its birth record
   * is made. `existing`: it may have signed before; without a journal the node recovers before it votes.
   */
  readonly key:
    | { readonly kind: 'new'; readonly seed: Uint8Array }
    | { readonly kind: 'existing'; readonly file: string };
  /** The organisation's keys, with which the node opens what it indexes; undefined to index public facts alone. */
  readonly organisation: AccountKeyFile | undefined;
}

/** What of a configuration differs from node to node. */
export interface NodeSettings {
  readonly name: string;
  /** Multiaddress to listen on. */
  readonly listen: string;
  readonly peers: NodeConfig['p2p']['peers'];
  readonly apiPort: number;
  readonly operatorPort: number;
}

/** A configuration with these settings and the usual ones for the rest. Throws an OperatorError where one does not fit. */
export function nodeConfig({ name, listen, peers, apiPort, operatorPort }: NodeSettings): NodeConfig {
  const settings = { node: { name }, p2p: { listen: [listen], peers }, api: { port: apiPort, operatorPort } };
  return parseConfig(stringifyToml(settings), 'the new configuration', {});
}

/** A fresh Ed25519 seed from the system's random generator. */
export function drawSeed(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

/**
 * Makes a node's data folder: configuration, genesis, keys and, for a new key, the journal, in this order; folders for
 * their owner alone. Returns the node's public key. Throws a StorageError or a KeyFileError that says what to do.
 */
export async function initNode(node: NewNode): Promise<Uint8Array> {
  const { config, genesisDocument, key, organisation } = node;
  // Read first, so that a wrong key file leaves no half-made folder.
  const seed = key.kind === 'new' ? key.seed : readValidatorKey(key.file).signingSeed;
  const folder = await createDataFolder(node.folder);
  writeNewFile(folder.config, Buffer.from(formatConfig(config)));
  writeNewFile(folder.genesis, genesisDocument);
  // Owner-only whatever the umask or a folder made beforehand says.
  chmodSync(folder.keys, 0o700);
  if (organisation !== undefined) writeAccountKey(path.join(folder.keys, ORGANISATION_KEY_FILE), organisation);
  writeValidatorKey(path.join(folder.keys, VALIDATOR_KEY_FILE), { name: config.node.name, signingSeed: seed });
  if (key.kind === 'new') {
    const journal = await createJournal(folder.journal, encodeRecord(encodeJournalRecord({ kind: 'Birth' })));
    await journal.close();
  }
  return sodiumSigner(seed).publicKey;
}
