import { equalBytes, toHex } from '../codec/bytes.ts';
import type { Proposal } from '../consensus/messages.ts';
import { decodeHeader } from '../ledger/block.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { attachmentHash, type DecodedTransaction } from '../ledger/transaction.ts';

/** Most blocks of one height held at once; with that many views a height has long since been given up. */
const BLOCKS_MAX = 64;

/** An undecided block with all its bodies. */
export interface HeldBlock {
  readonly hash: Uint8Array;
  readonly proposal: Proposal;
  readonly transactions: readonly DecodedTransaction[];
  /** Those that its transactions declare; fewer for a block that was re-proposed and whose attachments are elsewhere. */
  readonly attachments: readonly Uint8Array[];
  /** The result of executing it on the tip, once that was done. */
  executed: ExecutedBlock | undefined;
}

/** The undecided blocks that this node built, validated or fetched, by hash: each is executed once. */
export class HeldBlocks {
  readonly #byHash = new Map<string, HeldBlock>();

  get(hash: Uint8Array): HeldBlock | undefined {
    return this.#byHash.get(toHex(hash));
  }

  put(block: HeldBlock): void {
    this.#byHash.set(toHex(block.hash), block);
    if (this.#byHash.size > BLOCKS_MAX) this.#byHash.delete(this.#byHash.keys().next().value!);
  }

  /** A transaction of a held block by its hash. */
  transaction(txHash: Uint8Array): DecodedTransaction | undefined {
    for (const { transactions } of this.#byHash.values()) {
      const found = transactions.find((transaction) => equalBytes(transaction.txHash, txHash));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** An attachment of a held block by its hash. */
  attachment(hash: Uint8Array): Uint8Array | undefined {
    for (const { attachments } of this.#byHash.values()) {
      const found = attachments.find((attachment) => equalBytes(attachmentHash(attachment), hash));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Forgets the blocks of decided heights. */
  dropThrough(height: number): void {
    for (const [name, { proposal }] of this.#byHash)
      if (decodeHeader(proposal.header).height <= height) this.#byHash.delete(name);
  }
}
