import type { FloodPhase, FloodRaw } from './flood.ts';
import { FLOOD_KINDS } from './flood-frames.ts';
import { growthOf, type MemorySample } from './memory-growth.ts';
import type { ConsensusOptions } from './options.ts';
import { clientNote, figure, type PartReport, partReport } from './part-report.ts';
import { judge } from './verdict.ts';

/** Most that memory may grow from the first half of the flood to the second to be called flat. */
const GROWTH_MAX = 1.2;
/** Least share of the transactions planned under the flood that must commit. */
const COMMITTED_MIN = 0.95;
const MIB = 2 ** 20;

type Kind = readonly [name: string, read: (sample: MemorySample) => number];
const RESIDENT: Kind = ['resident', ({ residentBytes }) => residentBytes];
const KINDS: readonly Kind[] = [['heap', ({ heapBytes }) => heapBytes], RESIDENT];

/** What the flood did to the memory of the nodes and to their commits. */
export function floodReport(raw: FloodRaw, { phaseMs, floodRate, lowRate }: ConsensusOptions): PartReport {
  const { names, calm, flooded, liveHeap, flooder, client } = raw;
  const liveGrowth = liveHeap.endBytes / liveHeap.middleBytes;
  const growths = (phase: FloodPhase, [, read]: Kind) =>
    phase.memory.map((samples) => growthOf(samples.map((sample) => [sample.atMs, read(sample)])));
  const largest = (kind: Kind) => Math.max(...growths(flooded, kind).map(({ ratio }) => ratio));
  const committed = flooded.committed / flooded.planned;
  const rows = (phase: FloodPhase, label: string) =>
    KINDS.flatMap((kind) =>
      growths(phase, kind).map(({ firstBytes, secondBytes, ratio, slopeBytesPerSecond }, place) => {
        const name = `${names[place]}, ${kind[0]}, ${label}`;
        return [name, firstBytes / MIB, secondBytes / MIB, ratio, (60 * slopeBytesPerSecond) / MIB];
      }),
    );
  const sentPerSecond = flooder.frames / flooder.seconds;
  return partReport(
    'Memory under a flood',
    [
      judge('living heap at the end of the flood over that in its middle', liveGrowth, 'times', 'atMost', GROWTH_MAX),
      judge(
        'resident memory of the second half over the first, largest',
        largest(RESIDENT),
        'times',
        'atMost',
        GROWTH_MAX,
      ),
      judge('transactions of others that committed', 100 * committed, '%', 'atLeast', 100 * COMMITTED_MIN),
    ],
    [
      figure('living heap, end over middle of the flood', 'times', 'lower', [liveGrowth]),
      figure(
        'resident memory, second half over first',
        'times',
        'lower',
        growths(flooded, RESIDENT).map(({ ratio }) => ratio),
      ),
      figure('flood frames a second and node', '/s', 'higher', [sentPerSecond]),
    ],
    {
      notes: [
        `One of four validators is killed, and a process with its key takes its place on the real port and floods the ` +
          `others for ${phaseMs / 1_000} s, ${floodRate} consensus frames/s to each planned, ${sentPerSecond.toFixed(0)} ` +
          `sent: in turn ${FLOOD_KINDS.join(', ')}; all well formed and, but for the forged, correctly signed. With them ` +
          `${flooder.transactions} transactions with attachments of people whom the ledger does not know, and ` +
          `${flooder.garbage} times bytes without meaning, which end the connection and shut it out for a while. It was ` +
          `connected to all for ${percent(flooder.connectedShare)} of the time, and its peers were slow to take what it ` +
          `sent for ${percent(flooder.heldBackShare)}.`,
        `Beside it ${lowRate} transactions/s of clients go on. Memory is what the nodes say of themselves twice a second; ` +
          'compared are the medians of both halves of a phase. The phase without flood comes first, warms the nodes up ' +
          'and shows how memory moves by itself. Between collections a heap climbs however little is kept, so garbage ' +
          `is collected at ${names[0]}, through its inspector, before, in the middle of and at the end of the flood: ` +
          `${[liveHeap.beforeBytes, liveHeap.middleBytes, liveHeap.endBytes].map((bytes) => (bytes / MIB).toFixed(1)).join(', ')} MiB live.`,
        `Commits under the flood: ${flooded.committed} of ${flooded.planned} planned, longest time without one ` +
          `${Math.round(flooded.longestGapMs)} ms (without flood ${Math.round(calm.longestGapMs)} ms).`,
        clientNote([client.state]),
      ],
      tables: [
        {
          title: 'Memory, MiB',
          columns: ['node', 'first half', 'second half', 'ratio', 'slope a minute'],
          rows: [...rows(calm, 'no flood'), ...rows(flooded, 'flood')],
        },
        {
          title: `Dropped by ${names[0]} during the flood`,
          columns: ['counter', 'number'],
          rows: Object.entries(flooded.dropped),
        },
      ],
      plots: KINDS.map(([name, read]) => ({
        title: `Memory under flood: ${name}`,
        xLabel: 'seconds',
        yLabel: 'MiB',
        isLogarithmic: false,
        series: flooded.memory.map((samples, place) => ({
          name: names[place]!,
          points: samples.map((sample) => [sample.atMs / 1_000, read(sample) / MIB] as const),
        })),
      })),
    },
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
