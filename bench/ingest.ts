import { summarise, type ThreadProfile } from './cpu-profile.ts';
import { type BytesByKind, diskBytes, storedBytes } from './disk-bytes.ts';
import { describeEnvironment } from './environment.ts';
import { ingestMeasurements, ingestSections } from './ingest-report.ts';
import { InspectedProcess } from './inspector.ts';
import { isSustained } from './knee.ts';
import { LoadClient } from './load/client-process.ts';
import type { Line } from './load/messages.ts';
import { measureStep, type StepResult } from './measure-step.ts';
import { type BenchNetwork, INSPECTOR_PORT_OFFSET, startNetwork } from './network.ts';
import type { Section } from './report/report.ts';
import type { BenchResult } from './results.ts';

/** What an ingest run is to do. */
export interface IngestOptions {
  readonly lines: readonly Line[];
  /** Planned transactions a second, rising. */
  readonly rates: readonly number[];
  /** How many rates are measured that are not sustained, before a line ends: they show the curve beyond its knee. */
  readonly unsustainedRates: number;
  readonly repeats: number;
  readonly rampMs: number;
  readonly intervalMs: number;
  readonly warmUpMs: number;
  readonly warmUpRate: number;
  /** Longest time for which transactions are collected into one request, above `singleRateMax`. */
  readonly collectMs: number;
  readonly collectMax: number;
  /** Up to this rate every transaction is a request of its own. */
  readonly singleRateMax: number;
  readonly patientsPerNode: number;
  /** Validators of the ledger, each a process of its own. */
  readonly nodes: number;
  readonly seed: number;
  readonly port: number;
  readonly folder: string | undefined;
  /** Parameter of the ledger. */
  readonly blockTransactionsMax: number;
  /** Whether to profile the first node, which slows it down. */
  readonly isProfiled: boolean;
  /** Whether the data folders stay. */
  readonly isKept: boolean;
}

/** Every step of one line, by rising rate. */
export interface LineResult {
  readonly line: Line;
  readonly steps: readonly RateResult[];
}

export interface RateResult {
  readonly rate: number;
  readonly repeats: readonly StepResult[];
  /** Of the first node's main thread during all repeats; absent unless asked for. */
  readonly profile?: ThreadProfile;
}

/** All that a run measured. */
export interface IngestRaw {
  readonly lines: readonly LineResult[];
  /** Bytes of the first node's folder and of the items in its store, at the end, with what it held then. */
  readonly disk: BytesByKind;
  readonly stored: BytesByKind;
  readonly transactions: number;
}

/** Measures committed transactions a second and their latency at rising rates, on nodes of this machine. */
export async function runIngest(
  options: IngestOptions,
  entry: string,
  say: (line: string) => void,
): Promise<{ readonly result: BenchResult; readonly sections: readonly Section[] }> {
  const startedAt = new Date().toISOString();
  const environment = describeEnvironment(options.folder);
  const { nodes, port, folder, isProfiled, blockTransactionsMax } = options;
  say(`starting ${nodes} nodes`);
  const inspectorPort = isProfiled ? port + INSPECTOR_PORT_OFFSET : undefined;
  const network = await startNetwork({
    nodes,
    port,
    folder,
    inspectorPort,
    parameters: { blockTransactionsMax },
  });
  let raw: IngestRaw;
  try {
    const inspected = inspectorPort === undefined ? undefined : await InspectedProcess.connect(inspectorPort);
    const { lines, transactions } = await underLoad(network, inspected, options, entry, say);
    inspected?.close();
    await network.stop();
    const first = network.nodes[0]!.folder;
    raw = { lines, transactions, disk: diskBytes(first), stored: await storedBytes(first) };
  } finally {
    await network.stop();
    if (!options.isKept) network.remove();
  }
  const result: BenchResult = {
    format: 1,
    bench: 'ingest',
    startedAt,
    finishedAt: new Date().toISOString(),
    seed: options.seed,
    options: { ...options },
    environment,
    measurements: ingestMeasurements(raw),
    raw,
  };
  return { result, sections: ingestSections(result, raw, options) };
}

async function underLoad(
  network: BenchNetwork,
  inspected: InspectedProcess | undefined,
  options: IngestOptions,
  entry: string,
  say: (line: string) => void,
): Promise<{ readonly lines: readonly LineResult[]; readonly transactions: number }> {
  const client = new LoadClient(entry);
  try {
    const { genesisHash, nodes } = network;
    const { seed, patientsPerNode } = options;
    say(`registering ${nodes.length * (patientsPerNode + 1)} accounts`);
    const loadNodes = nodes.map(({ apiUrl, keyFile }) => ({ url: apiUrl, keyFile }));
    await client.open({ nodes: loadNodes, genesisHash, patientsPerNode, seed });
    let transactions = nodes.length * (patientsPerNode + 1);
    const lines: LineResult[] = [];
    for (const line of options.lines) {
      transactions += await warmUp(network, client, line, options, say);
      const steps = await climb(network, inspected, client, line, options, say);
      for (const { facts } of steps.flatMap(({ repeats }) => repeats)) transactions += facts.transactions;
      lines.push({ line, steps });
    }
    return { lines, transactions };
  } finally {
    client.close();
  }
}

/** Brings compilers, caches and connections into their working state; returns how many transactions that took. */
async function warmUp(
  network: BenchNetwork,
  client: LoadClient,
  line: Line,
  options: IngestOptions,
  say: (line: string) => void,
): Promise<number> {
  say(`${line}: warming up`);
  const step = stepOf(line, options.warmUpRate, `${line}/warm-up`, options);
  const { facts } = await measureStep(network, client, { ...step, rampMs: 0, intervalMs: options.warmUpMs });
  return facts.transactions;
}

/** Raises the rate until as many as asked for are not sustained. */
async function climb(
  network: BenchNetwork,
  inspected: InspectedProcess | undefined,
  client: LoadClient,
  line: Line,
  options: IngestOptions,
  say: (line: string) => void,
): Promise<readonly RateResult[]> {
  const steps: RateResult[] = [];
  for (const rate of options.rates) {
    const repeats: StepResult[] = [];
    await inspected?.startProfile();
    for (let repeat = 1; repeat <= options.repeats; repeat += 1) {
      const step = stepOf(line, rate, `${line}/${rate}/${repeat}`, options);
      const result = await measureStep(network, client, step);
      repeats.push(result);
      say(`${line} ${rate}/s, repeat ${repeat}: ${summaryOf(result)}`);
    }
    const profile = await inspected?.stopProfile();
    const name = `${line} at ${rate}/s`;
    steps.push({ rate, repeats, ...(profile !== undefined && { profile: summarise(name, profile) }) });
    if (steps.filter((each) => !isSustained(each.repeats)).length >= options.unsustainedRates) break;
  }
  return steps;
}

function stepOf(line: Line, rate: number, label: string, options: IngestOptions) {
  const { rampMs, intervalMs, collectMs, collectMax, singleRateMax } = options;
  const collecting =
    rate <= singleRateMax ? { windowMs: 0, transactionsMax: 1 } : { windowMs: collectMs, transactionsMax: collectMax };
  return { line, rate, rampMs, intervalMs, label, collecting };
}

function summaryOf({ committedPerSecond, latency, lost, failures, clientState, sendLag }: StepResult): string {
  const { p50, p99, p999 } = latency;
  const parts = [
    `${Math.round(committedPerSecond)} committed/s`,
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, p99.9 ${p999.toFixed(1)} ms`,
  ];
  if (lost > 0) parts.push(`${lost} lost (${JSON.stringify(failures)})`);
  if (clientState === 'busy') parts.push('the client was the bottleneck');
  if (clientState === 'late') parts.push(`the client sent late (p99 ${sendLag.p99.toFixed(0)} ms)`);
  return parts.join(', ');
}
