import { toHex, utf8 } from '../../src/codec/bytes.ts';
import { decodeMessage, encodeMessage, type Prepare } from '../../src/consensus/messages.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import type { AdmittedPeer } from '../../src/p2p/gate.ts';
import { createNetwork, type Network } from '../../src/p2p/network.ts';

/** What an equivocating validator is started with. */
export interface EquivocatingPeerOptions {
  /** Of its validator key. */
  readonly seed: Uint8Array;
  /** Its index in the set. */
  readonly validator: number;
  readonly port: number;
  readonly genesisHash: Uint8Array;
  readonly peers: readonly AdmittedPeer[];
}

/** A validator that answers every proposal with two PREPAREs for different blocks, to all alike. */
export class EquivocatingPeer {
  readonly #options: EquivocatingPeerOptions;
  #network: Network | undefined;

  constructor(options: EquivocatingPeerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { seed, port, peers, genesisHash } = this.#options;
    const nothing = () => undefined;
    this.#network = await createNetwork(
      {
        seed,
        listen: [`/ip4/127.0.0.1/tcp/${port}`],
        peers,
        topicSuffix: toHex(genesisHash),
        log: { debug: nothing, info: nothing, warn: nothing },
      },
      {
        onConsensus: (_, frame) => {
          const message = decodeMessage(frame);
          if (message.kind !== 'PrePrepare') return;
          for (const blockHash of [message.blockHash, sha256(utf8('another block'))])
            this.#network?.broadcast(encodeMessage(this.#prepare(message.height, message.view, blockHash)));
        },
        onTransactions: nothing,
        onBlock: nothing,
        onConnected: nothing,
        onDisconnected: nothing,
        requests: {
          blocks: async () => [],
          block: async () => null,
          bodies: async (hashes) => hashes.map(() => null),
          attachments: async (hashes) => hashes.map(() => null),
          payload: async () => null,
          history: async () => [],
        },
      },
    );
  }

  async close(): Promise<void> {
    await this.#network?.close();
  }

  #prepare(height: number, view: number, blockHash: Uint8Array): Prepare {
    const { seed, validator, genesisHash } = this.#options;
    const vote = { height, view, blockHash };
    const signature = sodiumSigner(seed).sign(votePreimage('PREPARE', genesisHash, vote));
    return { kind: 'Prepare', ...vote, signer: validator, signature };
  }
}
