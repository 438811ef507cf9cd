import os from 'node:os';
import { type Latencies, latenciesOf } from './latency.ts';
import type { LoadClient } from './load/client-process.ts';
import type { LoadStep, PreparedFacts } from './load/messages.ts';
import type { BenchNetwork } from './network.ts';
import { type NodeWork, readMetrics, workBetween } from './node-metrics.ts';
import { readInterval } from './open-loop.ts';
import { type CpuShare, cpuShare, readProcess } from './process-cpu.ts';

/** One repeat of one step, as measured. */
export interface StepResult {
  readonly step: LoadStep;
  readonly facts: PreparedFacts;
  /** Transactions planned in the interval, a second. */
  readonly offeredPerSecond: number;
  readonly committedPerSecond: number;
  readonly latency: Latencies;
  readonly p99Ms: number;
  readonly lost: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly commitsBySecond: readonly number[];
  /** How late the load generator sent. */
  readonly sendLag: Latencies;
  /** Cores used by the load generator. */
  readonly clientCores: number;
  readonly clientState: ClientState;
  /** By node, in order, within the interval. */
  readonly cpu: readonly CpuShare[];
  readonly residentBytesMax: readonly number[];
  /** Cores busy on the whole machine, other programs included. */
  readonly machineCores: number;
  /** By node, over the whole step. */
  readonly work: readonly NodeWork[];
}

/**
 * Whether the load generator, and not the ledger, may have set the figures: `busy` when it used more than
 * CLIENT_CORES_MAX, `late` when it did not but sent late all the same, the machine being busy with other things.
 */
export type ClientState = 'fine' | 'busy' | 'late';

/** Most cores that the load generator may use before it is called the bottleneck. */
export const CLIENT_CORES_MAX = 0.8;
/** Largest 99th percentile of its delay in sending before it is called late, milliseconds. */
export const SEND_LAG_P99_MS_MAX = 10;

const DRAIN_MS = 300_000;
const DRAIN_POLL_MS = 100;

/** What the load generator's share of the processor and its delay in sending say of it. */
export function clientStateOf(clientCores: number, sendLag: Pick<Latencies, 'p99'>): ClientState {
  if (clientCores > CLIENT_CORES_MAX) return 'busy';
  return sendLag.p99 > SEND_LAG_P99_MS_MAX ? 'late' : 'fine';
}

/** The nodes that are measured: all of them run. */
type Running = Pick<BenchNetwork, 'nodes'>;

/** Prepares and runs one step, then waits until no node has transactions waiting. */
export async function measureStep(network: Running, client: LoadClient, step: LoadStep): Promise<StepResult> {
  const facts = await client.prepare(step);
  const metricsBefore = await readAll(network);
  const edges: { readonly atMs: number; readonly reading: ReturnType<typeof readMachine> }[] = [];
  const note = () => edges.push({ atMs: performance.now(), reading: readMachine(network) });
  const report = await client.run({ onBegins: note, onEnds: note });
  await drain(network);
  const metricsAfter = await readAll(network);
  const [begin, end] = edges;
  if (begin === undefined || end === undefined) throw new Error('the load generator did not name its interval');

  const { rampMs, intervalMs } = step;
  const interval = readInterval({ ...report, rampMs, intervalMs });
  const seconds = (end.atMs - begin.atMs) / 1_000;
  const latency = latenciesOf(interval.latenciesUs);
  const sendLag = latenciesOf(report.sendLagMs.map((lagMs) => Math.max(0, lagMs * 1_000)));
  const clientCores = report.clientCpuSeconds / (intervalMs / 1_000);
  return {
    step,
    facts,
    offeredPerSecond: (interval.planned * 1_000) / intervalMs,
    committedPerSecond: interval.committedPerSecond,
    latency,
    p99Ms: latency.p99,
    lost: interval.lost,
    failures: report.failures,
    commitsBySecond: interval.commitsBySecond,
    sendLag,
    clientCores,
    clientState: clientStateOf(clientCores, sendLag),
    cpu: begin.reading.processes.map((before, place) => {
      const after = end.reading.processes[place];
      return before === undefined || after === undefined
        ? { user: Number.NaN, system: Number.NaN, threads: {} }
        : cpuShare(before, after, seconds);
    }),
    residentBytesMax: end.reading.processes.map((reading) => reading?.residentBytesMax ?? Number.NaN),
    machineCores: (end.reading.busyMs - begin.reading.busyMs) / 1_000 / seconds,
    work: metricsBefore.map((before, place) => workBetween(before, metricsAfter[place]!)),
  };
}

function readMachine({ nodes }: Running) {
  const busyMs = os.cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
  return { busyMs, processes: nodes.map(({ pid }) => readProcess(pid)) };
}

function readAll({ nodes }: Running) {
  return Promise.all(nodes.map(({ operatorUrl }) => readMetrics(operatorUrl)));
}

/** Waits until no node has a transaction waiting, so that one step does not load the next. */
async function drain(network: Running): Promise<void> {
  const deadline = performance.now() + DRAIN_MS;
  const waiting = async () =>
    (await readAll(network)).some((reading) => (reading.get('medledger_mempool_transactions') ?? 0) > 0);
  while (await waiting()) {
    if (performance.now() > deadline)
      throw new Error(`transactions still wait ${DRAIN_MS / 1_000} s after the last was answered`);
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  }
}
