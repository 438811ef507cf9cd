import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DecodeError } from '../codec/decode-error.ts';
import { parseAddress } from '../crypto/address.ts';
import { readAccountKey, readValidatorKey } from '../crypto/node/keystore.ts';
import { sodiumSigner } from '../crypto/node/sign.ts';
import type { Signer } from '../crypto/signer.ts';
import { type LedgerStart, readLedgerStart } from '../ledger/ledger-start.ts';
import { type DataFolder, dataFolder } from '../storage/data-folder.ts';
import { OperatorError } from './operator-error.ts';
import type { OrganisationKey } from './record-fields.ts';

/** Name of the file of the node's own key, in its `keys` folder. */
export const VALIDATOR_KEY_FILE = 'validator.json';
/** Name of the file of its organisation's keys, beside it; may be absent. */
export const ORGANISATION_KEY_FILE = 'organisation.json';

/** Who a node is: its ledger, its own key, and its organisation's sealing key. */
export interface NodeIdentity {
  /** Canonical bytes of the genesis document. */
  readonly genesisDocument: Uint8Array;
  readonly start: LedgerStart;
  /** 32-byte Ed25519 seed of the node's key: validator key and libp2p identity in one. */
  readonly seed: Uint8Array;
  readonly signer: Signer;
  /** Undefined when the folder has no organisation key: the node then indexes public facts alone. */
  readonly organisationKey: OrganisationKey | undefined;
}

/** Reads the genesis and the keys of a node. Throws an OperatorError or KeyFileError that names the file at fault. */
export function readIdentity(folder: DataFolder): NodeIdentity {
  const genesisDocument = readGenesisFile(folder.genesis);
  const { signingSeed } = readValidatorKey(path.join(folder.keys, VALIDATOR_KEY_FILE));
  return {
    genesisDocument,
    start: readStart(genesisDocument, folder.genesis),
    seed: signingSeed,
    signer: sodiumSigner(signingSeed),
    organisationKey: readOrganisationKey(path.join(folder.keys, ORGANISATION_KEY_FILE)),
  };
}

/** As `readIdentity`, of the data folder at this path. */
export function readFolderIdentity(root: string): NodeIdentity {
  return readIdentity(dataFolder(root));
}

/** The bytes of a genesis file. Throws an OperatorError that names it when it can not be read. */
export function readGenesisFile(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new OperatorError(
      `Cannot read the genesis document ${file} (${(error as NodeJS.ErrnoException).code}). ` +
        'Every member has the same one: copy it from another hospital.',
    );
  }
}

/** Reads a genesis file of either kind. Throws an OperatorError that names `file` when it is none. */
export function readStart(encoded: Uint8Array, file: string): LedgerStart {
  try {
    return readLedgerStart(encoded);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new OperatorError(`${file} is no genesis document (${error.message}): copy it from another hospital again.`);
  }
}

function readOrganisationKey(file: string): OrganisationKey | undefined {
  let key: ReturnType<typeof readAccountKey>;
  try {
    key = readAccountKey(file);
  } catch (error) {
    if (error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      return undefined;
    throw error;
  }
  return { address: parseAddress(key.address), sealingSecret: key.sealingSecret };
}
