import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { GossipSub } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { ConnectionGater, Ed25519PrivateKey, Libp2p } from '@libp2p/interface';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { withCorkedWrites } from './corked-writes.ts';
import { gossipService } from './gossip.ts';
import type { NetworkLimits } from './protocols.ts';
import { withQuietWindows } from './quiet-windows.ts';

/** The libp2p services that a node of ours runs. */
export type NodeServices = { identify: Identify; ping: Ping; gossip: GossipSub };

/** What may be under way on one stream. libp2p resets a paused stream that has 4 MiB unread: stay below. */
const STREAM_WINDOW_BYTES_MAX = 2 * 1024 * 1024;

/**
 * A libp2p node with exactly what network.md names: TCP, Noise, Yamux, identify, ping and gossipsub. It is not started,
 * so that every protocol can be registered before the first peer asks for one. It dials nobody on its own.
 */
export function createNode(
  privateKey: Ed25519PrivateKey,
  listen: readonly string[],
  limits: NetworkLimits,
  connectionGater: ConnectionGater,
): Promise<Libp2p<NodeServices>> {
  return createLibp2p<NodeServices>({
    start: false,
    privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [withCorkedWrites(noise())],
    streamMuxers: [
      withQuietWindows(
        yamux({
          maxInboundStreams: 256,
          maxOutboundStreams: 256,
          streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX },
        }),
      ),
    ],
    connectionGater,
    connectionManager: {
      maxConnections: limits.connectionsMax,
      maxIncomingPendingConnections: limits.pendingConnectionsMax,
      inboundConnectionThreshold: limits.connectionsPerHostPerSecond,
      inboundUpgradeTimeout: limits.handshakeTimeoutMs,
      dialTimeout: limits.dialTimeoutMs,
      reconnectRetries: 0,
    },
    // Pings only measure: a loaded machine may leave one waiting, and aborting a connection that is just closing throws
    // past every handler. A dead peer is noticed by its outbox.
    connectionMonitor: {
      pingInterval: limits.pingIntervalMs,
      pingTimeout: { minTimeout: 15_000 },
      abortConnectionOnPingFailure: false,
    },
    services: { identify: identify(), ping: ping(), gossip: gossipService() },
  });
}
