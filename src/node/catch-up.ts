import { equalBytes, toHex } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { HeightContext } from '../consensus/input.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { blockHash, decodeHeader } from '../ledger/block.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateFault, certificateSchema } from '../ledger/certificate.ts';
import { transactionHash } from '../ledger/transaction.ts';
import { type BlockFrame, decodeBlockFrame } from './block-frame.ts';
import { type BodyRequests, collectBodies } from './body-collector.ts';
import type { Chain } from './chain.ts';
import type { Mempool } from './mempool.ts';
import type { TransactionIntake } from './transaction-intake.ts';

const BLOCKS_PER_REQUEST = 64;
const BYTES_PER_REQUEST = 2 * 1024 * 1024;
const REQUEST_DEADLINE_MS = 8_000;
const RETRY_MS = 500;
/** So far behind, a second of small blocks, a loaded node may be for moments and still serve well. */
const HEIGHTS_IN_FLIGHT = 32;

/** What catch-up works with. */
export interface CatchUpDependencies {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly intake: TransactionIntake;
  readonly requests: BodyRequests & {
    requestBlocks(
      peer: Uint8Array,
      range: { readonly fromHeight: number; readonly maxBlocks: number; readonly maxBytes: number },
      signal: AbortSignal,
    ): Promise<readonly Uint8Array[]>;
  };
  readonly commit: (
    height: number,
    block: () => ExecutedBlock,
    certificate: Certificate,
    attachments: readonly Uint8Array[],
  ) => Promise<void>;
  readonly onApplied: (context: HeightContext, certificate: Certificate) => void;
  /** A peer served something that its height does not prove. */
  readonly onBadPeer: (peer: Uint8Array, reason: string) => void;
  readonly onFatal: (error: unknown) => void;
}

/**
 * Fetches decided blocks that this node missed. A height that a peer claims is a hint of where to ask; only a commit
 * certificate of the validators in force moves the chain (consensus.md §9).
 */
export class CatchUp {
  readonly #dependencies: CatchUpDependencies;
  readonly #hints = new Map<string, { readonly peer: Uint8Array; readonly height: number }>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(dependencies: CatchUpDependencies) {
    this.#dependencies = dependencies;
  }

  /** True while members hold blocks well beyond ours; one or two are just being decided. */
  get isBehind(): boolean {
    const tip = this.#dependencies.chain.tip.height;
    return [...this.#hints.values()].some(({ height }) => height > tip + HEIGHTS_IN_FLIGHT);
  }

  /** A peer may hold blocks up to `height`. */
  hint(height: number, peer: Uint8Array): void {
    if (height <= this.#dependencies.chain.tip.height || this.#closing.signal.aborted) return;
    const name = toHex(peer);
    const known = this.#hints.get(name);
    if (known === undefined || known.height < height) this.#hints.set(name, { peer, height });
    this.#running ??= this.#run()
      .catch((error: unknown) => this.#dependencies.onFatal(error))
      .finally(() => {
        this.#running = undefined;
      });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const tip = this.#dependencies.chain.tip.height;
      for (const [name, { height }] of this.#hints) if (height <= tip) this.#hints.delete(name);
      if (this.#hints.size === 0) return;
      let progressed = false;
      for (const [name, { peer }] of [...this.#hints]) {
        const before = this.#dependencies.chain.tip.height;
        await this.#fetchFrom(peer);
        if (this.#dependencies.chain.tip.height > before) progressed = true;
        // A claim that was not borne out is forgotten; a true one will be made again.
        else this.#hints.delete(name);
      }
      if (!progressed) await pause(RETRY_MS, this.#closing.signal);
    }
  }

  async #fetchFrom(peer: Uint8Array): Promise<void> {
    const { chain, requests, onBadPeer } = this.#dependencies;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REQUEST_DEADLINE_MS)]);
    const range = { fromHeight: chain.tip.height + 1, maxBlocks: BLOCKS_PER_REQUEST, maxBytes: BYTES_PER_REQUEST };
    const frames = await requests.requestBlocks(peer, range, signal).catch(() => []);
    for (const encoded of frames.slice(0, BLOCKS_PER_REQUEST)) {
      if (this.#closing.signal.aborted) return;
      const fault = await this.#apply(peer, encoded);
      if (fault !== undefined) {
        onBadPeer(peer, fault);
        return;
      }
    }
  }

  /** Applies one served block; says what is wrong with it when it is not the certified next one. */
  async #apply(peer: Uint8Array, encoded: Uint8Array): Promise<string | undefined> {
    const { chain, mempool, intake, requests, commit, onApplied } = this.#dependencies;
    const served = readServedBlock(encoded);
    if (served === undefined) return 'malformed';
    const { frame, certificate } = served;
    const header = decodeHeader(frame.header);
    // Consensus decided it meanwhile.
    if (header.height <= chain.tip.height) return undefined;
    if (header.height !== chain.tip.height + 1 || certificate.height !== header.height) return 'height';
    if (!equalBytes(certificate.blockHash, blockHash(frame.header))) return 'hash';
    const fault = certificateFault('COMMIT', certificate, chain.validators, chain.genesisHash, verifySignature);
    if (fault !== undefined) return `certificate/${fault}`;
    const txHashes = frame.transactions.map(transactionHash);
    if (!equalBytes(merkleRoot(txHashes), header.txRoot)) return 'txRoot';

    const fromFrame = servedBodies(frame, txHashes, requests);
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REQUEST_DEADLINE_MS)]);
    const parts = { genesisHash: chain.genesisHash, mempool, intake, requests: fromFrame };
    const bodies = await collectBodies(parts, txHashes, [peer], signal);
    if (bodies === undefined) return 'bodies';
    await intake.verifyAhead(bodies.transactions);
    const execute = (): ExecutedBlock => {
      const check = chain.check(frame.header, bodies.transactions, { kind: 'catchUp' });
      if (check.kind === 'valid') return check.block;
      // A quorum vouches for it, so the fault is here: going on would serve a forked state.
      throw new Error(
        `block ${header.height} is certified but does not execute here: ${check.fault.code}, ${check.fault.detail}`,
      );
    };
    await commit(header.height, execute, certificate, bodies.attachments);
    onApplied(chain.heightContext(), certificate);
    return undefined;
  }
}

function readServedBlock(encoded: Uint8Array): { frame: BlockFrame; certificate: Certificate } | undefined {
  try {
    const frame = decodeBlockFrame(encoded);
    decodeHeader(frame.header);
    return { frame, certificate: decode(certificateSchema, frame.certificate, CERTIFICATE_BYTES_MAX) };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Requests of which the bodies are answered by the frame itself; attachments still come from members. */
function servedBodies(frame: BlockFrame, txHashes: readonly Uint8Array[], requests: BodyRequests): BodyRequests {
  const bodies = new Map(txHashes.map((hash, place) => [toHex(hash), frame.transactions[place]!]));
  return {
    connectedPeers: () => requests.connectedPeers(),
    requestAttachments: (peer, hashes, signal) => requests.requestAttachments(peer, hashes, signal),
    requestBodies: (_peer, hashes) => Promise.resolve(hashes.map((hash) => bodies.get(toHex(hash)) ?? null)),
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
