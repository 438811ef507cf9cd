import pino from 'pino';
import { DEFAULT_API_OPTIONS, type RunningApi, startApi } from '../../src/api/server.ts';
import type { AccountIdentity } from '../../src/client/keys.ts';
import { makeNodeClient, type NodeClient } from '../../src/client/node-client.ts';
import { type FakeNode, ledgerHash, makeFakeNode } from '../api/fake-node.ts';

/** The API over a fake node on a free port. */
export async function startNode(): Promise<{ api: RunningApi; node: FakeNode }> {
  const node = makeFakeNode();
  const listen = { host: '127.0.0.1', port: 0 };
  const api = await startApi(
    { ...DEFAULT_API_OPTIONS, listen, operatorListen: null },
    { ports: node.ports, logger: pino({ enabled: false }) },
  );
  return { api, node };
}

export function clientOf(api: RunningApi, identity: AccountIdentity | null): NodeClient {
  return makeNodeClient({ url: api.url, genesisHash: ledgerHash, identity });
}
