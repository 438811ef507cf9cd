import type { Role } from './account.ts';

/** A version of a record as execution put it on the ledger. */
interface RecordReceipt {
  readonly recordId: Uint8Array;
  readonly version: number;
  /** Author of this version. */
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly patient: Uint8Array;
}

/** What came of an applied transaction that its bytes alone do not say: the same on every node. */
export type Receipt =
  | {
      readonly kind: 'account.register';
      readonly address: Uint8Array;
      readonly role: Role;
      readonly organisation: Uint8Array;
    }
  | (RecordReceipt & { readonly kind: 'record.create' })
  | (RecordReceipt & { readonly kind: 'record.amend' });
