import { DecodeError } from '../codec/decode-error.ts';
import { type Schema, struct, uint } from '../codec/schema.ts';
import { BLOCK_BODY_BYTES_MAX, BLOCK_TRANSACTIONS_MAX } from './block.ts';

/**
 * The constants that all nodes of one ledger share. The genesis has the first; the members change them
 * (`parameters.set`), and block h goes by those in force at h.
 */
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
  /** Newest protocol version that is in force or announced. Rises by one at a time. */
  readonly protocolVersion: number;
  /** First height of `protocolVersion`; below it the version before is in force. */
  readonly protocolVersionFrom: number;
}

/** Largest protocol version that a header can name. */
const PROTOCOL_VERSION_MAX = 0xffff;

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
  // Whether a build knows a version is no matter of validity: nodes of different builds would disagree about it.
  protocolVersion: [1, 1, PROTOCOL_VERSION_MAX],
  protocolVersionFrom: [0, 0, Number.MAX_SAFE_INTEGER],
};

/** All parameters, in the order of the table. */
export const PARAMETER_NAMES = Object.keys(PARAMETER_BOUNDS) as readonly (keyof Parameters)[];

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
  protocolVersion: PARAMETER_BOUNDS.protocolVersion[1],
  protocolVersionFrom: PARAMETER_BOUNDS.protocolVersionFrom[1],
};

/** What the ledgers of the first builds have. */
type FirstParameters = Omit<Parameters, 'protocolVersion' | 'protocolVersionFrom'>;

const firstFields = {
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
};
const firstSchema = struct<FirstParameters>(firstFields);
const wholeSchema = struct<Parameters>({
  ...firstFields,
  protocolVersion: uint(PROTOCOL_VERSION_MAX),
  protocolVersionFrom: uint(),
});

/**
 * Wire and state form of the parameters, in the order of the table. While the ledger is of version 1 the last two are
 * left out, so that the documents and states of the first builds keep their bytes.
 */
export const parametersSchema: Schema<Parameters> = {
  toItem: (value) => (isFirstVersion(value) ? firstSchema : wholeSchema).toItem(value),
  fromItem(item, at) {
    if (Array.isArray(item) && item.length === Object.keys(firstFields).length)
      return { ...firstSchema.fromItem(item, at), protocolVersion: 1, protocolVersionFrom: 0 };
    const value = wholeSchema.fromItem(item, at);
    if (isFirstVersion(value)) throw new DecodeError(`${at || 'value'} names version 1, which is left out`);
    return value;
  },
};

/** The first parameter that is out of bounds, in words; undefined when all are well. */
export function parametersFault(parameters: Parameters): string | undefined {
  for (const name of PARAMETER_NAMES) {
    const [least, , most] = PARAMETER_BOUNDS[name];
    const value = parameters[name];
    if (!Number.isSafeInteger(value) || value < least || value > most)
      return `parameter ${name} is ${value}; it must be a whole number from ${least} to ${most}`;
  }
  if (parameters.viewTimeoutMaxMs < parameters.viewTimeoutMs)
    return 'parameter viewTimeoutMaxMs is smaller than viewTimeoutMs';
  if (parameters.protocolVersion === 1 && parameters.protocolVersionFrom !== 0)
    return 'parameter protocolVersionFrom is not 0 with protocolVersion 1, which is that of every ledger from its start';
  return undefined;
}

/** The protocol version of the block at `height`, by the parameters in force at that height. */
export function protocolVersionAt(parameters: Parameters, height: number): number {
  const { protocolVersion, protocolVersionFrom } = parameters;
  return height >= protocolVersionFrom ? protocolVersion : protocolVersion - 1;
}

/** True when both have the same values. */
export function isSameParameters(a: Parameters, b: Parameters): boolean {
  return PARAMETER_NAMES.every((name) => a[name] === b[name]);
}

function isFirstVersion({ protocolVersion, protocolVersionFrom }: Parameters): boolean {
  return protocolVersion === 1 && protocolVersionFrom === 0;
}
