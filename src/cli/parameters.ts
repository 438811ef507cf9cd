import type { Command } from 'commander';
import type { ParametersView } from '../api/contract/schemas.ts';
import { drawSalt, parametersSet, signTransaction, transactionBody } from '../client/build-transaction.ts';
import { toHex } from '../codec/bytes.ts';
import { changeFault, versionFault } from '../ledger/actions/parameters-set.ts';
import { PARAMETER_NAMES, type Parameters } from '../ledger/parameters.ts';
import { HEIGHTS_TO_FORCE } from '../ledger/slots.ts';
import { OperatorError } from '../node/operator-error.ts';
import { connect, readLedger } from './connect.ts';
import { readKeyFile } from './key-folder.ts';
import { formatTable, makeOutput } from './output.ts';
import { addParameter } from './parameter-option.ts';
import { committedAt, send, validUntilMs } from './session.ts';

interface NodeFlags {
  readonly node: string;
  readonly json?: true;
}

/** Adds `medledger parameters show` and `set`. */
export function addParametersCommand(program: Command): void {
  const parameters = program.command('parameters').description('what all nodes go by: show and change');
  const withNode = (command: Command) =>
    command.requiredOption('--node <url>', 'API of a node').option('--json', 'print the result as JSON');
  withNode(parameters.command('show').description('show the parameters in force, and those scheduled')).action(show);
  withNode(parameters.command('set').description('change parameters, in force two heights after the block'))
    .argument('<name=value...>', 'new values; the other parameters stay as they are', addAll)
    .requiredOption('--sign <files...>', 'key files of those who approve: members, and the regulator')
    .action(set);
}

/** Commander hands the words over one by one. */
function addAll(word: string, before: unknown): Partial<Parameters> {
  return addParameter(word, (before as Partial<Parameters> | undefined) ?? {});
}

async function show({ node, json }: NodeFlags): Promise<void> {
  const view = await connect(node, await readLedger(node, undefined), null).parameters();
  const { current, scheduled, height } = view;
  const rows = PARAMETER_NAMES.map((name) => [name, String(current[name]), changedValue(view, name)]);
  const columns = ['parameter', `height ${height}`, scheduled === null ? '' : `from ${height + 1}`];
  const head = `protocol version ${view.protocolVersion}, this node knows ${view.newestVersion}`;
  const text = [head, ...warning(view), '', formatTable(columns, rows)].join('\n');
  makeOutput(json === true).result(view, text);
}

function changedValue({ current, scheduled }: ParametersView, name: keyof Parameters): string {
  return scheduled === null || scheduled[name] === current[name] ? '' : String(scheduled[name]);
}

function warning({ updateBefore }: ParametersView): readonly string[] {
  return updateBefore === null ? [] : [`Update this node before height ${updateBefore}: it stops there.`];
}

async function set(
  change: Partial<Parameters>,
  { node, json, sign }: NodeFlags & { readonly sign: readonly string[] },
): Promise<void> {
  const output = makeOutput(json === true);
  const signers = sign.map((file) => readKeyFile(file, undefined).identity);
  const ledger = await readLedger(node, undefined);
  const client = connect(node, ledger, null);
  const view = await client.parameters();
  if (view.scheduled !== null)
    throw new OperatorError(`A change of the parameters is in flight: try again from height ${view.height + 1} on.`);
  const { current } = view;
  const wanted = { ...current, ...change };
  requireSensible(view, wanted);
  for (const name of PARAMETER_NAMES)
    if (wanted[name] !== current[name]) output.note(`${name}: ${current[name]} to ${wanted[name]}`);
  const body = transactionBody(parametersSet(current, change), {
    validUntilMs: validUntilMs(ledger),
    salt: drawSalt(),
    attachment: null,
  });
  const transaction = signTransaction(ledger.genesisHash, body, signers, null);
  const { height } = committedAt(await send(client, transaction));
  const fromHeight = height + HEIGHTS_TO_FORCE;
  output.result(
    { action: 'parameters.set', txId: toHex(transaction.txId), height, fromHeight, parameters: wanted },
    `committed in block ${height}, in force from height ${fromHeight}`,
  );
}

/** What the ledger would refuse, or what would stop the very node that is asked; in words, before anybody signs. */
function requireSensible({ current, height, newestVersion }: ParametersView, wanted: Parameters): void {
  const fault = changeFault(current, wanted) ?? versionFault(current, wanted, height);
  if (fault !== undefined) throw new OperatorError(`Nothing was sent: ${fault}.`);
  if (wanted.protocolVersion > newestVersion && wanted.protocolVersion !== current.protocolVersion)
    throw new OperatorError(
      `Nothing was sent: the node knows protocol versions up to ${newestVersion} and would stop at height ` +
        `${wanted.protocolVersionFrom}. Update it and the others first, then announce version ${wanted.protocolVersion}.`,
    );
}
