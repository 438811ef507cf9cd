import { latenciesOf } from '../latency.ts';
import type { CrashRaw, CrashRepeat } from './crash.ts';
import type { ConsensusOptions } from './options.ts';
import { clientNote, figure, type PartReport, partReport } from './part-report.ts';
import { judge } from './verdict.ts';

/** What the first commit may take beyond T0. */
const BEYOND_T0_MS = 1_000;

/** What the kills cost. */
export function crashReport({ repeats, viewTimeoutMs, client }: CrashRaw, options: ConsensusOptions): PartReport {
  const taken = repeats.filter(({ tookTurn }) => tookTurn);
  const times = (of: (repeat: CrashRepeat) => number) => taken.map(of);
  const transactionMs = times(({ firstTransactionMs }) => firstTransactionMs);
  const blockMs = times(({ firstBlockMs }) => firstBlockMs);
  const row = (name: string, valuesMs: readonly number[]) => {
    const { count, p50, p99, max } = latenciesOf(valuesMs.map((ms) => ms * 1_000));
    return [name, count, p50, p99, max];
  };
  const p99 = taken.length === 0 ? Number.NaN : latenciesOf(transactionMs.map((ms) => ms * 1_000)).p99;
  const what = 'p99 from the kill of a primary to the first commit of a later transaction';
  return partReport(
    'First commit after the crash of a primary',
    [judge(what, p99, 'ms', 'atMost', viewTimeoutMs + BEYOND_T0_MS)],
    [
      figure('first transaction after a crash', 'ms', 'lower', transactionMs),
      figure('first block after a crash', 'ms', 'lower', blockMs),
    ],
    {
      notes: [
        `Four nodes under ${options.lowRate} transactions/s. Before each kill all validators have been primary in turn, ` +
          'twice round, so none is being passed over. At a random moment the primary of the height after the highest ' +
          'that any node has told of gets SIGKILL. "First transaction": from just before the signal to the answer of a ' +
          'surviving node that a transaction planned after the kill is committed. "First block": to the event of a ' +
          'surviving node for the block of that height. No transaction goes to the killed node meanwhile; it comes back ' +
          'and catches up before the next kill.',
        `Counted are the ${taken.length} of ${repeats.length} kills that took the primary’s turn: the block of its ` +
          'height is certified in a view above 0. In the others its block was agreed on in view 0, as good as decided ' +
          `when it died. T0 is ${viewTimeoutMs} ms.` +
          (taken.length < options.crashes ? ` Asked for were ${options.crashes}: too few kills hit.` : ''),
        `With ${taken.length} values the 99th percentile is ${taken.length < 100 ? 'the longest of them' : 'one of them'}.`,
        clientNote([client.state]),
      ],
      tables: [
        {
          title: 'From the kill, milliseconds',
          columns: ['to the', 'kills', 'p50', 'p99', 'max'],
          rows: [row('first transaction', transactionMs), row('first block', blockMs)],
        },
        {
          title: 'Every kill',
          columns: ['kill', 'node', 'height', 'view', 'counted', 'transaction ms', 'block ms', 'back after s'],
          rows: repeats.map((repeat, place) => [
            String(place + 1),
            repeat.victim,
            repeat.dueHeight,
            repeat.dueView,
            repeat.tookTurn ? 'yes' : 'no',
            repeat.firstTransactionMs,
            repeat.firstBlockMs,
            repeat.restartMs / 1_000,
          ]),
        },
      ],
    },
  );
}
