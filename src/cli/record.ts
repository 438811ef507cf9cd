import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type FetchedRecord, openRecordFields, openRecordPayload } from '../client/open-record.ts';
import type { Party } from '../client/seal-record.ts';
import { equalBytes, fromHex, toHex } from '../codec/bytes.ts';
import { parseAddress } from '../crypto/address.ts';
import type { RecordFields } from '../ledger/attachment.ts';
import { genesisHashAt } from '../ledger/ledger-start.ts';
import { OperatorError } from '../node/operator-error.ts';
import type { Holder, KeyFolder } from './key-folder.ts';
import { readWhole } from './options.ts';
import { makeOutput } from './output.ts';
import { type SealedTransaction, sealAmendment, sealNewRecord } from './record-transaction.ts';
import { committedAt, openSession, type Session, type SessionFlags, send, validUntilMs } from './session.ts';

interface ContentFlags extends SessionFlags {
  readonly file: string;
  readonly kind: string;
  readonly code: readonly string[];
  readonly date: string;
  readonly department: string;
  readonly region: string;
  readonly title: string;
  readonly class: number;
  readonly retainYears: number;
  readonly json?: true;
}

interface GetFlags extends SessionFlags {
  readonly version?: number;
  readonly out?: string;
  readonly json?: true;
}

const YEAR_MS = 365.25 * 86_400_000;

/** Adds `medledger record add`, `get` and `amend`. */
export function addRecordCommand(program: Command): void {
  const record = program.command('record').description('single records: add, read, amend');
  addContentOptions(record.command('add').description('add a file as a new record; signed by author and organisation'))
    .requiredOption('--patient <name>', 'address, or name in the key folder')
    .action(addRecord);
  addContentOptions(
    record.command('amend').description('add a new version of a record; signed by author and patient').argument('<id>'),
  ).action(amendRecord);
  addSessionOptions(record.command('get').description('fetch, check and open a record').argument('<id>', 'record id'))
    .option('--version <number>', 'version; the newest when left out', readWhole(1, 0xffffffff))
    .option('--out <file>', 'write the content to a new file, for its owner alone; otherwise it is printed')
    .option('--json', 'print what is known of the record as JSON, without the content')
    .action(getRecord);
}

function addSessionOptions(command: Command): Command {
  return command
    .requiredOption('--node <url>', "API of a node of the author's organisation")
    .requiredOption('--keys <folder>', 'key folder')
    .requiredOption('--as <name>', 'account that acts, by name in the key folder or address');
}

function addContentOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  return addSessionOptions(command)
    .requiredOption('--file <file>', 'the content')
    .option('--kind <kind>', 'kind of record', 'Document')
    .option('--code <system|code>', 'code to find it by; may be repeated', collect, [])
    .option('--date <date>', 'date of the encounter, ISO 8601', '')
    .option('--department <name>', 'department', '')
    .option('--region <name>', 'region', '')
    .option('--title <title>', 'title', '')
    .option('--class <number>', "class, known to the organisation's people alone", readWhole(0, 0xffff), 1)
    .option('--retain-years <years>', 'years to keep it at least', readWhole(1, 200), 30)
    .option('--json', 'print the result as JSON');
}

async function addRecord(flags: ContentFlags & { readonly patient: string }): Promise<void> {
  const session = await openSession(flags);
  const { keys, holder, client } = session;
  checkRole(holder, 'doctor');
  const patient = await client.account(keys.address(flags.patient));
  const sealed = await sealNewRecord({
    ...versionContent(session, flags),
    organisation: keys.organisation(holder.organisation).identity,
    patient: { address: parseAddress(patient.address), sealingKey: fromHex(patient.sealingKey) },
  });
  await sendVersion(session, sealed, 1, flags);
}

async function amendRecord(id: string, flags: ContentFlags): Promise<void> {
  const session = await openSession(flags);
  const { keys, holder, client } = session;
  checkRole(holder, 'doctor');
  const recordId = readRecordId(id);
  const current = await client.record(recordId);
  const organisation = await client.account(parseAddress(current.organisation));
  const content = versionContent(session, flags);
  const sealed = await sealAmendment({
    ...content,
    // A new version may keep the record longer, never shorter.
    retainUntilMs: Math.max(content.retainUntilMs, current.retainUntilMs),
    recordId,
    expectedVersion: current.version,
    patient: patientOf(keys, current.patient),
    organisation: { address: parseAddress(current.organisation), sealingKey: fromHex(organisation.sealingKey) },
  });
  await sendVersion(session, sealed, current.version + 1, flags);
}

async function getRecord(id: string, flags: GetFlags): Promise<void> {
  const { ledger, holder, client } = await openSession(flags);
  const recordId = readRecordId(id);
  const view = await client.record(recordId, flags.version);
  if (view.attachment === null) throw new OperatorError(`Record ${id} has no keys beside it and can not be opened.`);
  const { version, payload } = view;
  const fetched: FetchedRecord = {
    genesisHash: genesisHashAt(ledger.start, view.height),
    recordId,
    version,
    reference: { hash: fromHex(view.attachment.hash), bytes: view.attachment.bytes },
    attachment: await client.recordAttachment(recordId, version),
  };
  const reader = { identity: holder.identity, party: partyOf(holder, view) };
  const fields = await openRecordFields(fetched, reader);
  const ciphertext = await client.recordPayload(recordId, version);
  const content = await openRecordPayload(fetched, ciphertext, fromHex(payload.keyCommitment), reader);
  if (flags.out !== undefined) writeContent(flags.out, content);
  const output = makeOutput(flags.json === true);
  if (flags.json === true) output.result({ ...view, fields, contentBytes: content.length }, '');
  else if (flags.out !== undefined) output.result(null, `${content.length} bytes of version ${version}: ${flags.out}`);
  else process.stdout.write(content);
}

function versionContent({ ledger, holder }: Session, flags: ContentFlags) {
  const { kind, code: codes, date, department, region, title } = flags;
  const fields: RecordFields = { kind, codes, date, department, region, title };
  return {
    genesisHash: ledger.genesisHash,
    author: holder.identity,
    payload: readContent(flags.file),
    fields,
    class: flags.class,
    retainUntilMs: Date.now() + flags.retainYears * YEAR_MS,
    validUntilMs: validUntilMs(ledger),
  };
}

async function sendVersion(
  { client }: Session,
  { recordId, transaction, cid, ciphertext }: SealedTransaction,
  version: number,
  { json }: { readonly json?: true },
): Promise<void> {
  const status = await send(client, transaction, (signal) => client.putPayload(cid, ciphertext, signal));
  const { height, index } = committedAt(status);
  const id = toHex(recordId);
  const result = { recordId: id, version, txId: toHex(transaction.txId), height, index };
  makeOutput(json === true).result(result, `${id}  version ${version}, block ${height}, place ${index}`);
}

function partyOf({ identity }: Holder, view: Readonly<Record<Party, string>>): Party {
  const parties: readonly Party[] = ['author', 'patient', 'organisation'];
  const party = parties.find((candidate) => equalBytes(parseAddress(view[candidate]), identity.address));
  if (party !== undefined) return party;
  throw new OperatorError('Only author, patient and organisation can open a record: name one of them with --as.');
}

function patientOf(keys: KeyFolder, address: string): Holder['identity'] {
  return keys.holder(address).identity;
}

function checkRole({ role, name }: Holder, wanted: 'doctor'): void {
  if (role !== wanted) throw new OperatorError(`${name} is a ${role}; a record's author is a ${wanted}: use --as.`);
}

function readRecordId(text: string): Uint8Array {
  if (/^[0-9a-f]{32}$/.test(text)) return fromHex(text);
  throw new OperatorError(`${text} is no record id: one has 32 hexadecimal digits.`);
}

function readContent(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new OperatorError(`Cannot read ${file} (${(error as NodeJS.ErrnoException).code}): name it with --file.`);
  }
}

function writeContent(file: string, content: Uint8Array): void {
  try {
    writeFileSync(file, content, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new OperatorError(
      `Cannot write ${file} (${(error as NodeJS.ErrnoException).code}): name another file with --out.`,
    );
  }
}
