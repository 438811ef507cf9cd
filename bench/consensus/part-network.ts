import { DEFAULT_PARAMETERS, type Parameters } from '../../src/ledger/parameters.ts';
import type { FollowerSettings } from '../follower.ts';
import type { LoadNode } from '../load/messages.ts';
import { type BenchNetwork, type BenchNode, startNetwork } from '../network.ts';
import type { ConsensusOptions } from './options.ts';

/** What the network of a part is. */
interface PartNetwork {
  readonly nodes: number;
  readonly parameters?: Partial<Parameters>;
  readonly followers?: readonly FollowerSettings[];
}

/** Runs a part on a network of its own, which is stopped, and removed unless it is to be kept, however the part ends. */
export async function withNetwork<T>(
  { port, folder, isKept }: Pick<ConsensusOptions, 'port' | 'folder' | 'isKept'>,
  { nodes, parameters = {}, followers = [] }: PartNetwork,
  run: (network: BenchNetwork, parameters: Parameters) => Promise<T>,
): Promise<T> {
  const network = await startNetwork({ nodes, port, folder, parameters, followers, inspectorPort: undefined });
  try {
    return await run(network, { ...DEFAULT_PARAMETERS, ...parameters });
  } finally {
    await network.stop();
    if (!isKept) network.remove();
  }
}

/** Nodes as a load generator takes them. */
export function loadNodesOf(nodes: readonly BenchNode[]): readonly LoadNode[] {
  return nodes.map(({ apiUrl, keyFile }) => ({ url: apiUrl, keyFile }));
}
