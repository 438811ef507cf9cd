import { struct, uint } from '../codec/schema.ts';
import { BLOCK_BODY_BYTES_MAX, BLOCK_TRANSACTIONS_MAX } from './block.ts';

/** The constants that all nodes of one ledger share; they stand in the genesis and in the state. */
export interface Parameters {
  /** Transactions in a block. */
  readonly blockTransactionsMax: number;
  /** Sum of the encodings of a block's transactions, bytes. */
  readonly blockBodyBytesMax: number;
  /** Sum of the attachment sizes that a block's transactions declare, bytes. */
  readonly blockAttachmentBytesMax: number;
  /** Sum of `transactionCost` over a block. */
  readonly executionCostMax: number;
  /** How far validUntilMs may lie after the block's timestamp. */
  readonly maxValidityMs: number;
  /** How far a fresh proposal's timestamp may lie ahead of the receiver's clock. */
  readonly precisionMs: number;
  /** An idle ledger makes a block this often. */
  readonly heartbeatMs: number;
  /** T0: timeout of view 0. */
  readonly viewTimeoutMs: number;
  /** Tmax: largest timeout of any view. */
  readonly viewTimeoutMaxMs: number;
  /** Heights for which older versions of the state map stay readable. */
  readonly keepStates: number;
  /** Heights whose transaction bodies every node keeps. */
  readonly keepRecent: number;
  /** A snapshot is made at multiples of this height. */
  readonly snapshotInterval: number;
}

type Bound = readonly [least: number, usual: number, most: number];

/** The one table: least, default and largest value of each parameter. */
export const PARAMETER_BOUNDS: Readonly<Record<keyof Parameters, Bound>> = {
  blockTransactionsMax: [1, 2_000, BLOCK_TRANSACTIONS_MAX],
  blockBodyBytesMax: [16 * 1024, BLOCK_BODY_BYTES_MAX, BLOCK_BODY_BYTES_MAX],
  blockAttachmentBytesMax: [16 * 1024, 8 * 1024 * 1024, 32 * 1024 * 1024],
  executionCostMax: [10_000, 1_000_000, 100_000_000],
  maxValidityMs: [10_000, 600_000, 86_400_000],
  precisionMs: [1, 500, 60_000],
  heartbeatMs: [100, 30_000, 3_600_000],
  viewTimeoutMs: [10, 1_000, 60_000],
  viewTimeoutMaxMs: [10, 16_000, 600_000],
  keepStates: [2, 64, 100_000],
  keepRecent: [16, 4_096, 10_000_000],
  snapshotInterval: [16, 1_024, 1_000_000],
};

/** The defaults of the table: what a ledger runs with unless its genesis says otherwise. */
export const DEFAULT_PARAMETERS: Parameters = {
  blockTransactionsMax: PARAMETER_BOUNDS.blockTransactionsMax[1],
  blockBodyBytesMax: PARAMETER_BOUNDS.blockBodyBytesMax[1],
  blockAttachmentBytesMax: PARAMETER_BOUNDS.blockAttachmentBytesMax[1],
  executionCostMax: PARAMETER_BOUNDS.executionCostMax[1],
  maxValidityMs: PARAMETER_BOUNDS.maxValidityMs[1],
  precisionMs: PARAMETER_BOUNDS.precisionMs[1],
  heartbeatMs: PARAMETER_BOUNDS.heartbeatMs[1],
  viewTimeoutMs: PARAMETER_BOUNDS.viewTimeoutMs[1],
  viewTimeoutMaxMs: PARAMETER_BOUNDS.viewTimeoutMaxMs[1],
  keepStates: PARAMETER_BOUNDS.keepStates[1],
  keepRecent: PARAMETER_BOUNDS.keepRecent[1],
  snapshotInterval: PARAMETER_BOUNDS.snapshotInterval[1],
};

/** Wire and state form of the parameters, in the order of the table. */
export const parametersSchema = struct<Parameters>({
  blockTransactionsMax: uint(),
  blockBodyBytesMax: uint(),
  blockAttachmentBytesMax: uint(),
  executionCostMax: uint(),
  maxValidityMs: uint(),
  precisionMs: uint(),
  heartbeatMs: uint(),
  viewTimeoutMs: uint(),
  viewTimeoutMaxMs: uint(),
  keepStates: uint(),
  keepRecent: uint(),
  snapshotInterval: uint(),
});

/** The first parameter that is out of bounds, in words; undefined when all are well. */
export function parametersFault(parameters: Parameters): string | undefined {
  for (const name of Object.keys(PARAMETER_BOUNDS) as (keyof Parameters)[]) {
    const [least, , most] = PARAMETER_BOUNDS[name];
    const value = parameters[name];
    if (!Number.isSafeInteger(value) || value < least || value > most)
      return `parameter ${name} is ${value}; it must be a whole number from ${least} to ${most}`;
  }
  if (parameters.viewTimeoutMaxMs < parameters.viewTimeoutMs)
    return 'parameter viewTimeoutMaxMs is smaller than viewTimeoutMs';
  return undefined;
}
