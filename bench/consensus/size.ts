import { LoadClient } from '../load/client-process.ts';
import { measureStep, type StepResult } from '../measure-step.ts';
import type { ConsensusOptions } from './options.ts';
import { loadNodesOf, withNetwork } from './part-network.ts';
import { stepAt } from './step-at.ts';

/** What one size of the network measured. */
export interface SizeResult {
  readonly nodes: number;
  /** At the low rate: latency. */
  readonly low: readonly StepResult[];
  /** At a rate that saturates the machine: throughput. */
  readonly full: readonly StepResult[];
}

const PATIENTS_PER_NODE = 20;

/** Measures latency at a low rate and throughput at a high one on a network of each size, one after the other. */
export async function measureSizes(
  options: ConsensusOptions,
  entry: string,
  say: (line: string) => void,
): Promise<readonly SizeResult[]> {
  const results: SizeResult[] = [];
  for (const nodes of options.sizes) {
    say(`size: starting ${nodes} nodes`);
    results.push(await measureSize(nodes, options, entry, say));
  }
  return results;
}

function measureSize(
  nodes: number,
  options: ConsensusOptions,
  entry: string,
  say: (line: string) => void,
): Promise<SizeResult> {
  const { seed, repeats, lowRate, warmUpMs, intervalMs } = options;
  return withNetwork(options, { nodes }, async (network) => {
    const client = new LoadClient(entry);
    try {
      const { genesisHash } = network;
      await client.open({ nodes: loadNodesOf(network.nodes), genesisHash, patientsPerNode: PATIENTS_PER_NODE, seed });
      const fullRate = rateForSize(options.rate, nodes);
      const measure = async (name: string, rate: number) => {
        const label = `size/${nodes}/${name}`;
        const result = await measureStep(network, client, stepAt(rate, label, options.rampMs, intervalMs));
        const { p50, p99 } = result.latency;
        const latency = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
        say(`n = ${nodes}, ${rate}/s: ${Math.round(result.committedPerSecond)} committed/s, ${latency}`);
        return result;
      };
      await measureStep(network, client, stepAt(fullRate / 2, `size/${nodes}/warm-up`, 0, warmUpMs));
      const low: StepResult[] = [];
      const full: StepResult[] = [];
      for (let repeat = 1; repeat <= repeats; repeat += 1) low.push(await measure(`low/${repeat}`, lowRate));
      for (let repeat = 1; repeat <= repeats; repeat += 1) full.push(await measure(`full/${repeat}`, fullRate));
      return { nodes, low, full };
    } finally {
      client.close();
    }
  });
}

/** Nodes that the offered rate is meant for. */
const RATE_NODES = 4;

/** What n nodes are offered: they share the machine, and each does the whole work of a transaction. */
export function rateForSize(rate: number, nodes: number): number {
  return Math.max(1, Math.round((rate * RATE_NODES) / nodes));
}
