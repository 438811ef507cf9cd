import type { Command } from 'commander';
import { RECORDS_PAGE_MAX } from '../api/contract/endpoints.ts';
import type { RecordPageView } from '../api/contract/schemas.ts';
import type { RecordSearch } from '../client/node-client.ts';
import { formatAddress } from '../crypto/address.ts';
import { readWhole } from './options.ts';
import { formatTable, makeOutput } from './output.ts';
import { openSession, type SessionFlags } from './session.ts';

interface QueryFlags extends SessionFlags {
  readonly patient?: string;
  readonly author?: string;
  readonly organisation?: string;
  readonly kind?: string;
  readonly code?: string;
  readonly department?: string;
  readonly region?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly json?: true;
}

type Hit = RecordPageView['records'][number];

/** Adds `medledger query`: searches records. */
export function addQueryCommand(program: Command): void {
  program
    .command('query')
    .description('search records by any combination of fields; all that match unless --limit says fewer')
    .requiredOption('--node <url>', 'API of a node of the organisation')
    .requiredOption('--keys <folder>', 'key folder')
    .requiredOption('--as <name>', 'account that asks: an organisation, or one of its doctors or patients')
    .option('--patient <name>', 'address, or name in the key folder')
    .option('--author <name>', 'address, or name in the key folder')
    .option('--organisation <name>', 'address, or name in the key folder')
    .option('--kind <kind>', 'kind of record, such as Observation')
    .option('--code <code>', 'system|code')
    .option('--department <name>', 'department')
    .option('--region <name>', 'region')
    .option('--from <date>', 'first date, inclusive, such as 2024 or 2024-05-31')
    .option('--to <date>', 'last date, inclusive')
    .option('--limit <count>', 'most records to show', readWhole(1, 1_000_000_000))
    .option('--json', 'print the records as JSON')
    .action(query);
}

async function query(flags: QueryFlags): Promise<void> {
  const { keys, holder, client } = await openSession(flags);
  const { kind, code, department, region, from, to } = flags;
  // Patients see their own records and no others.
  const own = holder.role === 'patient' ? formatAddress(holder.identity.address) : undefined;
  const addresses = { patient: flags.patient ?? own, author: flags.author, organisation: flags.organisation };
  const search: RecordSearch = Object.fromEntries([
    ...Object.entries({ kind, code, department, region, from, to }).filter(([, value]) => value !== undefined),
    ...Object.entries(addresses).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, formatAddress(keys.address(value))]],
    ),
  ]);
  const records: Hit[] = [];
  let page: RecordPageView | undefined;
  const wanted = flags.limit ?? Number.POSITIVE_INFINITY;
  while (records.length < wanted && page?.cursor !== null) {
    const limit = Math.min(RECORDS_PAGE_MAX, wanted - records.length);
    page = await client.records({ ...search, limit, ...(page !== undefined && { cursor: page.cursor }) });
    records.push(...page.records);
  }
  const { indexedFrom, indexedHeight, scope, cursor } = page!;
  const table = formatTable(
    ['date', 'kind', 'title', 'department', 'region', 'patient', 'record', 'version'],
    records.map(({ fields, patient, recordId, version }) => [
      fields?.date ?? '',
      fields?.kind ?? '(sealed)',
      fields?.title ?? '',
      fields?.department ?? '',
      fields?.region ?? '',
      keys.nameOf(patient) ?? patient,
      recordId,
      version,
    ]),
  );
  const more = cursor === null ? '' : '; there are more';
  const text = `${table}\n\n${records.length} records, of heights ${indexedFrom} to ${indexedHeight}${more}`;
  makeOutput(flags.json === true).result(
    { records, indexedFrom, indexedHeight, scope, complete: cursor === null },
    text,
  );
}
