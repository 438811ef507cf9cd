import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readAccountKey, readValidatorKey } from '../crypto/node/keystore.ts';
import { sodiumSigner } from '../crypto/node/sign.ts';
import { genesisHash } from '../ledger/genesis.ts';
import { dataFolder } from '../storage/data-folder.ts';
import { readConfig } from './config.ts';
import { ORGANISATION_KEY_FILE, VALIDATOR_KEY_FILE } from './identity.ts';
import { OperatorError } from './operator-error.ts';
import type { Testnet } from './testnet.ts';

const NODE_FOLDER = /^hospital-([1-9][0-9]?)$/;

/** Whether `createTestnet` made this folder. */
export function holdsTestnet(folder: string): boolean {
  return existsSync(path.join(folder, 'keys', 'genesis.cbor'));
}

/** A testnet that was made before, as its folder describes it. Throws an OperatorError when parts are missing. */
export function readTestnet(folder: string): Testnet {
  const keysFolder = path.join(folder, 'keys');
  const names = readdirSync(folder).filter((name) => NODE_FOLDER.test(name));
  if (names.length === 0) throw new OperatorError(`${folder} has keys but no node folders: name a new folder.`);
  names.sort((a, b) => Number(NODE_FOLDER.exec(a)![1]) - Number(NODE_FOLDER.exec(b)![1]));
  const nodes = names.map((name) => {
    const data = dataFolder(path.join(folder, name));
    const config = readConfig(data.config, {});
    const { signingSeed } = readValidatorKey(path.join(data.keys, VALIDATOR_KEY_FILE));
    return {
      folder: data.root,
      organisation: readAccountKey(path.join(data.keys, ORGANISATION_KEY_FILE)).name,
      publicKey: sodiumSigner(signingSeed).publicKey,
      apiUrl: `http://${config.api.host}:${config.api.port}`,
    };
  });
  const document = new Uint8Array(readFileSync(path.join(keysFolder, 'genesis.cbor')));
  return { genesisHash: genesisHash(document), keysFolder, nodes };
}
