import { type Command, Option } from 'commander';
import type { AccountView } from '../api/contract/schemas.ts';
import { formatAddress } from '../crypto/address.ts';
import { holdFolder } from '../node/folder-hold.ts';
import { OperatorError } from '../node/operator-error.ts';
import { connect, readLedger } from './connect.ts';
import { type Holder, openKeyFolder, readKeyFile } from './key-folder.ts';
import { makeOutput } from './output.ts';
import type { PersonRole } from './people-list.ts';
import { isRegistered, signRegistration } from './registration.ts';
import { committedAt, openSession, type SessionFlags, send, validUntilMs } from './session.ts';

interface CreateFlags {
  readonly role: PersonRole;
  readonly name: string;
  readonly organisation: string;
  readonly keys: string;
  readonly node?: string;
  readonly json?: true;
}

interface RegisterFlags {
  readonly as: string;
  readonly keys: string;
  readonly node: string;
  readonly json?: true;
}

/** Adds `medledger account create`, `register` and `show`. */
export function addAccountCommand(program: Command): void {
  const account = program.command('account').description('accounts of patients, doctors and researchers');
  account
    .command('create')
    .description("draw a person's keys; with --node, register the account too")
    .addOption(
      new Option('--role <role>', 'role of the account')
        .choices(['patient', 'doctor', 'researcher'])
        .makeOptionMandatory(),
    )
    .requiredOption('--name <name>', 'what the organisation calls the person; stays in the key folder')
    .requiredOption('--organisation <file>', "key file of the person's organisation")
    .requiredOption('--keys <folder>', 'key folder to put the keys into')
    .option('--node <url>', 'API of a node')
    .option('--json', 'print the account as JSON')
    .action(createAccount);
  account
    .command('register')
    .description('put an account of the key folder on the ledger, signed by itself and its organisation')
    .requiredOption('--as <name>', 'name or address of the account')
    .requiredOption('--keys <folder>', "key folder with the account's and the organisation's keys")
    .requiredOption('--node <url>', 'API of a node')
    .option('--json', 'print the account as JSON')
    .action(registerAccount);
  account
    .command('show')
    .description('show what the ledger holds of an account')
    .argument('[address]', 'address, or name in the key folder; the account of --as when left out')
    .requiredOption('--as <name>', 'account that asks')
    .requiredOption('--keys <folder>', 'key folder')
    .requiredOption('--node <url>', 'API of a node')
    .option('--json', 'print the account as JSON')
    .action(showAccount);
}

async function createAccount(flags: CreateFlags): Promise<void> {
  const organisation = readKeyFile(flags.organisation, undefined);
  if (organisation.role !== 'organisation')
    throw new OperatorError(`${flags.organisation} is the key of a ${organisation.role}; name an organisation's.`);
  const keys = openKeyFolder(flags.keys);
  const hold = holdFolder(keys.folder, 'Adding keys');
  try {
    const holder = keys.ensurePerson(flags.role, flags.name, organisation.identity.address);
    const height =
      flags.node === undefined ? null : await register(flags.node, keys.genesisDocument, holder, organisation);
    report(flags.json === true, holder, height);
  } finally {
    hold.release();
  }
}

async function registerAccount(flags: RegisterFlags): Promise<void> {
  const keys = openKeyFolder(flags.keys);
  const holder = keys.holder(flags.as);
  if (holder.role === 'organisation' || holder.role === 'regulator')
    throw new OperatorError(`${flags.as} is a ${holder.role}, which the members admit; only persons are registered.`);
  const organisation = keys.organisation(holder.organisation);
  report(flags.json === true, holder, await register(flags.node, keys.genesisDocument, holder, organisation));
}

/** The height at which the account was registered; null when it was registered before. */
async function register(
  url: string,
  genesisDocument: Uint8Array | undefined,
  holder: Holder,
  organisation: Holder,
): Promise<number | null> {
  const ledger = await readLedger(url, genesisDocument);
  const transaction = signRegistration(ledger.genesisHash, holder, organisation, validUntilMs(ledger));
  const status = await send(connect(url, ledger, null), transaction);
  if (status.status === 'Rejected' && isRegistered(status)) return null;
  return committedAt(status).height;
}

function report(json: boolean, { role, name, identity, organisation }: Holder, height: number | null): void {
  const address = formatAddress(identity.address);
  const result = { role, name, address, organisation: formatAddress(organisation), registeredAt: height };
  makeOutput(json).result(result, address);
}

async function showAccount(name: string | undefined, flags: SessionFlags & { readonly json?: true }): Promise<void> {
  const { keys, holder, client } = await openSession(flags);
  const view = await client.account(name === undefined ? holder.identity.address : keys.address(name));
  makeOutput(flags.json === true).result(view, formatAccount(view));
}

function formatAccount(view: AccountView): string {
  return [
    `address       ${view.address}`,
    `role          ${view.role}, ${view.status}`,
    `organisation  ${view.organisation}`,
    `registered    at height ${view.registeredAt}`,
    `sealing key   ${view.sealingKey}`,
    ...view.keys.map(({ publicKey, weight }, index) => `key ${index}         ${publicKey}, weight ${weight}`),
    `thresholds    routine ${view.thresholds.routine}, sensitive ${view.thresholds.sensitive}, keys ${view.thresholds.keys}`,
  ].join('\n');
}
