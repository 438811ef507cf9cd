import { equalBytes, toHex } from '../codec/bytes.ts';
import type { Proposal } from '../consensus/messages.ts';
import { decodeHeader } from '../ledger/block.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { attachmentHash, type DecodedTransaction } from '../ledger/transaction.ts';

/** Most blocks held that this node never voted for: a proposal a view, and what it fetched. */
const UNKEPT_MAX = 64;

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
  /** Names of the blocks kept, held or still to be put. */
  readonly #kept = new Set<string>();

  get(hash: Uint8Array): HeldBlock | undefined {
    return this.#byHash.get(toHex(hash));
  }

  put(block: HeldBlock): void {
    this.#byHash.set(toHex(block.hash), block);
    const unkept = [...this.#byHash.keys()].filter((name) => !this.#kept.has(name));
    if (unkept.length > UNKEPT_MAX) this.#byHash.delete(unkept[0]!);
  }

  /**
   * From now on the block is served until its height is decided: we vote for it, and a quorum may count on that
   * (consensus.md §4). One a view at most, of which the journal holds the bytes too.
   */
  keep(hash: Uint8Array): void {
    this.#kept.add(toHex(hash));
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
    for (const [name, { proposal }] of this.#byHash) {
      if (decodeHeader(proposal.header).height > height) continue;
      this.#byHash.delete(name);
      this.#kept.delete(name);
    }
  }
}
