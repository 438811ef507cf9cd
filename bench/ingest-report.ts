import type { Share, ThreadProfile } from './cpu-profile.ts';
import type { BytesByKind } from './disk-bytes.ts';
import type { IngestOptions, IngestRaw, LineResult, RateResult } from './ingest.ts';
import { isSustained, KNEE_DEFINITION, kneeOf } from './knee.ts';
import { median } from './latency.ts';
import type { Line } from './load/messages.ts';
import { CLIENT_CORES_MAX, type ClientState, SEND_LAG_P99_MS_MAX, type StepResult } from './measure-step.ts';
import type { Section, Table } from './report/report.ts';
import { type BenchResult, environmentNotes, type Measurement } from './results.ts';

const PARTS_SHOWN = 20;
const LINE_NAMES: Readonly<Record<Line, string>> = {
  action: 'records, two signatures, no attachment',
  attachment: 'records with attachment (encrypted fields and six key wraps)',
  payload: 'records with attachment and an encrypted 2 KB payload put first',
};

/** The figures of a run that runs are compared by. */
export function ingestMeasurements(raw: IngestRaw): readonly Measurement[] {
  return raw.lines.flatMap(({ line, steps }) => [
    ...steps.flatMap((step) => rateMeasurements(line, step)),
    ...kneeMeasurements(line, steps),
  ]);
}

function rateMeasurements(line: Line, { rate, repeats }: RateResult): readonly Measurement[] {
  const at = `${line} at ${rate}/s`;
  const of = (name: string, unit: string, better: Measurement['better'], value: (repeat: StepResult) => number) => ({
    name: `${at}: ${name}`,
    unit,
    better,
    values: repeats.map(value),
  });
  return [
    of('committed', '/s', 'higher', ({ committedPerSecond }) => committedPerSecond),
    of('p50', 'ms', 'lower', ({ latency }) => latency.p50),
    of('p99', 'ms', 'lower', ({ latency }) => latency.p99),
    of('p99.9', 'ms', 'lower', ({ latency }) => latency.p999),
    of('CPU of nodes', 'ms/transaction', 'lower', (repeat) => (1_000 * nodeCores(repeat)) / repeat.committedPerSecond),
  ];
}

function kneeMeasurements(line: Line, steps: readonly RateResult[]): readonly Measurement[] {
  const knee = kneeOf(steps);
  if (knee === undefined) return [];
  const values = knee.repeats.map(({ committedPerSecond }) => committedPerSecond);
  return [{ name: `${line}: committed at the knee`, unit: '/s', better: 'higher', values }];
}

/** The report of a run. */
export function ingestSections(result: BenchResult, raw: IngestRaw, options: IngestOptions): readonly Section[] {
  return [
    methodSection(result, options),
    ...raw.lines.flatMap((line) => [lineSection(line), timeSection(line)]),
    diskSection(raw),
    ...profileSections(raw),
  ];
}

function methodSection(result: BenchResult, options: IngestOptions): Section {
  const { rampMs, intervalMs, repeats, warmUpMs, collectMs, collectMax, singleRateMax } = options;
  return {
    title: 'Ingest: how it was measured',
    notes: [
      ...environmentNotes(result),
      `Four node processes and one load generator on this machine. Open loop: send times are planned beforehand ` +
        `(Poisson arrivals) and kept whatever the answers; latency runs from the planned time to the moment at which ` +
        `the client has read the commit. Each repeat has ${rampMs / 1_000} s of load that is not measured and ` +
        `${intervalMs / 1_000} s that is; ${repeats} repeats at each rate, ${warmUpMs / 1_000} s of warm-up before each ` +
        `line.`,
      `Transactions are built, signed by author and organisation, and encoded before the interval. Up to ` +
        `${singleRateMax}/s each is a request of its own; above, up to ${collectMax} are collected for at most ` +
        `${collectMs} ms of planned time into one POST /v1/transactions. Requests go to the four nodes in turn.`,
      'A commit is seen as the answer to the POST with wait=committed: no polling, no further request, and no event ' +
        'stream that every node would have to fill for every block.',
      'Of attachments, the search fields and the wrap that the organisation’s node opens are real; the five other ' +
        'wraps, and payloads, are random bytes of the same length, which no node can tell apart.',
      KNEE_DEFINITION,
      `The client is called the bottleneck above ${CLIENT_CORES_MAX} cores, and late when the 99th percentile of its ` +
        `delay in sending is above ${SEND_LAG_P99_MS_MAX} ms: then the machine had no time for it either.`,
    ],
    tables: [],
    plots: [],
  };
}

function lineSection({ line, steps }: LineResult): Section {
  const knee = kneeOf(steps);
  const facts = steps[0]?.repeats[0]?.facts;
  const bytes =
    facts === undefined
      ? ''
      : `An action has ${facts.actionBytes} bytes, the transaction with its two signatures ${facts.transactionBytes}, ` +
        `the attachment ${facts.attachmentBytes}, the payload ${facts.payloadBytes}.`;
  const spread = (rate: RateResult, value: (repeat: StepResult) => number) => median(rate.repeats.map(value));
  const percentiles = ['p50', 'p95', 'p99', 'p999'] as const;
  return {
    title: `Ingest: ${LINE_NAMES[line]}`,
    notes: [bytes, kneeText(steps, knee)],
    tables: [rateTable(steps)],
    plots: [
      {
        title: `Latency against throughput: ${line}`,
        xLabel: 'committed transactions/s',
        yLabel: 'milliseconds',
        isLogarithmic: true,
        series: percentiles.map((name) => ({
          name: name === 'p999' ? 'p99.9' : name,
          points: steps.map((rate) => [
            spread(rate, ({ committedPerSecond }) => committedPerSecond),
            spread(rate, ({ latency }) => latency[name]),
          ]),
        })),
        ...(knee !== undefined && {
          mark: { x: spread(knee, ({ committedPerSecond }) => committedPerSecond), name: 'knee' },
        }),
      },
    ],
  };
}

function kneeText(steps: readonly RateResult[], knee: RateResult | undefined): string {
  const peak = Math.max(...steps.map(({ repeats }) => median(repeats.map((repeat) => repeat.committedPerSecond))));
  const most = `The most that committed at any rate was ${Math.round(peak)}/s (median of its repeats).`;
  if (knee === undefined) return `Not even the first rate is sustained. ${most}`;
  const isOpen = steps.at(-1) === knee ? ' Every rate tried is sustained: the knee lies higher.' : '';
  return `The knee is at ${knee.rate}/s offered.${isOpen} ${most}`;
}

function rateTable(steps: readonly RateResult[]): Table {
  const columns = [
    'planned/s',
    'offered/s',
    'committed/s',
    'min–max',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'p99.9 ms',
    'max ms',
    'lost',
    'per request',
    'sustained',
    'client',
  ];
  const rows = steps.map(({ rate, repeats }) => {
    const of = (value: (repeat: StepResult) => number) => median(repeats.map(value));
    const committed = repeats.map(({ committedPerSecond }) => Math.round(committedPerSecond));
    return [
      String(rate),
      of(({ offeredPerSecond }) => offeredPerSecond),
      of(({ committedPerSecond }) => committedPerSecond),
      `${Math.min(...committed)}–${Math.max(...committed)}`,
      ...(['p50', 'p95', 'p99', 'p999', 'max'] as const).map((name) => of(({ latency }) => latency[name])),
      repeats.reduce((sum, { lost }) => sum + lost, 0),
      of(({ facts }) => facts.transactions / facts.requests),
      isSustained(repeats) ? 'yes' : 'no',
      clientText(repeats),
    ];
  });
  return { title: 'Medians of the repeats', columns, rows };
}

function clientText(repeats: readonly StepResult[]): string {
  const inState = (state: ClientState) => repeats.filter(({ clientState }) => clientState === state).length;
  const cores = median(repeats.map(({ clientCores }) => clientCores)).toFixed(2);
  const lag = median(repeats.map(({ sendLag }) => sendLag.p99)).toFixed(1);
  const [busy, late] = [inState('busy'), inState('late')];
  const verdicts = [
    ...(busy > 0 ? [`bottleneck in ${busy} of ${repeats.length}`] : []),
    ...(late > 0 ? [`late in ${late} of ${repeats.length}`] : []),
  ];
  const verdict = verdicts.length === 0 ? 'fine' : verdicts.join(', ');
  return `${verdict} (${cores} cores, lag p99 ${lag} ms)`;
}

function nodeCores({ cpu }: StepResult): number {
  return cpu.reduce((sum, { user, system }) => sum + user + system, 0);
}

/** Where the time goes, at the highest rate that was sustained, or the lowest tried. */
function timeSection({ line, steps }: LineResult): Section {
  const rate = kneeOf(steps) ?? steps[0];
  if (rate === undefined) return { title: '', notes: [], tables: [], plots: [] };
  const repeats = [...rate.repeats].sort((a, b) => nodeCores(a) - nodeCores(b));
  const shown = repeats[Math.floor((repeats.length - 1) / 2)]!;
  const perTransaction = (cores: number) => (1_000 * cores) / shown.committedPerSecond;
  const all = nodeCores(shown) + shown.clientCores;
  return {
    title: `Where the time goes: ${line} at ${rate.rate}/s`,
    notes: [
      `The repeat with the median CPU use. Nodes and client use ${all.toFixed(2)} of ` +
        `${shown.machineCores.toFixed(2)} busy cores of the machine; ${perTransaction(nodeCores(shown)).toFixed(3)} ms ` +
        `of CPU for each transaction on all nodes together, ${perTransaction(shown.clientCores).toFixed(3)} ms at the client.`,
    ],
    tables: [processTable(shown), threadTable(shown), workTable(shown)],
    plots: [],
  };
}

function processTable(shown: StepResult): Table {
  const rows = shown.cpu.map(({ user, system }, place) => [
    `node ${place + 1}`,
    user,
    system,
    user + system,
    (1_000 * (user + system)) / shown.committedPerSecond,
    (shown.residentBytesMax[place] ?? Number.NaN) / 2 ** 20,
  ]);
  const client = shown.clientCores;
  rows.push(['client', Number.NaN, Number.NaN, client, (1_000 * client) / shown.committedPerSecond, Number.NaN]);
  const columns = ['process', 'user cores', 'system cores', 'cores', 'ms/transaction', 'peak memory MiB'];
  return { title: 'CPU by process, within the interval', columns, rows };
}

function threadTable({ cpu, committedPerSecond }: StepResult): Table {
  const names = [...new Set(cpu.flatMap(({ threads }) => Object.keys(threads)))];
  const sum = (name: string) => cpu.reduce((total, { threads }) => total + (threads[name] ?? 0), 0);
  const rows = names
    .sort((a, b) => sum(b) - sum(a))
    .filter((name) => sum(name) > 0.001)
    .map((name) => [
      name,
      ...cpu.map(({ threads }) => threads[name] ?? 0),
      sum(name),
      (1_000 * sum(name)) / committedPerSecond,
    ]);
  const columns = ['thread', ...cpu.map((_, place) => `node ${place + 1}`), 'all', 'ms/transaction'];
  return { title: 'CPU by thread, cores', columns, rows };
}

function workTable({ work, facts }: StepResult): Table {
  const rows = work.map((node, place) => [
    `node ${place + 1}`,
    node.blocks,
    node.transactions / Math.max(1, node.blocks),
    node.executionMsPerBlock,
    node.commitMsPerBlock,
    node.journalAppendsPerBlock,
    node.journalMsPerAppend,
    node.sentBytes / Math.max(1, facts.transactions),
    node.viewChanges,
    node.messagesDropped,
  ]);
  const columns = [
    'node',
    'blocks',
    'transactions/block',
    'execution ms/block',
    'commit ms/block',
    'journal appends/block',
    'ms/append',
    'bytes sent/transaction',
    'view changes',
    'messages dropped',
  ];
  return { title: 'What the nodes say of themselves, over the whole step', columns, rows };
}

function diskSection({ disk, stored, transactions }: IngestRaw): Section {
  const rows = (bytes: BytesByKind) =>
    Object.entries(bytes)
      .sort((a, b) => b[1] - a[1])
      .map(([kind, size]) => [kind, size, size / transactions]);
  const columns = ['kind', 'bytes', 'bytes/transaction'];
  return {
    title: 'Disk of one node',
    notes: [`After ${transactions} transactions of all lines, registrations included.`],
    tables: [
      { title: 'Files', columns, rows: rows(disk) },
      { title: 'Keys and values in the ledger store, before compression', columns, rows: rows(stored) },
    ],
    plots: [],
  };
}

function profileSections({ lines }: IngestRaw): readonly Section[] {
  return lines
    .flatMap(({ steps }) => steps)
    .flatMap(({ profile }) => (profile === undefined ? [] : [profileSection(profile)]));
}

function profileSection({ name, seconds, idleSeconds, parts, own, inclusive }: ThreadProfile): Section {
  const shares = (title: string, rows: readonly Share[]): Table => ({
    title,
    columns: ['what', 'share'],
    rows: rows.map(([text, share]) => [text, `${(share * 100).toFixed(1)} %`]),
  });
  const busy = (seconds - idleSeconds).toFixed(1);
  return {
    title: `Main thread of the first node: ${name}`,
    notes: [`Shares of the ${busy} s that it was busy of ${seconds.toFixed(1)} s; sampling slows it down.`],
    tables: [
      shares('Own time by part, native code with its caller', parts.slice(0, PARTS_SHOWN)),
      shares('Functions by own time', own),
      shares('Functions of the sources, with all that they call', inclusive),
    ],
    plots: [],
  };
}
