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

/** The status for people: facts, a table of the validators, and why nothing commits where nothing does. */
export function formatStatus(status: NodeStatusView): string {
  const { consensus } = status;
  const facts: readonly (readonly [string, string | number])[] = [
    ['ledger', `${status.ledger} (${status.genesisHash})`],
    ['organisation', `${status.organisation.name} (${status.organisation.address})`],
    ['validator', status.validator === null ? 'no' : `${status.validator} of ${status.validators}`],
    ['ready', status.ready ? 'yes' : 'no'],
    ['height', String(status.height)],
    ['view', `${status.view}, primary ${consensus.primaryName} (${consensus.primary}), proposal ${consensus.proposal}`],
    ['quorum', `${consensus.quorum} of ${status.validators}`],
    ['next timeout', consensus.nextTimeoutMs === null ? 'none runs' : `in ${secondsText(consensus.nextTimeoutMs)}`],
    ['last commit', consensus.lastCommitAgeMs === null ? 'none yet' : `${secondsText(consensus.lastCommitAgeMs)} ago`],
    ['evidence', `${consensus.evidence} on the ledger`],
    ['block hash', status.tipHash],
    ['state root', status.stateRoot],
    ['block time', timeText(status.timestampMs)],
    ['transactions', `${status.transactionsCommitted} committed, ${status.transactionsPending} pending`],
    ['blocks held from', String(status.historyFrom)],
    ['searchable up to', String(status.indexedHeight)],
    ['version', status.version],
    ...(status.updateBefore === null
      ? []
      : [['update before', `height ${status.updateBefore}: it stops there`] as const]),
    ['up since', timeText(status.upSinceMs)],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const explanation = consensus.explanation.length === 0 ? [] : ['', 'Nothing commits:', ...consensus.explanation];
  return [...lines, '', validatorTable(status), ...explanation].join('\n');
}

const VALIDATOR_COLUMNS = [
  'validator',
  'name',
  'connected',
  'height',
  'view',
  'prepared',
  'committed',
  'view change',
  'lag ms',
  'missed',
];

/** Each validator as this node sees it; what is not known is `-`. */
function validatorTable({ validator: own, height, view, peers, consensus }: NodeStatusView): string {
  const rows = consensus.validators.map((part) => {
    const { validator, name, connected, prepared, committed, viewChange, voteLagMs, missedHeights } = part;
    const position = validator === own ? { height, view } : peers.find((peer) => peer.validator === validator);
    return [
      validator,
      validator === own ? `${name} (this node)` : name,
      yesNo(connected),
      position?.height ?? '-',
      position?.view ?? '-',
      yesNo(prepared),
      yesNo(committed),
      viewChange ?? '-',
      voteLagMs ?? '-',
      missedHeights,
    ];
  });
  return formatTable(VALIDATOR_COLUMNS, rows);
}

function yesNo(holds: boolean): string {
  return holds ? 'yes' : 'no';
}

function secondsText(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
