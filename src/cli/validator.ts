import path from 'node:path';
import type { Command } from 'commander';
import type { ValidatorsView } from '../api/contract/schemas.ts';
import {
  drawSalt,
  signReadiness,
  signTransaction,
  transactionBody,
  validatorAdd,
  validatorRemove,
  validatorRotate,
} from '../client/build-transaction.ts';
import { fromHex, toHex } from '../codec/bytes.ts';
import { formatAddress, parseAddress } from '../crypto/address.ts';
import type { Action } from '../ledger/action.ts';
import { HEIGHTS_TO_FORCE } from '../ledger/slots.ts';
import { faultyMax } from '../ledger/validator-set.ts';
import { readFolderIdentity } from '../node/identity.ts';
import { OperatorError } from '../node/operator-error.ts';
import { connect, type Ledger, readLedger } from './connect.ts';
import { readKeyFile } from './key-folder.ts';
import { formatTable, makeOutput } from './output.ts';
import { type ReadyFile, readReadyFile, writeReadyFile } from './ready-file.ts';
import { committedAt, send, validUntilMs } from './session.ts';

interface NodeFlags {
  readonly node: string;
  readonly json?: true;
}

interface ReadyFlags extends NodeFlags {
  readonly data: string;
  readonly out: string;
  readonly replaces?: string;
  readonly address: readonly string[];
}

interface ChangeFlags extends NodeFlags {
  /** Key files of the members that approve, and of the regulator. */
  readonly sign: readonly string[];
}

/** Adds `medledger validator list`, `evidence`, `ready`, `add`, `remove` and `rotate`. */
export function addValidatorCommand(program: Command): void {
  const validator = program.command('validator').description('seats of the validators: show, ask for, give and take');
  const withNode = (command: Command) =>
    command.requiredOption('--node <url>', 'API of a node').option('--json', 'print the result as JSON');
  const withSigners = (command: Command) =>
    withNode(command).requiredOption('--sign <files...>', 'key files of those who approve: members, and the regulator');
  withNode(validator.command('list').description('list the keys that are or were validators')).action(list);
  withNode(validator.command('evidence').description('list validators that signed two statements for one slot')).action(
    evidence,
  );
  withNode(validator.command('ready').description("sign with a new node's key that it can take a seat"))
    .requiredOption('--data <folder>', 'data folder of the node that is to become a validator; --node is its own API')
    .requiredOption('--out <file>', 'file to write for the members')
    .option('--replaces <key>', 'validator key whose seat it takes over; without it the seat is a new one')
    .option('--address <multiaddress...>', 'where the other validators reach it, at most four', [])
    .action(ready);
  withSigners(validator.command('add').description('give a seat to a node that said it is ready'))
    .argument('<ready-file>', 'what "validator ready" wrote')
    .action(add);
  withSigners(validator.command('rotate').description('give the seat of a validator to its new key'))
    .argument('<ready-file>', 'what "validator ready --replaces" wrote')
    .action(rotate);
  withSigners(validator.command('remove').description('take the seat of a validator away'))
    .argument('<key>', 'validator key, hexadecimal')
    .action(remove);
}

async function list({ node, json }: NodeFlags): Promise<void> {
  const view = await connect(node, await readLedger(node, undefined), null).validators();
  const rows = view.validators.map(({ publicKey, organisation, fromHeight, untilHeight }) => [
    publicKey,
    organisation,
    String(fromHeight),
    untilHeight === null ? '' : String(untilHeight),
  ]);
  const { count, height, quorum } = view;
  const head = `${count} validators at height ${height}; ${quorum} agree, ${view.faultyMax} may be faulty`;
  makeOutput(json === true).result(view, `${head}\n\n${formatTable(['key', 'organisation', 'from', 'until'], rows)}`);
}

async function evidence({ node, json }: NodeFlags): Promise<void> {
  const view = await connect(node, await readLedger(node, undefined), null).evidence();
  const rows = view.evidence.map(({ accused, statement, height, view: slotView, recordedAt }) => [
    accused,
    statement,
    String(height),
    String(slotView),
    String(recordedAt),
  ]);
  const table = formatTable(['key', 'statement', 'height', 'view', 'recorded at'], rows);
  makeOutput(json === true).result(view, rows.length === 0 ? 'no evidence against any validator' : table);
}

async function ready({ node, data, out, replaces, address, json }: ReadyFlags): Promise<void> {
  const identity = readFolderIdentity(data);
  const ledger = await readLedger(node, identity.genesisDocument);
  const client = connect(node, ledger, null);
  const status = await client.status();
  if (!status.ready)
    throw new OperatorError(`The node at ${node} is not ready: wait until it has caught up (/readyz).`);
  const organisation =
    replaces === undefined ? identity.organisationKey?.address : seatOf(await client.validators(), replaces);
  if (organisation === undefined)
    throw new OperatorError(`${data} has no keys/organisation.json: it says whose seat it is to be.`);
  const { signer } = identity;
  const { height } = status;
  const replaced = replaces === undefined ? null : fromHex(replaces);
  const signature = signReadiness(signer, ledger.genesisHash, { organisation, replaces: replaced, height });
  const file: ReadyFile = {
    type: 'medledger-ready',
    genesisHash: toHex(ledger.genesisHash),
    publicKey: toHex(signer.publicKey),
    organisation: formatAddress(organisation),
    replaces: replaces ?? null,
    addresses: [...address],
    height,
    signature: toHex(signature),
  };
  writeReadyFile(out, file);
  makeOutput(json === true).result(file, path.resolve(out));
}

async function add(file: string, flags: ChangeFlags): Promise<void> {
  await change(flags, ({ genesisHash }, { count }) => {
    const { replaces, ...seat } = readReadyFile(file, genesisHash);
    if (replaces !== null) throw new OperatorError(`${file} takes over a seat: use "medledger validator rotate".`);
    return { action: validatorAdd(seat, count), countAfter: count + 1 };
  });
}

async function rotate(file: string, flags: ChangeFlags): Promise<void> {
  await change(flags, ({ genesisHash }, { count }) => {
    const { publicKey, replaces, addresses, ready: word } = readReadyFile(file, genesisHash);
    if (replaces === null)
      throw new OperatorError(`${file} asks for a seat of its own: use "medledger validator add".`);
    const action = validatorRotate({ publicKey: replaces, newPublicKey: publicKey, addresses, ready: word });
    return { action, countAfter: count };
  });
}

async function remove(key: string, flags: ChangeFlags): Promise<void> {
  await change(flags, (_, view) => {
    seatOf(view, key);
    if (view.count < 2) throw new OperatorError('This is the only validator: without it the ledger would stand still.');
    return { action: validatorRemove(fromHex(key), view.count), countAfter: view.count - 1 };
  });
}

/** Whose seat the key has. Throws an OperatorError when it is no validator's. */
function seatOf({ validators, height }: ValidatorsView, key: string): Uint8Array {
  const found = validators.find(({ publicKey }) => publicKey === key);
  if (found !== undefined && (found.untilHeight === null || found.untilHeight > height))
    return parseAddress(found.organisation);
  throw new OperatorError(`${key} is no validator key at height ${height}: see "medledger validator list".`);
}

type Plan = (ledger: Ledger, view: ValidatorsView) => { readonly action: Action; readonly countAfter: number };

/** Signs a change with the keys at hand, sends it and waits for its block; says what it does to f before and after. */
async function change({ node, sign, json }: ChangeFlags, plan: Plan): Promise<void> {
  const output = makeOutput(json === true);
  const signers = sign.map((file) => readKeyFile(file, undefined).identity);
  const ledger = await readLedger(node, undefined);
  const client = connect(node, ledger, null);
  const view = await client.validators();
  const { action, countAfter } = plan(ledger, view);
  const before = view.faultyMax;
  const after = faultyMax(countAfter);
  if (after < before)
    output.note(`This lowers the number of faulty validators that the ledger bears: ${before} to ${after}.`);
  const body = transactionBody(action, { validUntilMs: validUntilMs(ledger), salt: drawSalt(), attachment: null });
  const transaction = signTransaction(ledger.genesisHash, body, signers, null);
  const { height } = committedAt(await send(client, transaction));
  const fromHeight = height + HEIGHTS_TO_FORCE;
  const result = {
    height,
    fromHeight,
    validators: { before: view.count, after: countAfter },
    faultyMax: { before, after },
  };
  output.result(
    { action: action.kind, txId: toHex(transaction.txId), ...result },
    `committed in block ${height}, in force from height ${fromHeight}: ` +
      `${view.count} to ${countAfter} validators, of which ${before} to ${after} may be faulty`,
  );
}
