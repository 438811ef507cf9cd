import type { BlockView } from '../../src/api/contract/schemas.ts';
import { fromBase64url } from '../../src/api/contract/text.ts';
import { makeNodeClient, type NodeClient } from '../../src/client/index.ts';
import { decode } from '../../src/codec/cbor.ts';
import { CERTIFICATE_BYTES_MAX, certificateSchema } from '../../src/ledger/certificate.ts';
import type { BenchNetwork, BenchProcess } from '../network.ts';
import type { BlockSighting } from './first-commit.ts';

const RETRY_MS = 50;

/** Clients that ask a node where it stands; they sign nothing. */
export function clientOf({ genesisHash }: Pick<BenchNetwork, 'genesisHash'>, { apiUrl }: BenchProcess): NodeClient {
  return makeNodeClient({ url: apiUrl, genesisHash, identity: null });
}

/** View in which a block was agreed on. */
export function viewOf({ certificate }: BlockView): number {
  return decode(certificateSchema, fromBase64url(certificate), CERTIFICATE_BYTES_MAX).view;
}

/** Listens to the block events of some nodes, and to those of one that comes back, until it is closed. */
export class BlockWatch {
  readonly sightings: BlockSighting[] = [];
  readonly #closing = new AbortController();
  readonly #loops: readonly Promise<void>[];
  #tipHeight = 0;

  constructor(clients: readonly NodeClient[]) {
    this.#loops = clients.map((client, node) => this.#listen(client, node));
  }

  /** Highest height that any node told of. */
  get tipHeight(): number {
    return this.#tipHeight;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#loops);
  }

  async #listen(client: NodeClient, node: number): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        for await (const { height } of client.events(undefined, signal)) {
          this.sightings.push({ node, height, atMs: performance.now() });
          this.#tipHeight = Math.max(this.#tipHeight, height);
        }
      } catch {
        // It is down, or not up yet.
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
