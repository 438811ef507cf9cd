import { concatBytes, uintBytes } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { bytes, enumeration, list, nullable, type Schema, struct, text, uint } from '../codec/schema.ts';
import type { CompactLog } from '../crypto/merkle.ts';
import { type Account, accountSchema } from './account.ts';
import { ACTION_CODES, type ActionKind, type Statement, validatorAddressesSchema } from './action.ts';
import { fromBinaryString, toBinaryStringAfter } from './binary-string.ts';
import { type Parameters, parametersSchema } from './parameters.ts';
import { PATIENT_LOG_CODES, type PatientLogKind } from './patient-log.ts';
import { RECENT_ID_PAGE_BYTES_MAX, type RecentIdPage, recentIdPageSchema } from './recent-ids.ts';
import { type Requirement, requirementSchema } from './requirement.ts';
import { VALIDATORS_MAX, type Validator, validatorListSchema } from './validator-set.ts';
import { VIEW_MAX } from './vote.ts';

/** One entry of the state set, or removed where `value` is undefined. */
export interface StateChange {
  /** Family code u8 ‖ key. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** The committed state after some height, as its host keeps it. */
export interface StateReader {
  /**
   * The value of an entry of `family` by its name (`stateName`), decoded; shared, so nobody alters it. Throws a
   * DecodeError when the committed value is damaged: a fault of this node alone.
   */
  read<T>(family: Family<T>, name: string): T | undefined;
  /** Whether a page of recent ids names this transaction. Of one that has expired either answer will do. */
  isRecent(txId: Uint8Array): boolean;
  /** Keys of the pages of recent ids with validUntilMs < `timestampMs`: exactly those of this state, in any order. */
  recentPagesExpiredBefore(timestampMs: number): readonly Uint8Array[];
}

/** A record as the state knows it: its newest version. Entries are never removed, so no id is used twice. */
export interface RecordState {
  readonly version: number;
  /** Author of version 1. */
  readonly creator: Uint8Array;
  /** Author of the newest version. */
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly patient: Uint8Array;
  readonly class: number;
  readonly retainUntilMs: number;
  /** Where the newest version stands. */
  readonly txId: Uint8Array;
  readonly height: number;
  readonly index: number;
}

/** A member organisation; whether it is active is the status of its account. */
export interface Organisation {
  readonly name: string;
  /** Height of its admission; 0 for genesis. */
  readonly admittedAt: number;
}

/** A seat that missed its turn as primary (consensus.md §1). Seats with neither misses nor a skip ahead have none. */
export interface SkipEntry {
  readonly publicKey: Uint8Array;
  readonly misses: number;
  /** Last height at which the seat is passed over. */
  readonly skippedUntil: number;
}

/** The time of one validator key in the set. Kept for ever: a key that left is never admitted again. */
export interface Tenure {
  readonly organisation: Uint8Array;
  /** The first key of its seat: what a rotation of keys leaves as it is. */
  readonly seat: Uint8Array;
  /** Multiaddrs that it was admitted with. */
  readonly addresses: readonly string[];
  /** First height at which the key is a validator's. */
  readonly fromHeight: number;
  /** First height at which it is none any more; null while nothing ends it. */
  readonly untilHeight: number | null;
}

/** What was shown of a validator that signed two payloads in one slot. */
export interface EvidenceEntry {
  readonly accused: Uint8Array;
  readonly organisation: Uint8Array;
  readonly statement: Statement;
  readonly height: number;
  readonly view: number;
  /** The transaction that shows it, and its block. */
  readonly txId: Uint8Array;
  readonly recordedAt: number;
}

/** Most UTF-8 bytes of an organisation's name. */
export const ORGANISATION_NAME_BYTES_MAX = 96;
/** Most organisations of one ledger. */
export const ORGANISATIONS_MAX = 256;
/** Heights of which one entry of evidence about a seat is taken. */
const EVIDENCE_SPAN_HEIGHTS = 1_000;

/** A kind of state entry: its code, how values are encoded, and the largest encoding. */
export interface Family<T> {
  readonly code: number;
  readonly schema: Schema<T>;
  readonly bytesMax: number;
}

const compactLogSchema = struct<CompactLog>({ count: uint(), peaks: list(bytes(32), 48) });

/**
 * Every family of the state; a code is never used again for another. Keys are given by the functions below, and those of
 * recent ids by recent-ids.ts. Retired: 3.
 */
export const FAMILIES = {
  account: { code: 1, schema: accountSchema, bytesMax: 4096 } as Family<Account>,
  record: {
    code: 2,
    schema: struct<RecordState>({
      version: uint(0xffffffff),
      creator: bytes(32),
      author: bytes(32),
      organisation: bytes(32),
      patient: bytes(32),
      class: uint(0xffff),
      retainUntilMs: uint(),
      txId: bytes(32),
      height: uint(),
      index: uint(0xffffffff),
    }),
    bytesMax: 256,
  } as Family<RecordState>,
  patientLog: { code: 4, schema: compactLogSchema, bytesMax: 2048 } as Family<CompactLog>,
  parameters: { code: 5, schema: parametersSchema, bytesMax: 256 } as Family<Parameters>,
  validators: { code: 6, schema: validatorListSchema, bytesMax: 8192 } as Family<readonly Validator[]>,
  skip: {
    code: 7,
    schema: list(struct<SkipEntry>({ publicKey: bytes(32), misses: uint(), skippedUntil: uint() }), VALIDATORS_MAX),
    bytesMax: 8192,
  } as Family<readonly SkipEntry[]>,
  requirement: { code: 8, schema: requirementSchema, bytesMax: 8192 } as Family<Requirement>,
  organisation: {
    code: 9,
    schema: struct<Organisation>({ name: text(ORGANISATION_NAME_BYTES_MAX), admittedAt: uint() }),
    bytesMax: 256,
  } as Family<Organisation>,
  /** Addresses of all organisations ever admitted, ascending: what a share of the members is counted over. */
  members: { code: 10, schema: list(bytes(32), ORGANISATIONS_MAX), bytesMax: 16 * 1024 } as Family<
    readonly Uint8Array[]
  >,
  /** By public key: every key that is or was a validator's. */
  tenure: {
    code: 11,
    schema: struct<Tenure>({
      organisation: bytes(32),
      seat: bytes(32),
      addresses: validatorAddressesSchema,
      fromHeight: uint(),
      untilHeight: nullable(uint()),
    }),
    bytesMax: 1024,
  } as Family<Tenure>,
  evidence: {
    code: 12,
    schema: struct<EvidenceEntry>({
      accused: bytes(32),
      organisation: bytes(32),
      statement: enumeration<Statement>({ PREPREPARE: 0, PREPARE: 1, COMMIT: 2, VIEWCHANGE: 3 }),
      height: uint(),
      view: uint(VIEW_MAX),
      txId: bytes(32),
      recordedAt: uint(),
    }),
    bytesMax: 256,
  } as Family<EvidenceEntry>,
  /** By block: what was applied and may not be again. */
  recentIds: {
    code: 13,
    schema: recentIdPageSchema,
    bytesMax: RECENT_ID_PAGE_BYTES_MAX,
  } as Family<RecentIdPage>,
} as const;

/** Key of the families that have a single entry. */
export const SINGLE_KEY = new Uint8Array(0);
/** In the state after height h: the validators of h+1, whose skip table and proposals follow. */
export const CURRENT_VALIDATORS_KEY = Uint8Array.of(0);
/** In the state after height h: the validators of h+2. */
export const SCHEDULED_VALIDATORS_KEY = Uint8Array.of(1);
/** In the state after height h: the parameters of h+2, once they were changed; those of h+1 have the single key. */
export const SCHEDULED_PARAMETERS_KEY = Uint8Array.of(1);

/** Family code u8 ‖ key: what the state, and the path in the authenticated map, are keyed by. */
export function stateKey<T>(family: Family<T>, key: Uint8Array): Uint8Array {
  return fromBinaryString(stateName(family, key));
}

/** The state key as a text of one character a byte: what entries are looked up by in memory. */
export function stateName<T>(family: Family<T>, key: Uint8Array): string {
  return toBinaryStringAfter(family.code, key);
}

/** The value that the stored bytes of an entry encode. Throws a DecodeError when they are damaged. */
export function decodeStateValue<T>(family: Family<T>, encoded: Uint8Array): T {
  return decode(family.schema, encoded, family.bytesMax);
}

/** Key of one of the three logs of a patient. */
export function patientLogKey(patient: Uint8Array, kind: PatientLogKind): Uint8Array {
  return concatBytes(patient, uintBytes(PATIENT_LOG_CODES[kind], 1));
}

/** Key of the ledger's requirement for an action, or of an organisation's additions to it. */
export function requirementKey(action: ActionKind, organisation: Uint8Array | null): Uint8Array {
  const code = uintBytes(ACTION_CODES[action], 2);
  return organisation === null ? code : concatBytes(code, organisation);
}

/** Key of what is shown of a seat within one span of heights: there is at most one entry for each. */
export function evidenceKey(seat: Uint8Array, height: number): Uint8Array {
  return concatBytes(seat, uintBytes(Math.floor(height / EVIDENCE_SPAN_HEIGHTS), 8));
}

/** Whether the key is a validator's at this height. */
export function isInForce(tenure: Tenure, height: number): boolean {
  return tenure.fromHeight <= height && (tenure.untilHeight === null || height < tenure.untilHeight);
}
