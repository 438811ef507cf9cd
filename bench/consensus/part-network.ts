import { DEFAULT_PARAMETERS, type Parameters } from '../../src/ledger/parameters.ts';
import type { FollowerSettings } from '../follower.ts';
import type { LoadNode } from '../load/messages.ts';
import { type BenchNetwork, type BenchNode, INSPECTOR_PORT_OFFSET, startNetwork } from '../network.ts';
import type { ConsensusOptions } from './options.ts';

/** What the network of a part is. */
interface PartNetwork {
  readonly nodes: number;
  readonly parameters?: Partial<Parameters>;
  readonly followers?: readonly FollowerSettings[];
  /** Whether the first node can be inspected. */
  readonly isInspected?: boolean;
}

/** Runs a part on a network of its own, which is stopped, and removed unless it is to be kept, however the part ends. */
export async function withNetwork<T>(
  { port, folder, isKept }: Pick<ConsensusOptions, 'port' | 'folder' | 'isKept'>,
  { nodes, parameters = {}, followers = [], isInspected = false }: PartNetwork,
  run: (network: BenchNetwork, parameters: Parameters) => Promise<T>,
): Promise<T> {
  const inspectorPort = isInspected ? inspectorPortOf(port) : undefined;
  const network = await startNetwork({ nodes, port, folder, parameters, followers, inspectorPort });
  try {
    return await run(network, { ...DEFAULT_PARAMETERS, ...parameters });
  } finally {
    await network.stop();
    if (!isKept) network.remove();
  }
}

/** Where the first node of a network can be inspected, by the API port of the first. */
export function inspectorPortOf(port: number): number {
  return port + INSPECTOR_PORT_OFFSET;
}

/** Nodes as a load generator takes them. */
export function loadNodesOf(nodes: readonly BenchNode[]): readonly LoadNode[] {
  return nodes.map(({ apiUrl, keyFile }) => ({ url: apiUrl, keyFile }));
}
