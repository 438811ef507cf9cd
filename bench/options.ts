import { parseArgs } from 'node:util';
import { DEFAULT_PARAMETERS } from '../src/ledger/parameters.ts';
import { type ConsensusOptions, readConsensusOptions } from './consensus/options.ts';
import type { IngestOptions } from './ingest.ts';
import type { Line } from './load/messages.ts';
import { checkedNumber, risingNumbers, someOf } from './option-values.ts';
import type { RetrievalOptions } from './retrieval.ts';

export const HELP = `npm run bench -- ingest [options]     committed transactions/s and latency at rising rates
npm run bench -- retrieval [options]  lookups and combined queries in a filled ledger
npm run bench -- consensus [options]  what agreement costs: size, crash, one down, flood, catch-up
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
consensus:
  --parts LIST        of size,crash,down,flood,catch-up
  --sizes LIST        validators of the networks of size, rising (4,7,10,13)
  --repeats N, --interval S, --ramp S, --warm-up S   as for ingest, of each size
  --rate N            planned transactions/s of the full load at 4 nodes (600); n nodes are offered 4/n of it
  --low-rate N        of the low load: latency by size, and beside crashes and the flood (20)
  --crashes N         kills that take the primary's turn (20)
  --seconds S         of each phase of down, and of the flood (60)
  --flood-rate N      frames/s to each of the flooded nodes (2000)
  --blocks N          made while a node is away (500)
retrieval:
  --records N         records to load (100000)
`;

/** What the command line asks for. */
export type BenchRequest =
  | { readonly kind: 'ingest'; readonly options: IngestOptions }
  | { readonly kind: 'consensus'; readonly options: ConsensusOptions }
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
      parts: text,
      sizes: text,
      rate: text,
      'low-rate': text,
      crashes: text,
      seconds: text,
      'flood-rate': text,
      blocks: text,
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
          lines: someOf('lines', values.lines, LINES),
          rates: risingNumbers('rates', values.rates, quick ? QUICK_RATES : RATES),
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
    case 'consensus':
      return { kind: 'consensus', options: { ...common, ...readConsensusOptions(values, quick) } };
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
