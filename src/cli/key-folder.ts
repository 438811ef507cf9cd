import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type AccountIdentity, type AccountSecrets, drawAccountSecrets, makeAccount } from '../client/keys.ts';
import { fromHex, toHex } from '../codec/bytes.ts';
import { formatAddress, parseAddress } from '../crypto/address.ts';
import { readAccountKey, writeAccountKey } from '../crypto/node/keystore.ts';
import { writeNewFile } from '../crypto/node/new-file.ts';
import { sodiumSigner } from '../crypto/node/sign.ts';
import type { Role } from '../ledger/account.ts';
import { OperatorError } from '../node/operator-error.ts';
import { PeopleList, type Person, type PersonRole } from './people-list.ts';

/** An account whose keys are in a key folder. */
export interface Holder {
  readonly name: string;
  readonly role: Role;
  /** Address of its home organisation; its own for an organisation. */
  readonly organisation: Uint8Array;
  readonly identity: AccountIdentity;
}

const GENESIS_FILE = 'genesis.cbor';
const SECRET_FILE = 'secret';
const PEOPLE_LIST_FILE = 'people.jsonl';
const PEOPLE_FOLDER = 'people';
const SECRET_BYTES = 32;

/**
 * A folder of account keys, for its owner alone:
 *
 * - `NAME.json`: the key file of an organisation; `genesis.cbor`: the ledger that they belong to, where known
 * - `people/MARK.json`: the key file of a patient or doctor; the mark is an HMAC and tells nobody who it is
 * - `people.jsonl`: who is behind which pseudonym; never leaves this folder
 * - `secret`: the key of the HMACs
 *
 * One process at a time may add to it.
 */
export class KeyFolder {
  readonly folder: string;
  /** Canonical genesis document that the folder is for; undefined where none was put there. */
  readonly genesisDocument: Uint8Array | undefined;
  readonly organisations: readonly Holder[];
  readonly #people: PeopleList;
  #secret: Uint8Array | undefined;

  /** Made by `openKeyFolder` alone. */
  constructor(
    folder: string,
    genesisDocument: Uint8Array | undefined,
    organisations: readonly Holder[],
    people: PeopleList,
  ) {
    this.folder = folder;
    this.genesisDocument = genesisDocument;
    this.organisations = organisations;
    this.#people = people;
  }

  /** The organisation at this address. Throws an OperatorError when the folder has not its key. */
  organisation(address: Uint8Array): Holder {
    const found = this.organisations.find(({ identity }) => toHex(identity.address) === toHex(address));
    if (found !== undefined) return found;
    throw new OperatorError(
      `${this.folder} has no key file of the organisation ${formatAddress(address)}: copy it there (chmod 600).`,
    );
  }

  /**
   * HMAC-SHA256 of a text under the folder's secret, for one purpose: recognises what was seen before and tells nobody
   * else what it was. Draws the secret at first use.
   */
  mark(purpose: string, text: string): Uint8Array {
    this.#secret ??= readOrDrawSecret(path.join(this.folder, SECRET_FILE));
    return new Uint8Array(createHmac('sha256', this.#secret).update(`${purpose}\0${text}`).digest());
  }

  /** The account of a person at an organisation, drawn and kept durably when there is none yet. */
  ensurePerson(role: PersonRole, name: string, organisation: Uint8Array): Holder {
    const home = formatAddress(organisation);
    const file = this.#personFile(role, name, home);
    const listed = this.#people.find(role, name, home);
    if (listed !== undefined) return readHolder(file, listed.name, organisation);
    // A crash may have come between the key file and the list: then the file is taken up.
    if (!existsSync(file)) {
      makePrivateFolder(path.dirname(file));
      const secrets = drawAccountSecrets();
      const address = formatAddress(makeAccount(secrets, sodiumSigner).address);
      const [signingSeed] = secrets.signingSeeds;
      const label = `${role} ${path.basename(file, '.json').slice(0, 12)}`;
      writeAccountKey(file, {
        name: label,
        role,
        address,
        signingSeed: signingSeed!,
        sealingSecret: secrets.sealingSecret,
      });
    }
    const holder = readHolder(file, name, organisation);
    this.#people.add({ role, name, organisation: home, address: formatAddress(holder.identity.address) });
    return holder;
  }

  /**
   * The holder that `name` stands for: an organisation by the name of its key file or its own, anybody by address, a
   * person by the name in the list. Throws an OperatorError when nobody or several are called so.
   */
  holder(name: string): Holder {
    const organisations = this.organisations.filter(
      (organisation) => organisation.name === name || formatAddress(organisation.identity.address) === name,
    );
    const bySlug = this.#organisationFile(name);
    const people = this.#people.named(name);
    const found = [
      ...(organisations.length > 0 ? organisations : bySlug),
      ...people.map((person) => this.#read(person)),
    ];
    const [only] = found;
    if (only === undefined)
      throw new OperatorError(
        `${this.folder} has no account called ${name}. Its organisations: ` +
          `${this.organisations.map((organisation) => organisation.name).join(', ') || 'none'}.`,
      );
    if (found.length > 1)
      throw new OperatorError(
        `${found.length} accounts are called ${name}; name one by its address: ` +
          found.map(({ identity, role }) => `${formatAddress(identity.address)} (${role})`).join(', '),
      );
    return only;
  }

  /** The address that `name` stands for: an address itself, or that of an account of this folder. */
  address(name: string): Uint8Array {
    return name.startsWith('med1') ? parseAddress(name) : this.holder(name).identity.address;
  }

  /** What the person or organisation at an address is called here; undefined for strangers. */
  nameOf(address: string): string | undefined {
    return (
      this.#people.named(address)[0]?.name ??
      this.organisations.find(({ identity }) => formatAddress(identity.address) === address)?.name
    );
  }

  #organisationFile(name: string): readonly Holder[] {
    const file = path.join(this.folder, `${path.basename(name)}.json`);
    if (!existsSync(file)) return [];
    const { address } = readAccountKey(file);
    return this.organisations.filter(({ identity }) => formatAddress(identity.address) === address);
  }

  #read(person: Person): Holder {
    const { role, name, organisation } = person;
    return readHolder(this.#personFile(role, name, organisation), name, parseAddress(organisation));
  }

  #personFile(role: PersonRole, name: string, organisation: string): string {
    const mark = toHex(this.mark('person', `${role}\0${organisation}\0${name}`));
    return path.join(this.folder, PEOPLE_FOLDER, `${mark}.json`);
  }
}

/** Opens a key folder. Throws an OperatorError or a KeyFileError that names what is at fault. */
export function openKeyFolder(name: string): KeyFolder {
  const folder = path.resolve(name);
  let entries: string[];
  try {
    entries = readdirSync(folder).sort();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new OperatorError(
      `Cannot read the key folder ${folder} (${code}): name it with --keys, such as TESTNET/keys.`,
    );
  }
  const files = entries.filter((entry) => entry.endsWith('.json')).map((entry) => path.join(folder, entry));
  const holders = files.map((file) => readHolder(file, undefined, undefined));
  const organisations = holders.filter(({ role }) => role === 'organisation');
  const genesisFile = path.join(folder, GENESIS_FILE);
  const genesisDocument = existsSync(genesisFile) ? new Uint8Array(readFileSync(genesisFile)) : undefined;
  return new KeyFolder(folder, genesisDocument, organisations, new PeopleList(path.join(folder, PEOPLE_LIST_FILE)));
}

/** The holder of a key file of its own, outside any key folder; `organisation` is null for an organisation's. */
export function readKeyFile(file: string, organisation: Uint8Array | undefined): Holder {
  return readHolder(file, undefined, organisation);
}

/** Makes a folder for its owner alone, where there is none. */
function makePrivateFolder(folder: string): void {
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}

function readHolder(file: string, name: string | undefined, organisation: Uint8Array | undefined): Holder {
  const key = readAccountKey(file);
  const secrets: AccountSecrets = { signingSeeds: [key.signingSeed], sealingSecret: key.sealingSecret };
  const address = parseAddress(key.address);
  return {
    name: name ?? key.name,
    role: roleOf(key.role, file),
    organisation: organisation ?? address,
    // The address is that of the first key document, which a rotation leaves as it is.
    identity: { ...makeAccount(secrets, sodiumSigner), address },
  };
}

function roleOf(role: string, file: string): Role {
  const roles: readonly Role[] = ['patient', 'doctor', 'researcher', 'organisation', 'regulator'];
  const known = roles.find((candidate) => candidate === role);
  if (known === undefined) throw new OperatorError(`${file} is of the role ${role}; a role is ${roles.join(', ')}.`);
  return known;
}

function readOrDrawSecret(file: string): Uint8Array {
  if (!existsSync(file)) writeNewFile(file, Buffer.from(`${randomBytes(SECRET_BYTES).toString('hex')}\n`));
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new OperatorError(
      `${file} is damaged: restore it from a backup; without it a second load recognises nothing.`,
    );
  return fromHex(text);
}
