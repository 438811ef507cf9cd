import { toHex } from '../codec/bytes.ts';
import { type Account, keyDocumentFault } from './account.ts';
import { ACTION_CODES, type ActionKind } from './action.ts';
import { HEADER_VERSION } from './block.ts';
import { REQUIRED_LIKE } from './default-requirements.ts';
import { GENESIS_VERSION, type GenesisDocument, genesisAccounts } from './genesis.ts';
import { type Parameters, parametersFault } from './parameters.ts';
import { type Requirement, requirementFault } from './requirement.ts';
import { makeValidatorSet } from './validator-set.ts';

type Accounts = ReadonlyMap<string, Account>;

/**
 * Why a ledger can not start from this document, in words for whoever wrote it; undefined when it can.
 * `signingKeyFault` says why an Ed25519 key is not admitted.
 */
export function genesisFault(
  document: GenesisDocument,
  signingKeyFault: (publicKey: Uint8Array) => string | undefined,
): string | undefined {
  if (document.version !== GENESIS_VERSION)
    return `genesis version ${document.version}; this build reads ${GENESIS_VERSION}`;
  if (document.ledger.trim() === '') return 'the ledger has no name';
  const fault = namesFault(document) ?? keysFault(document, signingKeyFault);
  if (fault !== undefined) return fault;

  const accounts = new Map<string, Account>();
  for (const { address, account } of genesisAccounts(document)) {
    const name = toHex(address);
    if (accounts.has(name)) return `two accounts have the key document of ${name}; draw new keys for one`;
    accounts.set(name, account);
  }
  return (
    membershipFault(document, accounts) ??
    validatorsFault(document, accounts, signingKeyFault) ??
    parametersFault(document.parameters) ??
    versionFault(document.parameters) ??
    requirementsFault(document, accounts)
  );
}

function namesFault({ organisations }: GenesisDocument): string | undefined {
  if (organisations.length === 0) return 'a ledger has at least one organisation';
  const names = new Set<string>();
  for (const { name } of organisations) {
    if (name.trim() === '') return 'an organisation has no name';
    if (names.has(name)) return `two organisations are called ${name}`;
    names.add(name);
  }
  return undefined;
}

function keysFault(
  document: GenesisDocument,
  signingKeyFault: (publicKey: Uint8Array) => string | undefined,
): string | undefined {
  for (const { address, account } of genesisAccounts(document)) {
    const fault = keyDocumentFault(account.keyDocument);
    if (fault !== undefined) return `account ${toHex(address)}: ${fault}`;
    for (const { publicKey } of account.keyDocument.keys) {
      const keyFault = signingKeyFault(publicKey);
      if (keyFault !== undefined) return `account ${toHex(address)}: key ${toHex(publicKey)} is refused: ${keyFault}`;
    }
  }
  return undefined;
}

function membershipFault({ accounts: listed, createdMs }: GenesisDocument, accounts: Accounts): string | undefined {
  for (const [place, { role, organisation, control }] of listed.entries()) {
    const name = `account ${place} of the list`;
    if (role === 'organisation' || role === 'regulator') return `${name} is a ${role}, which has a list of its own`;
    if (accounts.get(toHex(organisation))?.role !== 'organisation')
      return `${name} belongs to ${toHex(organisation)}, which is no organisation of this genesis`;
    if (control.kind === 'self') continue;
    if (role !== 'patient') return `${name} is a ${role}; only a patient is under another's control`;
    if (control.kind === 'custodial') {
      if (toHex(control.organisation) !== toHex(organisation))
        return `${name} has another custodian than its home organisation`;
      continue;
    }
    const guardian = accounts.get(toHex(control.account));
    if (guardian?.role !== 'patient' || guardian.control.kind !== 'self')
      return `${name} has a guardian that is no patient account in its own control`;
    if (control.untilMs <= createdMs) return `${name} has a guardian whose term is over at the start`;
  }
  return undefined;
}

function validatorsFault(
  { validators }: GenesisDocument,
  accounts: Accounts,
  signingKeyFault: (publicKey: Uint8Array) => string | undefined,
): string | undefined {
  for (const { publicKey, organisation } of validators) {
    const fault = signingKeyFault(publicKey);
    if (fault !== undefined) return `validator key ${toHex(publicKey)} is refused: ${fault}`;
    if (accounts.get(toHex(organisation))?.role !== 'organisation')
      return `validator ${toHex(publicKey)} belongs to ${toHex(organisation)}, which is no organisation of this genesis`;
  }
  try {
    makeValidatorSet(validators);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  return undefined;
}

/** A ledger may start with a later version, where nothing has to be announced. */
function versionFault({ protocolVersion, protocolVersionFrom }: Parameters): string | undefined {
  if (protocolVersion > HEADER_VERSION)
    return `protocolVersion is ${protocolVersion}; this build knows ${HEADER_VERSION}: update it`;
  return protocolVersionFrom === 0 ? undefined : 'protocolVersionFrom of a genesis is 0';
}

function requirementsFault({ requirements }: GenesisDocument, accounts: Accounts): string | undefined {
  const kinds = (Object.keys(ACTION_CODES) as ActionKind[]).sort((a, b) => ACTION_CODES[a] - ACTION_CODES[b]);
  const listed = requirements.map(({ action }) => action);
  const isOpen = kinds.slice(listed.length).some((action) => REQUIRED_LIKE[action] === undefined);
  if (isOpen || listed.some((action, place) => action !== kinds[place]))
    return `requirements stand for ${listed.join(', ')}; they must stand for ${kinds.join(', ')}, in this order`;
  for (const { action, requirement } of requirements) {
    const fault = requirementFault(requirement) ?? unmeetable(requirement, accounts);
    if (fault !== undefined) return `the requirement for ${action}: ${fault}`;
  }
  return undefined;
}

/** A leaf that names an account or organisation which the genesis does not have. */
function unmeetable(requirement: Requirement, accounts: Accounts): string | undefined {
  if (requirement.kind === 'atLeast') {
    for (const part of requirement.of) {
      const fault = unmeetable(part, accounts);
      if (fault !== undefined) return fault;
    }
  }
  if (requirement.kind === 'account' && !accounts.has(toHex(requirement.address)))
    return `account ${toHex(requirement.address)} is not in the genesis`;
  if (requirement.kind === 'role' && requirement.organisation.kind === 'address') {
    const address = toHex(requirement.organisation.address);
    if (accounts.get(address)?.role !== 'organisation') return `organisation ${address} is not in the genesis`;
  }
  return undefined;
}
