import type { BytesByKind } from './disk-bytes.ts';
import { median } from './latency.ts';
import type { Section } from './report/report.ts';
import { type BenchResult, environmentNotes, type Measurement } from './results.ts';
import type { RetrievalRaw } from './retrieval.ts';
import { HITS_MAX } from './retrieval-questions.ts';
import type { Timing } from './timing.ts';

const PERCENTILES = ['p50', 'p95', 'p99', 'max'] as const;

/** The figures of a run that runs are compared by. */
export function retrievalMeasurements(raw: RetrievalRaw): readonly Measurement[] {
  const timed = timingsOf(raw).flatMap(({ name, repeats }) =>
    (['p50', 'p95', 'p99'] as const).map((percentile) => ({
      name: `${name}: ${percentile}`,
      unit: 'ms',
      better: 'lower' as const,
      values: repeats.map((latencies) => latencies[percentile]),
    })),
  );
  const bytes = Object.entries(raw.disk).map(([kind, size]) => ({
    name: `disk per record: ${kind}`,
    unit: 'bytes',
    better: 'lower' as const,
    values: [size / raw.records],
  }));
  const lower = (name: string, unit: string, value: number) => ({
    name,
    unit,
    better: 'lower' as const,
    values: [value],
  });
  return [
    ...timed,
    ...bytes,
    lower('opening the data of a stopped node', 's', raw.direct.openSeconds),
    { name: 'loading', unit: 'records/s', better: 'higher', values: [raw.records / raw.fillSeconds] },
  ];
}

function timingsOf({ http, direct, madeUpBlock }: RetrievalRaw): readonly Timing[] {
  return [...http, ...direct.timings, madeUpBlock];
}

/** The report of a run. */
export function retrievalSections(result: BenchResult, raw: RetrievalRaw): readonly Section[] {
  const { records, fillSeconds, indexLagSeconds, direct } = raw;
  const byState = direct.timings[0]?.repeats.map(({ p50 }) => p50) ?? [];
  const ratio = (direct.scanSeconds * 1_000) / median(byState);
  const rows = timingsOf(raw).map(({ name, repeats }) => [
    name,
    repeats[0]?.count ?? 0,
    ...PERCENTILES.map((percentile) => median(repeats.map((latencies) => latencies[percentile]))),
  ]);
  return [
    {
      title: 'Retrieval: how it was measured',
      notes: [
        ...environmentNotes(result),
        `${records} records with attachments, all of the first node's organisation, which opens and indexes their ` +
          `search fields; loaded through all four nodes in ${fillSeconds.toFixed(1)} s ` +
          `(${Math.round(records / fillSeconds)}/s, sealing by the client included). The search index was complete ` +
          `${indexLagSeconds.toFixed(1)} s after the last commit.`,
        'Questions are asked one after another by one client, while nothing else is asked of the nodes: these are ' +
          'service times, not latencies under load. Every answer is checked: the record asked for, the number of hits.',
        `Over HTTP: signed requests of the organisation to its node, which re-reads and verifies each hit. Direct: the ` +
          `same on the data of the stopped node, opened in the client's process; each hit is confirmed by reading and ` +
          `decoding its transaction. Combined queries find 1 to ${HITS_MAX} records.`,
      ],
      tables: [],
      plots: [],
    },
    {
      title: 'Retrieval: times',
      notes: [
        `Opening the stopped node's data, the state's tree rebuilt and its root checked: ${direct.openSeconds.toFixed(2)} s ` +
          `for ${direct.blocks} blocks with ${direct.transactions} transactions. Searching all of them for one record ` +
          `without an index takes ${direct.scanSeconds.toFixed(2)} s, ${Math.round(ratio)} times as long as the median ` +
          `lookup through the state.`,
      ],
      tables: [{ title: 'Milliseconds, medians of the repeats', columns: ['what', 'count', ...PERCENTILES], rows }],
      plots: [
        {
          title: 'Distribution of times',
          xLabel: 'percentile',
          yLabel: 'milliseconds',
          isLogarithmic: true,
          series: timingsOf(raw).map(({ label, repeats }) => ({
            name: label,
            points: (['p50', 'p95', 'p99'] as const).map((percentile) => [
              Number(percentile.slice(1)),
              median(repeats.map((latencies) => latencies[percentile])),
            ]),
          })),
        },
      ],
    },
    {
      title: 'Disk of one node',
      notes: [`Per record of ${records}; registrations and blocks are included.`],
      tables: [
        diskTable('Files', raw.disk, records),
        diskTable('Keys and values in the ledger store, before compression', raw.stored, records),
      ],
      plots: [],
    },
  ];
}

function diskTable(title: string, bytes: BytesByKind, records: number) {
  const sorted = Object.entries(bytes).sort((a, b) => b[1] - a[1]);
  const all = sorted.reduce((sum, [, size]) => sum + size, 0);
  const rows = [...sorted, ['all', all] as const].map(([kind, size]) => [kind, size, size / records]);
  return { title, columns: ['kind', 'bytes', 'bytes/record'], rows };
}
