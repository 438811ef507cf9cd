import { compareBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { bytes, enumeration, list, nullable, struct, text, uint } from '../codec/schema.ts';
import { taggedHash } from '../crypto/hash.ts';
import {
  type Account,
  accountAddress,
  type Control,
  controlSchema,
  type KeyDocument,
  keyDocumentSchema,
  type Role,
  roleSchema,
} from './account.ts';
import { ACTION_CODES, type ActionKind } from './action.ts';
import type { ParentBlock } from './block-execution.ts';
import { type Parameters, parametersSchema } from './parameters.ts';
import { type Requirement, requirementSchema } from './requirement.ts';
import {
  CURRENT_VALIDATORS_KEY,
  FAMILIES,
  type Family,
  ORGANISATION_NAME_BYTES_MAX,
  ORGANISATIONS_MAX,
  requirementKey,
  SCHEDULED_VALIDATORS_KEY,
  SINGLE_KEY,
  type StateChange,
  stateKey,
} from './state.ts';
import { emptyMap, type StateMap, updateMap } from './state-map.ts';
import { mapChanges } from './state-overlay.ts';
import { makeValidatorSet, type Validator, validatorListSchema } from './validator-set.ts';

/** Version of the document format that this build reads and writes. */
export const GENESIS_VERSION = 1;
/** Most bytes of an encoded document. */
export const GENESIS_BYTES_MAX = 32 * 1024 * 1024;
/** Most accounts in a document besides organisations and regulator. */
const GENESIS_ACCOUNTS_MAX = 65_536;

/** A founding organisation, or the regulator; its address is that of its key document. */
interface GenesisOrganisation {
  readonly name: string;
  readonly keyDocument: KeyDocument;
}

/** A further account that the ledger starts with. */
export interface GenesisAccount {
  readonly role: Role;
  /** Address of its home organisation. */
  readonly organisation: Uint8Array;
  readonly control: Control;
  readonly keyDocument: KeyDocument;
}

/** What a ledger asks for an action until the members set something else. */
interface GenesisRequirement {
  readonly action: ActionKind;
  readonly requirement: Requirement;
}

/** All that a ledger starts from. Its hash names the ledger and stands in everything signed. */
export interface GenesisDocument {
  readonly version: number;
  /** Name of the ledger, for people; the hash is what tells ledgers apart. */
  readonly ledger: string;
  /** Timestamp of the genesis; that of block 1 is later. */
  readonly createdMs: number;
  readonly organisations: readonly GenesisOrganisation[];
  readonly regulator: GenesisOrganisation | null;
  readonly validators: readonly Validator[];
  readonly accounts: readonly GenesisAccount[];
  readonly parameters: Parameters;
  /** One for each action, in order of action code. */
  readonly requirements: readonly GenesisRequirement[];
}

/** The state at height 0. */
export interface GenesisState {
  readonly changes: readonly StateChange[];
  readonly map: StateMap;
}

const organisationSchema = struct<GenesisOrganisation>({
  name: text(ORGANISATION_NAME_BYTES_MAX),
  keyDocument: keyDocumentSchema,
});

const genesisSchema = struct<GenesisDocument>({
  version: uint(0xffff),
  ledger: text(64),
  createdMs: uint(),
  organisations: list(organisationSchema, ORGANISATIONS_MAX),
  regulator: nullable(organisationSchema),
  validators: validatorListSchema,
  accounts: list(
    struct<GenesisAccount>({
      role: roleSchema,
      organisation: bytes(32),
      control: controlSchema,
      keyDocument: keyDocumentSchema,
    }),
    GENESIS_ACCOUNTS_MAX,
  ),
  parameters: parametersSchema,
  requirements: list(
    struct<GenesisRequirement>({ action: enumeration<ActionKind>(ACTION_CODES), requirement: requirementSchema }),
    256,
  ),
});

/** The canonical bytes of a genesis document: what is handed to every member. */
export function encodeGenesis(document: GenesisDocument): Uint8Array {
  return encode(genesisSchema, document);
}

/** Throws a DecodeError on anything that is not a canonical genesis document; its meaning is not judged. */
export function decodeGenesis(encoded: Uint8Array): GenesisDocument {
  return decode(genesisSchema, encoded, GENESIS_BYTES_MAX);
}

/** SHA-256("medledger/v1/GENESIS" ‖ 0x00 ‖ canonical bytes), 32 bytes. */
export function genesisHash(encoded: Uint8Array): Uint8Array {
  return taggedHash('GENESIS', encoded);
}

/** What block 1 builds on. */
export function genesisParent(encoded: Uint8Array): ParentBlock {
  return { height: 0, hash: genesisHash(encoded), timestampMs: decodeGenesis(encoded).createdMs };
}

/** The entries that a ledger starts with, in order of key, and the map over them. The document is without fault. */
export function genesisState(document: GenesisDocument): GenesisState {
  const changes: StateChange[] = [];
  const put = <T>(family: Family<T>, key: Uint8Array, value: T): void => {
    changes.push({ key: stateKey(family, key), value: encode(family.schema, value) });
  };
  for (const { address, account } of genesisAccounts(document)) put(FAMILIES.account, address, account);
  const members: Uint8Array[] = [];
  for (const { name, keyDocument } of document.organisations) {
    const address = accountAddress(keyDocument);
    put(FAMILIES.organisation, address, { name, admittedAt: 0 });
    members.push(address);
  }
  put(FAMILIES.members, SINGLE_KEY, members.sort(compareBytes));
  put(FAMILIES.parameters, SINGLE_KEY, document.parameters);
  const { validators } = makeValidatorSet(document.validators);
  put(FAMILIES.validators, CURRENT_VALIDATORS_KEY, validators);
  put(FAMILIES.validators, SCHEDULED_VALIDATORS_KEY, validators);
  for (const { publicKey, organisation } of validators)
    put(FAMILIES.tenure, publicKey, {
      organisation,
      seat: publicKey,
      addresses: [],
      fromHeight: 1,
      untilHeight: null,
    });
  for (const { action, requirement } of document.requirements)
    put(FAMILIES.requirement, requirementKey(action, null), requirement);
  changes.sort((a, b) => compareBytes(a.key, b.key));
  return { changes, map: updateMap(emptyMap, mapChanges(changes)) };
}

/** Every account of the document with its address: organisations, the regulator, then the others. */
export function genesisAccounts(
  document: GenesisDocument,
): readonly { readonly address: Uint8Array; readonly account: Account }[] {
  const self: Control = { kind: 'self' };
  const named = (role: Role, { keyDocument }: GenesisOrganisation): GenesisAccount => ({
    role,
    organisation: accountAddress(keyDocument),
    control: self,
    keyDocument,
  });
  const all = [
    ...document.organisations.map((organisation) => named('organisation', organisation)),
    ...(document.regulator === null ? [] : [named('regulator', document.regulator)]),
    ...document.accounts,
  ];
  return all.map(({ role, organisation, control, keyDocument }) => ({
    address: accountAddress(keyDocument),
    account: { role, organisation, status: 'active', control, keyDocument, registeredAt: 0 },
  }));
}
