import type { Role } from './account.ts';
import type { FaultTolerance, Statement } from './action.ts';

/** A version of a record as execution put it on the ledger. */
interface RecordReceipt {
  readonly recordId: Uint8Array;
  readonly version: number;
  /** Author of this version. */
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly patient: Uint8Array;
}

/** A seat of the validators as a change leaves it. */
interface SeatReceipt {
  /** Whose seat it is. */
  readonly organisation: Uint8Array;
  /** First key of the seat. */
  readonly seat: Uint8Array;
  /** First height at which the change is in force. */
  readonly fromHeight: number;
  /** f before and after. */
  readonly tolerance: FaultTolerance;
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
  | (RecordReceipt & { readonly kind: 'record.amend' })
  | (SeatReceipt & { readonly kind: 'validator.add'; readonly publicKey: Uint8Array })
  | (SeatReceipt & { readonly kind: 'validator.remove'; readonly publicKey: Uint8Array })
  | (SeatReceipt & {
      readonly kind: 'validator.rotate';
      readonly publicKey: Uint8Array;
      readonly newPublicKey: Uint8Array;
    })
  | {
      readonly kind: 'evidence.submit';
      /** Organisation of the accused. */
      readonly organisation: Uint8Array;
      readonly accused: Uint8Array;
      readonly statement: Statement;
      readonly height: number;
      readonly view: number;
    }
  | {
      readonly kind: 'parameters.set';
      /** First height at which the parameters are in force. */
      readonly fromHeight: number;
    };
