import { InspectedProcess } from '../inspector.ts';
import type { BenchNode } from '../network.ts';
import { type MetricReading, readMetrics } from '../node-metrics.ts';
import type { TrackedTransaction } from './first-commit.ts';
import { FloodProcess, type FloodReport } from './flood-process.ts';
import type { MemorySample } from './memory-growth.ts';
import type { ConsensusOptions } from './options.ts';
import { inspectorPortOf, loadNodesOf, withNetwork } from './part-network.ts';
import { type SteadyClient, SteadyLoad } from './steady-load.ts';
import { pause } from './until.ts';

/** One phase, with or without the flood. */
export interface FloodPhase {
  readonly seconds: number;
  /** By node of those that are flooded, in order. */
  readonly memory: readonly (readonly MemorySample[])[];
  /** Transactions planned in the phase, and those of them that committed. */
  readonly planned: number;
  readonly committed: number;
  /** Longest time without a commit in it. */
  readonly longestGapMs: number;
  /** What the first node dropped in it, by metric and reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Heap of the first node when its garbage has just been collected: what lives. Bytes. */
interface LiveHeap {
  readonly beforeBytes: number;
  readonly middleBytes: number;
  readonly endBytes: number;
}

/** What the part measured. */
export interface FloodRaw {
  readonly names: readonly string[];
  readonly calm: FloodPhase;
  readonly flooded: FloodPhase;
  /** Before, in the middle of, and at the end of the flood. */
  readonly liveHeap: LiveHeap;
  readonly flooder: FloodReport;
  readonly client: SteadyClient;
}

const VALIDATORS = 4;
const SAMPLE_MS = 500;
const DRAIN_MS = 60_000;
/** The calm phase warms the nodes up and shows how their memory moves without a flood. */
const CALM_SHARE = 0.5;

/** Kills one validator and floods the others in its name, under a low steady load; samples their memory. */
export function measureFlood(options: ConsensusOptions, entry: string, say: (line: string) => void): Promise<FloodRaw> {
  return withNetwork(options, { nodes: VALIDATORS, isInspected: true }, async (network) => {
    const { seed, lowRate, floodRate, phaseMs } = options;
    const others = network.nodes.slice(0, -1);
    const hostile = network.nodes.at(-1)!;
    const load = await SteadyLoad.start(loadNodesOf(others), network.genesisHash, seed, lowRate);
    let unread: readonly Unread[] = [];
    let flooder: FloodReport | undefined;
    const inspected = await InspectedProcess.connect(inspectorPortOf(options.port));
    const live: number[] = [];
    const noteLive = async () => {
      await inspected.collectGarbage();
      live.push(heapBytesOf(await readMetrics(others[0]!.operatorUrl)));
    };
    try {
      await network.kill(hostile);
      say(`flood: ${(CALM_SHARE * phaseMs) / 1_000} s without it`);
      const calm = await watch(others, CALM_SHARE * phaseMs);
      await noteLive();
      say(`flood: ${phaseMs / 1_000} s of ${floodRate} frames/s to each of ${others.length} nodes`);
      const order = {
        folder: hostile.folder,
        seed,
        framesPerSecond: floodRate,
        lengthMs: phaseMs,
        peers: others.length,
      };
      const process = new FloodProcess(entry, order);
      try {
        unread = [calm, await watch(others, phaseMs, noteLive)];
        await noteLive();
      } finally {
        flooder = await process.stop();
      }
    } finally {
      await load.stop(DRAIN_MS);
      inspected.close();
    }
    const [calm, flooded] = unread.map((phase) => readPhase(phase, load.transactions));
    const names = others.map(({ name }) => name);
    const [beforeBytes, middleBytes, endBytes] = live;
    const liveHeap = { beforeBytes: beforeBytes!, middleBytes: middleBytes!, endBytes: endBytes! };
    return { names, calm: calm!, flooded: flooded!, liveHeap, flooder, client: load.client() };
  });
}

interface Unread extends Pick<FloodPhase, 'memory' | 'dropped'> {
  readonly beginMs: number;
  readonly endMs: number;
}

/** Samples the memory of these nodes for so long; calls `onMiddle` once, in the middle. */
async function watch(nodes: readonly BenchNode[], lengthMs: number, onMiddle?: () => Promise<void>): Promise<Unread> {
  let middle = onMiddle;
  const beginMs = performance.now();
  const before = await readMetrics(nodes[0]!.operatorUrl);
  const memory: MemorySample[][] = nodes.map(() => []);
  for (let next = beginMs; next < beginMs + lengthMs; next += SAMPLE_MS) {
    await pause(Math.max(0, next - performance.now()));
    if (next >= beginMs + lengthMs / 2) {
      await middle?.();
      middle = undefined;
    }
    const readings = await Promise.all(nodes.map(({ operatorUrl }) => readMetrics(operatorUrl)));
    for (const [place, reading] of readings.entries())
      memory[place]!.push({
        atMs: performance.now() - beginMs,
        heapBytes: heapBytesOf(reading),
        residentBytes: reading.get('medledger_process_resident_bytes') ?? Number.NaN,
      });
  }
  const after = await readMetrics(nodes[0]!.operatorUrl);
  return { beginMs, endMs: performance.now(), memory, dropped: droppedBetween(before, after) };
}

function heapBytesOf(reading: MetricReading): number {
  return reading.get('medledger_process_heap_bytes') ?? Number.NaN;
}

const DROPPED = ['medledger_consensus_messages_dropped_total{', 'medledger_p2p_dropped{'];

function droppedBetween(before: MetricReading, after: MetricReading): Readonly<Record<string, number>> {
  const grown = [...after]
    .filter(([name]) => DROPPED.some((family) => name.startsWith(family)))
    .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

/** What the load saw of a phase: read when all is answered. */
function readPhase(phase: Unread, transactions: readonly TrackedTransaction[]): FloodPhase {
  const { beginMs, endMs, memory, dropped } = phase;
  const isIn = (atMs: number) => atMs >= beginMs && atMs < endMs;
  const planned = transactions.filter(({ plannedMs }) => isIn(plannedMs));
  const commits = transactions.map(({ committedMs }) => committedMs).filter(isIn);
  const moments = [beginMs, ...commits.toSorted((a, b) => a - b), endMs];
  return {
    seconds: (endMs - beginMs) / 1_000,
    memory,
    planned: planned.length,
    committed: planned.filter(({ committedMs }) => !Number.isNaN(committedMs)).length,
    longestGapMs: Math.max(...moments.slice(1).map((moment, place) => moment - moments[place]!)),
    dropped,
  };
}
