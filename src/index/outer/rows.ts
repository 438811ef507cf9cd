/** A block that counts as applied. */
export interface AppliedBlock {
  readonly height: number;
  readonly hash: Uint8Array;
}

/** Search fields of a record, in the form in which its author's client wrote them. */
export interface ClinicalFields {
  readonly kind: string;
  /** `system|code`, or a bare code. */
  readonly codes: readonly string[];
  /** ISO 8601 date or date-time, possibly partial; empty when the source has none. */
  readonly date: string;
  readonly department: string;
  readonly region: string;
  readonly title: string;
}

/** One version of a record: public facts, and clinical fields where this node's organisation can open them. */
export interface RecordRow {
  readonly recordId: Uint8Array;
  readonly version: number;
  /** The patient's pseudonym. */
  readonly patient: Uint8Array;
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly class: number;
  readonly status: 'active' | 'contested';
  /** Timestamp of the block, milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** Height and place in the block of the transaction that made this version. */
  readonly height: number;
  readonly index: number;
  readonly txId: Uint8Array;
  readonly fields: ClinicalFields | null;
}

/** The transaction that made a version of a record: height of its block and place in it. */
export interface RecordPosition {
  readonly version: number;
  readonly height: number;
  readonly index: number;
}

/** All that one committed block changes in the index. */
export interface BlockRows {
  readonly height: number;
  readonly hash: Uint8Array;
  /**
   * New versions, and records that this organisation can open from now on: a row replaces one of the same record
   * whose version is not higher.
   */
  readonly records: readonly RecordRow[];
  /** Record ids that this organisation can no longer open: their clinical fields are deleted. */
  readonly closed: readonly Uint8Array[];
  /** Record ids that were disposed of: their rows are deleted, those of all versions. */
  readonly disposed: readonly Uint8Array[];
}

/** Most blocks in one call of `apply`. */
export const APPLY_BLOCKS_MAX = 1024;
/** Most versions of one record that `recordPositions` names. */
export const RECORD_POSITIONS_MAX = 4096;
