import type { CatchUpRaw } from './catch-up.ts';
import type { ConsensusOptions } from './options.ts';
import { figure, type PartReport, partReport } from './part-report.ts';
import { judge } from './verdict.ts';

/** How quickly nodes came to the tip. */
export function catchUpReport({ runs, madePerSecond }: CatchUpRaw, { blocks }: ConsensusOptions): PartReport {
  const late = runs[0]!;
  return partReport(
    'Catch-up',
    [
      judge(
        'blocks caught up by a validator that was away, over those made',
        late.blocks / late.seconds,
        '/s',
        'atLeast',
        madePerSecond,
      ),
    ],
    runs.flatMap(({ name, blocks: taken, transactions, seconds }) => [
      figure(`${name}: blocks`, '/s', 'higher', [taken / seconds]),
      figure(`${name}: transactions`, '/s', 'higher', [transactions / seconds]),
    ]),
    {
      notes: [
        `A validator is killed while the others make at least ${blocks} blocks, at ${madePerSecond.toFixed(1)} blocks/s, and ` +
          'started again; then a node without a seat and with an empty folder follows by executing every block, and ' +
          'another by a snapshot of the state and the blocks after it. Nothing is submitted while they catch up. Times ' +
          'run from the first answer of the node’s interface to the tip, connecting included.',
        'The threshold is that of ever arriving: it takes blocks faster than they were made.',
      ],
      tables: [
        {
          title: 'To the tip',
          columns: ['node', 'blocks', 'transactions', 's to answer', 's to the tip', 'blocks/s', 'transactions/s'],
          rows: runs.map(({ name, blocks: taken, transactions, startSeconds, seconds }) => [
            name,
            taken,
            transactions,
            startSeconds,
            seconds,
            taken / seconds,
            transactions / seconds,
          ]),
        },
      ],
    },
  );
}
