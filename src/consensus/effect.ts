import type { Certificate } from '../ledger/certificate.ts';
import type { TimerName } from './input.ts';
import type { JournalRecord } from './journal-record.ts';
import type { Message, Proposal } from './messages.ts';

/** Two different payloads of one signer in one slot: proof of a fault, never a ground to slash by itself. */
export interface EvidencePair {
  readonly height: number;
  /** View, or newView of a VIEWCHANGE. */
  readonly view: number;
  readonly statement: 'PREPREPARE' | 'PREPARE' | 'COMMIT' | 'VIEWCHANGE';
  readonly signer: number;
  readonly publicKey: Uint8Array;
  readonly first: SignedPreimage;
  readonly second: SignedPreimage;
}

/** Bytes and the signature over them. */
interface SignedPreimage {
  readonly preimage: Uint8Array;
  readonly signature: Uint8Array;
}

/** Closed list of things worth telling. `alarm` needs an operator. */
export type ReportCode =
  | 'started'
  | 'viewChangeSent'
  | 'viewEntered'
  | 'proposalRefused'
  | 'proposalInvalid'
  | 'reproposalRefused'
  | 'equivocation'
  | 'nothingBuilt'
  | 'amnesia'
  | 'amnesiaEnds'
  | 'amnesiaOverridden'
  | 'unknownOwnSignature'
  | 'viewsExhausted';

/** What the host is to do, in this order. */
export type Effect =
  /**
   * Append the records to the journal and sync, then give Synced{token}. The core itself holds back what depends on
   * it, so other effects need not wait; Persists must reach the disk in their order. Failure is fatal.
   */
  | { readonly kind: 'Persist'; readonly token: number; readonly records: readonly JournalRecord[] }
  /** To every other validator of the current height. */
  | { readonly kind: 'Broadcast'; readonly message: Message }
  /** To one peer by public key; dropped when it is not connected. */
  | { readonly kind: 'Send'; readonly to: Uint8Array; readonly message: Message }
  /** Replaces a running timer of the same name. Monotonic local time. */
  | { readonly kind: 'SetTimer'; readonly timer: TimerName; readonly token: number; readonly afterMs: number }
  | { readonly kind: 'CancelTimer'; readonly timer: TimerName }
  /** Make a block on the tip (timestamp = max(parent + 1, own clock)); null allowed unless `allowEmpty`. */
  | {
      readonly kind: 'Build';
      readonly height: number;
      readonly view: number;
      readonly proposer: number;
      readonly allowEmpty: boolean;
    }
  /**
   * Get the bodies (and, if fresh, all attachments) within `deadlineMs` from any peer, check and execute; `fresh` adds
   * the timestamp check. Answer Validated; a missing body or a timestamp ahead is invalid but not provable.
   */
  | {
      readonly kind: 'Validate';
      readonly height: number;
      readonly view: number;
      readonly blockHash: Uint8Array;
      readonly proposal: Proposal;
      readonly mode: 'fresh' | 'reproposed';
      readonly deadlineMs: number;
    }
  /** Get header, list and bodies by hash, first from own journal, then from the signers. Repeated until answered. */
  | {
      readonly kind: 'Fetch';
      readonly height: number;
      readonly blockHash: Uint8Array;
      readonly from: readonly Uint8Array[];
    }
  /** Apply this block (bodies held), sync, then give Applied. Given once a height. */
  | {
      readonly kind: 'Decide';
      readonly height: number;
      readonly blockHash: Uint8Array;
      readonly proposal: Proposal;
      readonly certificate: Certificate;
    }
  /** Journal records up to `height` may be replaced by one Truncated record. */
  | { readonly kind: 'Truncate'; readonly height: number; readonly blockHash: Uint8Array }
  /** A hint that block `height` exists; the certificate, where given, is not yet checked. */
  | {
      readonly kind: 'Behind';
      readonly height: number;
      readonly from: Uint8Array;
      readonly certificate: Certificate | null;
    }
  | { readonly kind: 'Evidence'; readonly pair: EvidencePair }
  /** Send the oldest pending transactions with their attachments to all validators. */
  | { readonly kind: 'ForwardPending'; readonly height: number }
  /** Execute what is pending against the head again, drop with a reason what fails, answer PendingRechecked. */
  | { readonly kind: 'RecheckPending'; readonly height: number }
  /** Ask all validators for their certified tips; give TipShown for each. Repeated until enough came. */
  | { readonly kind: 'AskTips' }
  | {
      readonly kind: 'Report';
      readonly level: 'info' | 'warn' | 'alarm';
      readonly code: ReportCode;
      readonly height: number;
      readonly view: number;
      readonly detail: string;
    };
