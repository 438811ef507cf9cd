import { parseArgs } from 'node:util';
import { DEFAULT_PARAMETERS } from '../src/ledger/parameters.ts';
import type { IngestOptions } from './ingest.ts';
import type { Line } from './load/messages.ts';
import type { RetrievalOptions } from './retrieval.ts';

export const HELP = `npm run bench -- ingest [options]     committed transactions/s and latency at rising rates
npm run bench -- retrieval [options]  lookups and combined queries in a filled ledger
npm run bench -- compare A B          two results, by their folders

  --quick             short intervals and few rates: to see that it works, not to publish
  --seed N            of the load plan and of made-up content
  --port N            API port of the first node (9400); the others follow, see "medledger testnet"
  --folder DIR        where the data folders are made; its disk is what is measured
  --keep              leave the data folders
ingest:
  --lines LIST        of action,attachment,payload
  --rates LIST        planned transactions/s, rising
  --repeats N         of each rate (5)
  --beyond N          rates measured that are not sustained, before a line ends (2)
  --interval S        measured seconds of each repeat; --ramp S before them, not measured
  --warm-up S         before each line, at 500/s
  --collect-ms MS     longest collecting into one request (5); --collect-max N transactions (200)
  --nodes N             validators, each a process (4)
  --block-max N       blockTransactionsMax in the genesis, to see what the size of blocks does
  --profile           CPU profile of the first node
retrieval:
  --records N         records to load (100000)
`;

/** What the command line asks for. */
export type BenchRequest =
  | { readonly kind: 'ingest'; readonly options: IngestOptions }
  | { readonly kind: 'retrieval'; readonly options: RetrievalOptions }
  | { readonly kind: 'compare'; readonly a: string; readonly b: string }
  | { readonly kind: 'help'; readonly fault: string | undefined };

const LINES: readonly Line[] = ['action', 'attachment', 'payload'];
const RATES = [100, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_500, 3_000, 4_000, 5_000];
const QUICK_RATES = [100, 500, 1_000, 1_500, 2_000];

/** Reads the command line; what can not be read is answered with the help and the fault. */
export function readOptions(args: readonly string[]): BenchRequest {
  try {
    return read(args);
  } catch (error) {
    return { kind: 'help', fault: (error as Error).message };
  }
}

function read(args: readonly string[]): BenchRequest {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: flag,
      quick: flag,
      keep: flag,
      profile: flag,
      seed: text,
      port: text,
      folder: text,
      lines: text,
      rates: text,
      repeats: text,
      beyond: text,
      interval: text,
      ramp: text,
      'warm-up': text,
      'collect-ms': text,
      'collect-max': text,
      records: text,
      nodes: text,
      'block-max': text,
    },
  });
  const [name, ...rest] = positionals;
  if (values.help || name === undefined) return { kind: 'help', fault: undefined };
  const number = (
    option: 'seed' | 'port' | 'nodes' | 'repeats' | 'beyond' | 'interval' | 'ramp' | 'records',
    usual: number,
  ) => checkedNumber(option, values[option], usual);
  const common = {
    seed: number('seed', 1),
    port: number('port', 9_400),
    folder: values.folder,
    isKept: values.keep,
  };
  const { quick } = values;
  switch (name) {
    case 'ingest':
      return {
        kind: 'ingest',
        options: {
          ...common,
          lines: linesOf(values.lines),
          rates: ratesOf(values.rates, quick ? QUICK_RATES : RATES),
          unsustainedRates: number('beyond', 2),
          repeats: number('repeats', 5),
          rampMs: 1_000 * number('ramp', quick ? 0.5 : 2),
          intervalMs: 1_000 * number('interval', quick ? 1.5 : 10),
          warmUpMs: 1_000 * checkedNumber('warm-up', values['warm-up'], quick ? 4 : 20),
          warmUpRate: 500,
          collectMs: checkedNumber('collect-ms', values['collect-ms'], 5),
          collectMax: checkedNumber('collect-max', values['collect-max'], 200),
          singleRateMax: 100,
          patientsPerNode: quick ? 50 : 500,
          nodes: number('nodes', 4),
          blockTransactionsMax: checkedNumber(
            'block-max',
            values['block-max'],
            DEFAULT_PARAMETERS.blockTransactionsMax,
          ),
          isProfiled: values.profile,
        },
      };
    case 'retrieval':
      return {
        kind: 'retrieval',
        options: {
          ...common,
          records: number('records', quick ? 2_000 : 100_000),
          lookups: quick ? 500 : 5_000,
          queries: quick ? 200 : 2_000,
          warmUps: quick ? 100 : 1_000,
          repeats: number('repeats', 5),
          patients: quick ? 50 : 1_000,
        },
      };
    case 'compare': {
      const [a, b] = rest;
      if (a === undefined || b === undefined || rest.length > 2) throw new Error('compare takes two results');
      return { kind: 'compare', a, b };
    }
    default:
      throw new Error(`no benchmark is called "${name}"`);
  }
}

function checkedNumber(option: string, value: string | undefined, usual: number): number {
  if (value === undefined) return usual;
  const read = Number(value);
  if (!(read > 0) || !Number.isFinite(read)) throw new Error(`--${option} takes a number above 0, not "${value}"`);
  return read;
}

function linesOf(value: string | undefined): readonly Line[] {
  if (value === undefined) return LINES;
  return value.split(',').map((name) => {
    const line = LINES.find((known) => known === name);
    if (line === undefined) throw new Error(`--lines takes ${LINES.join(', ')}, not "${name}"`);
    return line;
  });
}

function ratesOf(value: string | undefined, usual: readonly number[]): readonly number[] {
  if (value === undefined) return usual;
  const rates = value.split(',').map((rate) => checkedNumber('rates', rate, 0));
  if (rates.some((rate, place) => place > 0 && rate <= rates[place - 1]!))
    throw new Error('--rates takes rising rates');
  return rates;
}
