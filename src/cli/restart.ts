import path from 'node:path';
import type { Command } from 'commander';
import { equalBytes, fromHex, toHex } from '../codec/bytes.ts';
import { parseAddress } from '../crypto/address.ts';
import { readLedgerStart } from '../ledger/ledger-start.ts';
import { encodeRestart, type RestartFile, type RestartSeat, restartPreimage } from '../ledger/restart.ts';
import { restartDocumentFault } from '../ledger/restart-check.ts';
import { proposeRestart } from '../ledger/restart-proposal.ts';
import { FAMILIES } from '../ledger/state.ts';
import { StateOverlay, type StateView } from '../ledger/state-overlay.ts';
import { OperatorError } from '../node/operator-error.ts';
import { applyRestart, withEndedLedger } from '../node/restart-data.ts';
import { SIGNATURE_CHECKS } from '../node/signature-checks.ts';
import { readKeyFile } from './key-folder.ts';
import { makeOutput } from './output.ts';
import { describeRestart, type RestartView, readRestartFile, restartView, writeRestartFile } from './restart-file.ts';

interface JsonFlags {
  readonly json?: true;
}

interface ProposeFlags extends JsonFlags {
  readonly data: string;
  readonly validator: readonly string[];
  readonly suspend: readonly string[];
  readonly out: string;
}

interface SignFlags extends JsonFlags {
  readonly sign: readonly string[];
  readonly data?: string;
}

/** A document from further ahead is not signed: the ledger would stand still until then. */
const CLOCK_AHEAD_MS_MAX = 10 * 60_000;

/** Adds `medledger restart propose`, `sign`, `show` and `apply`. */
export function addRestartCommand(program: Command): void {
  const restart = program
    .command('restart')
    .description('go on after more than f hospitals were lost for good, from the last certified block');
  const add = (command: Command) => command.option('--json', 'print the result as JSON');
  add(restart.command('propose').description('write the restart of the ledger from where a stopped node stands'))
    .requiredOption('--data <folder>', 'data folder of a stopped node that holds the highest certified block')
    .requiredOption(
      '--validator <seats...>',
      'each validator of the new ledger: its key, and for a key that has no seat yet KEY=ORGANISATION[,MULTIADDR...]',
    )
    .option('--suspend <organisations...>', 'addresses of the organisations that are lost', [])
    .requiredOption('--out <file>', 'file to write for the members')
    .action(propose);
  add(restart.command('sign').description('sign a restart; each member does, one after the other'))
    .argument('<file>', 'what "restart propose" wrote; the signatures are added to it')
    .requiredOption('--sign <files...>', 'key files of members, and of the regulator')
    .option('--data <folder>', 'data folder of the own stopped node, against which the restart is checked first')
    .action(sign);
  add(restart.command('show').description('say what a restart changes, and who has signed it'))
    .argument('<file>', 'the restart')
    .option(
      '--data <folder>',
      "data folder of a stopped node of the old ledger: says who is missing, by the ledger's state",
    )
    .action(show);
  add(restart.command('apply').description("let the ledger in a stopped node's folder go on as a restart says"))
    .argument('<file>', 'the restart, signed by all who must')
    .requiredOption('--data <folder>', "the node's data folder")
    .action(apply);
}

async function propose({ data, validator, suspend, out, json }: ProposeFlags): Promise<void> {
  const view = await withEndedLedger(data, (ended, genesisFile) => {
    const state = new StateOverlay(ended.state.reader);
    const terms = {
      validators: validator.map((text) => readSeat(text, state)),
      suspended: suspend.map(parseAddress),
      createdMs: Date.now(),
    };
    const proposal = proposeRestart(ended, genesisFile, terms, SIGNATURE_CHECKS);
    if (proposal.kind === 'fault') throw new OperatorError(`The ledger can not be restarted so: ${proposal.fault}.`);
    const file: RestartFile = { ...proposal.document, signatures: [] };
    writeRestartFile(out, file, true);
    return restartView(encodeRestart(file), ended);
  });
  makeOutput(json === true).result(view, `${describeRestart(view)}\n\n${path.resolve(out)}`);
}

async function sign(file: string, { sign: keyFiles, data, json }: SignFlags): Promise<void> {
  const { encoded, restart } = readRestartFile(file);
  const { before } = readLedgerStart(encoded);
  if (restart.createdMs > Date.now() + CLOCK_AHEAD_MS_MAX)
    throw new OperatorError(
      `${file} is of ${new Date(restart.createdMs).toISOString()}, ahead of this clock: no block would be made ` +
        'before. Set the clock right, or have the restart proposed again.',
    );
  if (data !== undefined)
    await withEndedLedger(data, (ended) => {
      const isThis = before !== undefined && equalBytes(before.genesisHash, ended.start.genesisHash);
      const fault = isThis ? restartDocumentFault(restart, ended, SIGNATURE_CHECKS) : 'it restarts another ledger';
      if (fault !== undefined) throw new OperatorError(`${file} is not signed: ${fault}.`);
    });
  const preimage = restartPreimage(before!.genesisHash, restart);
  const signatures = new Map(restart.signatures.map((one) => [`${toHex(one.account)} ${one.keyIndex}`, one]));
  for (const keyFile of keyFiles) {
    const { address, signers } = readKeyFile(keyFile, undefined).identity;
    for (const { keyIndex, signer } of signers)
      signatures.set(`${toHex(address)} ${keyIndex}`, { account: address, keyIndex, bytes: signer.sign(preimage) });
  }
  const signed: RestartFile = { ...restart, signatures: [...signatures.values()] };
  writeRestartFile(file, signed, false);
  const view = restartView(encodeRestart(signed), undefined);
  makeOutput(json === true).result(view, describeRestart(view));
}

async function show(file: string, { data, json }: JsonFlags & { readonly data?: string }): Promise<void> {
  const { encoded } = readRestartFile(file);
  const view: RestartView =
    data === undefined
      ? restartView(encoded, undefined)
      : await withEndedLedger(data, (ended) => restartView(encoded, ended));
  makeOutput(json === true).result(view, describeRestart(view));
}

async function apply(file: string, { data, json }: JsonFlags & { readonly data: string }): Promise<void> {
  const { encoded } = readRestartFile(file);
  const { parent, genesisHash } = readLedgerStart(encoded);
  const { wasApplied, maySign } = await applyRestart(data, encoded);
  const output = makeOutput(json === true);
  if (!maySign)
    output.note(
      'No sound journal was there: the node stays silent until other validators have shown where they stand. In a ' +
        'ledger of one or two validators it stays so; give it a new key instead.',
    );
  const result = { genesisHash: toHex(genesisHash), height: parent.height, wasApplied, maySign };
  const text = wasApplied
    ? `the folder is of the ledger ${result.genesisHash} already`
    : `the ledger goes on after block ${parent.height} as ${result.genesisHash}: start the node, and put the restart ` +
      'file in place of genesis.cbor in key folders';
  output.result(result, text);
}

/** `KEY` of a seat that goes on, or `KEY=ORGANISATION[,MULTIADDR...]` of a new one. */
function readSeat(text: string, state: StateView): RestartSeat {
  const [key = '', rest] = text.split('=', 2);
  if (!/^[0-9a-f]{64}$/.test(key))
    throw new OperatorError(`${text} is no seat: write KEY, or KEY=ORGANISATION,MULTIADDR for a key without one.`);
  const publicKey = fromHex(key);
  if (rest !== undefined) {
    const [organisation = '', ...addresses] = rest.split(',');
    return { publicKey, organisation: parseAddress(organisation), addresses };
  }
  const tenure = state.read(FAMILIES.tenure, publicKey);
  if (tenure !== undefined) return { publicKey, organisation: tenure.organisation, addresses: [] };
  throw new OperatorError(`${key} has no seat so far: say whose it is, as ${key}=ORGANISATION,MULTIADDR.`);
}
