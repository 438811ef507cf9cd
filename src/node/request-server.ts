import { toHex } from '../codec/bytes.ts';
import { cidText, isPayloadBlockCid } from '../crypto/payload-cid.ts';
import type { Store } from '../storage/block-store.ts';
import type { PayloadStore } from '../storage/payload-store.ts';
import { encodeBlockFrame } from './block-frame.ts';
import type { HeldBlocks } from './held-blocks.ts';
import type { Mempool } from './mempool.ts';

/** Where answers come from. */
export interface RequestServerDependencies {
  readonly store: Store;
  readonly mempool: Mempool;
  readonly held: HeldBlocks;
  readonly payloads: PayloadStore;
  /** Something of our own is damaged, for the operator to hear of; the asker gets it from another member. */
  readonly onDamaged: (error: unknown) => void;
}

/** What this node answers to other members. All of it is named by hash or certified: they check what they get. */
export interface RequestServer {
  blocks(range: { fromHeight: number; maxBlocks: number; maxBytes: number }): Promise<Uint8Array[]>;
  /** A whole block by its hash, undecided or committed, as a frame. */
  block(hash: Uint8Array): Promise<Uint8Array | null>;
  bodies(hashes: readonly Uint8Array[]): Promise<(Uint8Array | null)[]>;
  attachments(hashes: readonly Uint8Array[]): Promise<(Uint8Array | null)[]>;
  payload(cid: Uint8Array): Promise<Uint8Array | null>;
}

/** Answers from the store, the pool and the blocks being agreed on. */
export function createRequestServer(dependencies: RequestServerDependencies): RequestServer {
  const { store, mempool, held, payloads, onDamaged } = dependencies;

  /** A damaged one must not cost the asker the others. */
  async function storedAttachment(hash: Uint8Array): Promise<Uint8Array | null> {
    try {
      return (await store.attachment(hash)) ?? null;
    } catch (error) {
      onDamaged(error);
      return null;
    }
  }

  async function committedFrame(height: number): Promise<Uint8Array | undefined> {
    const [header, certificate, transactions] = await Promise.all([
      store.header(height),
      store.certificate(height),
      store.bodies(height),
    ]);
    if (header === undefined || certificate === undefined || transactions === undefined) return undefined;
    return encodeBlockFrame({ header, certificate, transactions });
  }

  function body(hash: Uint8Array): Uint8Array | null {
    const pending = mempool.byHash(toHex(hash));
    return pending?.decoded.encoded ?? held.transaction(hash)?.encoded ?? null;
  }

  return {
    async blocks({ fromHeight, maxBlocks, maxBytes }) {
      const frames: Uint8Array[] = [];
      let bytes = 0;
      const end = Math.min(fromHeight + maxBlocks - 1, store.tip()?.height ?? 0);
      for (let height = fromHeight; height <= end; height += 1) {
        const frame = await committedFrame(height);
        if (frame === undefined || (frames.length > 0 && bytes + frame.length > maxBytes)) break;
        frames.push(frame);
        bytes += frame.length;
      }
      return frames;
    },
    async block(hash) {
      const block = held.get(hash);
      if (block !== undefined) {
        const transactions = block.transactions.map(({ encoded }) => encoded);
        return encodeBlockFrame({ header: block.proposal.header, certificate: new Uint8Array(0), transactions });
      }
      const height = await store.heightOfHash(hash);
      return height === undefined ? null : ((await committedFrame(height)) ?? null);
    },
    bodies: async (hashes) => hashes.map(body),
    attachments: (hashes) =>
      Promise.all(
        hashes.map((hash) => mempool.attachment(toHex(hash)) ?? held.attachment(hash) ?? storedAttachment(hash)),
      ),
    async payload(cid) {
      // Of any other name nothing can be held.
      return isPayloadBlockCid(cid) ? ((await payloads.get(cidText(cid))) ?? null) : null;
    },
  };
}
