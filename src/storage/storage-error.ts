/** What can be wrong with a node's disk. The list is closed; the message of each error says what to do. */
export type StorageErrorCode =
  /** Another process holds the data folder or the ledger store. */
  | 'FolderLocked'
  /** A folder that was to be created exists already and is not empty. */
  | 'FolderNotEmpty'
  /** The data folder is missing, is no folder, or other users may enter it. */
  | 'FolderUnusable'
  /** The ledger store is no store of ours, or level cannot open it. */
  | 'StoreUnreadable'
  /** Written by a build with another format. */
  | 'FormatUnsupported'
  /** The store belongs to another ledger. */
  | 'OtherLedger'
  /** A stored item fails its checksum, or one that must exist is gone. */
  | 'ItemDamaged'
  /** A write or sync failed: what is on disk is unknown, the process must stop. */
  | 'WriteFailed'
  /** Bytes that do not hash to the name they came under. */
  | 'HashMismatch'
  /** Too many request nonces are remembered at once. */
  | 'NonceTableFull'
  /** There is no consensus journal: this node may have forgotten what it signed. */
  | 'JournalMissing'
  /** A journal is there where a new one was to be created. */
  | 'JournalExists'
  /** The journal is damaged in a part that had been synced. */
  | 'JournalDamaged'
  /** An append would exceed a limit of the journal. */
  | 'JournalFull'
  /** What a restarted ledger starts with is not there, or not it. */
  | 'StartStateUnusable'
  /** The payload quota is used up. */
  | 'PayloadQuotaExceeded'
  /** A payload name of a kind that this store does not keep, or a block above the size limit. */
  | 'PayloadUnsupported';

/** An operating error of the disk: `item` names what is affected, `remedy` what the operator does next. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  readonly item: string;
  readonly remedy: string;

  /** The message is `fault` followed by `remedy`, both whole sentences. */
  constructor(code: StorageErrorCode, item: string, fault: string, remedy: string, cause?: unknown) {
    super(`${fault} ${remedy}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.item = item;
    this.remedy = remedy;
  }
}

/** The text of something caught, for use inside another message. */
export function causeText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
