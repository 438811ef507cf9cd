import type { Command } from 'commander';
import type { NodeStatusView } from '../api/contract/schemas.ts';
import { connect, readLedger } from './connect.ts';
import { formatTable, makeOutput } from './output.ts';

/** Adds `medledger status`: where a node and its ledger stand. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show where a node and its ledger stand')
    .requiredOption('--node <url>', 'API of the node')
    .option('--json', 'print the status as JSON')
    .action(async (flags: { readonly node: string; readonly json?: true }) => {
      const ledger = await readLedger(flags.node, undefined);
      const status = await connect(flags.node, ledger, null).status();
      makeOutput(flags.json === true).result(status, formatStatus(status));
    });
}

function formatStatus(status: NodeStatusView): string {
  const facts: readonly (readonly [string, string | number])[] = [
    ['ledger', `${status.ledger} (${status.genesisHash})`],
    ['organisation', `${status.organisation.name} (${status.organisation.address})`],
    ['validator', status.validator === null ? 'no' : `${status.validator} of ${status.validators}`],
    ['ready', status.ready ? 'yes' : 'no'],
    ['height', String(status.height)],
    ['view', String(status.view)],
    ['block hash', status.tipHash],
    ['state root', status.stateRoot],
    ['block time', timeText(status.timestampMs)],
    ['transactions', `${status.transactionsCommitted} committed, ${status.transactionsPending} pending`],
    ['blocks held from', String(status.historyFrom)],
    ['searchable up to', String(status.indexedHeight)],
    ['version', status.version],
    ['up since', timeText(status.upSinceMs)],
  ];
  const peers = status.peers.map(({ validator, name, connected, height, view }) => [
    validator,
    name,
    connected ? 'yes' : 'no',
    height,
    view,
  ]);
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return [...lines, '', formatTable(['validator', 'name', 'connected', 'height', 'view'], peers)].join('\n');
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
