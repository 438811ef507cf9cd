import type { Certificate } from '../ledger/certificate.ts';
import type { ValidatorSet } from '../ledger/validator-set.ts';
import type { JournalRecord } from './journal-record.ts';
import type { Message, Proposal } from './messages.ts';
import type { Parameters } from './parameters.ts';

/** All that the rules of one height depend on: read from the state after the block before it. */
export interface HeightContext {
  /** Height to agree on; that of the applied tip + 1. */
  readonly height: number;
  readonly validators: ValidatorSet;
  /** The set of height + 1, already known now. */
  readonly nextValidators: ValidatorSet;
  /** E(h): indices of the validators that are not skipped, ascending, never empty. */
  readonly eligible: readonly number[];
  /** Hash of the tip; for height 1 the genesis hash. */
  readonly previousHash: Uint8Array;
  readonly parentTimestampMs: number;
  /** In force at this height: a change made two blocks ago counts from here on (consensus.md §10). */
  readonly parameters: Parameters;
}

/** Timers that the core asks for, each at most once at a time. */
export type TimerName = 'view' | 'forward' | 'retransmit' | 'heartbeat' | 'status';

/**
 * What the journal is worth at start. `amnesia`: it is missing, or older than our store: sign nothing until peers have
 * shown where the ledger stands. `override`: the operator takes the risk (the only way with n ≤ 2).
 */
export type JournalStanding = 'intact' | 'amnesia' | 'override';

/** What the host found out about a proposal. `provable`: any honest node with the same bodies must refuse it. */
export type ValidationResult =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid'; readonly provable: boolean; readonly code: string };

/** Everything that can happen to the core, one at a time. Anything stale is dropped and counted. */
export type Input =
  /** Once, first. `tip` is the commit certificate of the tip, null at genesis. `records` in journal order. */
  | {
      readonly kind: 'Start';
      readonly context: HeightContext;
      readonly tip: Certificate | null;
      readonly records: readonly JournalRecord[];
      readonly journal: JournalStanding;
    }
  /**
   * A message of a peer. `from`: public key of the peer whose connection brought it. `verified`: the signature that
   * `admitMessage` named was found good; false only where it named none.
   */
  | { readonly kind: 'Message'; readonly from: Uint8Array; readonly message: Message; readonly verified: boolean }
  /** A timer ran out; `token` as in its SetTimer. */
  | { readonly kind: 'Timeout'; readonly timer: TimerName; readonly token: number }
  /** Answer to Build: a block whose bodies and attachments are all held, executed; null when there was nothing. */
  | { readonly kind: 'Built'; readonly height: number; readonly view: number; readonly proposal: Proposal | null }
  /** Answer to Validate. */
  | {
      readonly kind: 'Validated';
      readonly height: number;
      readonly view: number;
      readonly blockHash: Uint8Array;
      readonly result: ValidationResult;
    }
  /** Answer to Fetch: header, list and all bodies are held, and hash-checked. */
  | {
      readonly kind: 'Fetched';
      readonly height: number;
      readonly blockHash: Uint8Array;
      readonly proposal: Proposal;
    }
  /** The records of this Persist are on disk. */
  | { readonly kind: 'Synced'; readonly token: number }
  /** Whether a pending transaction executes at the head with its attachment held. Told after every change of it. */
  | { readonly kind: 'PendingChanged'; readonly height: number; readonly applicable: boolean }
  /** Answer to RecheckPending. */
  | { readonly kind: 'PendingRechecked'; readonly height: number; readonly applicable: boolean }
  /** A connection to a validator came up. */
  | { readonly kind: 'Connected'; readonly peer: Uint8Array }
  /** A peer showed a certified tip after our start (host-verified); asked for only in amnesia. */
  | { readonly kind: 'TipShown'; readonly peer: Uint8Array; readonly height: number }
  /** The block at context.height − 1 is applied and its batch synced, by Decide or by catch-up. */
  | { readonly kind: 'Applied'; readonly context: HeightContext; readonly certificate: Certificate };
