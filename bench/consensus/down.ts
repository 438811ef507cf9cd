import { LoadClient } from '../load/client-process.ts';
import { measureStep, type StepResult } from '../measure-step.ts';
import type { ConsensusOptions } from './options.ts';
import { loadNodesOf, withNetwork } from './part-network.ts';
import { stepAt } from './step-at.ts';

/** What the part measured: the same load on the same network, whole and without one node. */
export interface DownRaw {
  readonly healthy: StepResult;
  readonly down: StepResult;
}

const VALIDATORS = 4;
const PATIENTS_PER_NODE = 100;

/**
 * Throughput with all nodes and then with one of them killed. Clients turn to the other three in both phases, so that
 * the phases differ in nothing but the node.
 */
export function measureDown(options: ConsensusOptions, entry: string, say: (line: string) => void): Promise<DownRaw> {
  return withNetwork(options, { nodes: VALIDATORS }, async (network) => {
    const { seed, rate, warmUpMs, rampMs, phaseMs } = options;
    const client = new LoadClient(entry);
    try {
      const { genesisHash } = network;
      const nodes = network.nodes.slice(0, -1);
      await client.open({ nodes: loadNodesOf(nodes), genesisHash, patientsPerNode: PATIENTS_PER_NODE, seed });
      await measureStep(network, client, stepAt(rate / 2, 'down/warm-up', 0, warmUpMs));
      say(`down: ${phaseMs / 1_000} s at ${rate}/s with all nodes`);
      const healthy = await measureStep(network, client, stepAt(rate, 'down/healthy', rampMs, phaseMs));
      say(`down: ${Math.round(healthy.committedPerSecond)} committed/s; now without ${network.nodes.at(-1)!.name}`);
      await network.kill(network.nodes.at(-1)!);
      const down = await measureStep({ nodes }, client, stepAt(rate, 'down/down', rampMs, phaseMs));
      say(`down: ${Math.round(down.committedPerSecond)} committed/s`);
      return { healthy, down };
    } finally {
      client.close();
    }
  });
}
