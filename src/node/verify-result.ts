/** What a whole check of a node's ledger found. */
export type VerifyResult =
  | {
      readonly kind: 'sound';
      /** The first block that was executed again: 1, unless the node joined by a snapshot before it. */
      readonly fromHeight: number;
      readonly height: number;
      readonly transactions: number;
      readonly attachments: number;
      /** Attachments that blocks declare and that are not here: a node may do without those of old blocks. */
      readonly attachmentsMissing: number;
      readonly tipHash: Uint8Array;
      readonly stateRoot: Uint8Array;
    }
  /** `height`: the block at fault; 0 for the genesis; null for the ledger store or its state as a whole. */
  | { readonly kind: 'damaged'; readonly height: number | null; readonly detail: string };
