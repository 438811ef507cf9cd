import { EventEmitter, once } from 'node:events';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { blockHash, encodeHeader } from '../../src/ledger/block.ts';
import { certificateSchema } from '../../src/ledger/certificate.ts';
import { encodeHeaderFrame, readHeaderFrame } from '../../src/node/linked-header.ts';
import type { AdmittedPeer } from '../../src/p2p/gate.ts';
import { createNetwork, type Network } from '../../src/p2p/network.ts';
import type { HistoryRequest } from '../../src/p2p/protocols.ts';

const PATIENCE_MS = 15_000;
/** Far beyond any ledger, and still a height. */
const ABSURD_HEIGHT = 2 ** 50;

/** How a peer lies. */
type Lie =
  /** Passes on what an honest node says, but changes every chunk and every block. */
  | 'badData'
  /** Claims a height of 2^50, with a certificate of its own making. */
  | 'absurdHeight';

/** What a lying peer is started with. */
export interface LyingPeerOptions {
  readonly lie: Lie;
  readonly seed: Uint8Array;
  readonly port: number;
  readonly genesisHash: Uint8Array;
  /** Where it gets the truth that it distorts. */
  readonly honest: AdmittedPeer;
  readonly victim: AdmittedPeer;
}

/** A listed peer of a node under test that does not speak the truth. */
export class LyingPeer {
  readonly publicKey: Uint8Array;
  /** Kinds of request that the victim sent, with how often. */
  readonly asked = new Map<string, number>();
  readonly #options: LyingPeerOptions;
  readonly #events = new EventEmitter();
  #network: Network | undefined;

  constructor(options: LyingPeerOptions) {
    this.#options = options;
    this.publicKey = sodiumSigner(options.seed).publicKey;
  }

  async start(): Promise<void> {
    const { seed, port, honest, victim, genesisHash } = this.#options;
    const nothing = () => undefined;
    this.#network = await createNetwork(
      {
        seed,
        listen: [`/ip4/127.0.0.1/tcp/${port}`],
        peers: [honest, victim],
        topicSuffix: toHex(genesisHash),
        log: { debug: nothing, info: nothing, warn: nothing },
      },
      {
        onConsensus: nothing,
        onTransactions: nothing,
        onBlock: nothing,
        onConnected: () => this.#events.emit('connected'),
        onDisconnected: nothing,
        requests: {
          blocks: (request, from) => this.#lieTo(from, 'blocks', () => this.#badBlocks(request)),
          block: async () => null,
          bodies: async (hashes) => hashes.map(() => null),
          attachments: async (hashes) => hashes.map(() => null),
          payload: async () => null,
          history: (request, from) => this.#lieTo(from, request.kind, () => this.#history(request)),
        },
      },
    );
  }

  /** Resolves once the honest node is connected. */
  async connected(): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (this.#network!.connectedPeers().length === 0) await once(this.#events, 'connected', { signal });
  }

  async close(): Promise<void> {
    await this.#network?.close();
  }

  /** Everybody else, the honest node above all, would cut it and end the game. */
  async #lieTo(
    from: Uint8Array,
    kind: string,
    answer: () => Promise<readonly Uint8Array[]>,
  ): Promise<readonly Uint8Array[]> {
    if (!equalBytes(from, this.#options.victim.publicKey)) return [];
    this.asked.set(kind, (this.asked.get(kind) ?? 0) + 1);
    return answer();
  }

  async #badBlocks(request: {
    fromHeight: number;
    maxBlocks: number;
    maxBytes: number;
  }): Promise<readonly Uint8Array[]> {
    if (this.#options.lie === 'absurdHeight') return [];
    const blocks = await this.#network!.requestBlocks(this.#options.honest.publicKey, request);
    return blocks.map(flipped);
  }

  async #history(request: HistoryRequest): Promise<readonly Uint8Array[]> {
    const items = await this.#network!.requestHistory(this.#options.honest.publicKey, request);
    if (this.#options.lie === 'badData') return request.kind === 'chunk' ? items.map(flipped) : items;
    return request.kind === 'tip' || request.kind === 'snapshot' ? items.map(absurd) : [];
  }
}

/** The bytes with one of them changed, near the end: the form stays. */
function flipped(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  changed[changed.length - 5]! ^= 1;
  return changed;
}

/** The header moved to an absurd height, under the signatures of the true one. */
function absurd(frame: Uint8Array): Uint8Array {
  const { header, certificate } = readHeaderFrame(frame)!;
  const moved = encodeHeader({ ...header, height: ABSURD_HEIGHT });
  const forged = { ...certificate!, height: ABSURD_HEIGHT, blockHash: blockHash(moved) };
  return encodeHeaderFrame(moved, encode(certificateSchema, forged));
}
