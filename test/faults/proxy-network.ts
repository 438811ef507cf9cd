import { FaultProxy } from './fault-proxy.ts';
import { CLEAR_LINE, type FaultNetwork, numberOfPeer } from './network.ts';

/** A network of relays on loopback: needs no privileges. Nodes know no address of another but the relay's. */
export async function openProxyNetwork(nodes: number, seed: number): Promise<FaultNetwork> {
  const proxy = await FaultProxy.open(nodes, seed);
  const numbers = Array.from({ length: nodes }, (_, number) => number);
  return {
    mode: 'proxy',
    rewire(number, config) {
      const port = Number(/\/tcp\/([0-9]+)$/.exec(config.p2p.listen[0]!)![1]);
      proxy.setTarget(number, { host: '127.0.0.1', port });
      const peers = config.p2p.peers.map((peer) => ({
        ...peer,
        addresses: [`/ip4/127.0.0.1/tcp/${proxy.portOf(number, numberOfPeer(peer.name))}`],
      }));
      return { ...config, p2p: { ...config.p2p, peers } };
    },
    surroundings: () => ({ prefix: [], environment: {} }),
    block: (from, to) => proxy.block(from, to),
    shape: (from, to, shape) => proxy.shape(from, to, shape),
    heal() {
      for (const from of numbers)
        for (const to of numbers) {
          if (from === to) continue;
          proxy.shape(from, to, CLEAR_LINE);
          proxy.open(from, to);
        }
    },
    close: () => proxy.close(),
  };
}
