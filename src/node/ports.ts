import type { Account } from '../ledger/account.ts';
import type { RecordFields } from '../ledger/attachment.ts';
import type { Parameters } from '../ledger/parameters.ts';
import type { EvidenceEntry, Tenure } from '../ledger/state.ts';
import type { DecodedTransaction } from '../ledger/transaction.ts';

/** A record query: any combination of single values and one date range (index.md, outer). Dates are ISO 8601 text. */
export interface RecordQuery {
  readonly patient?: Uint8Array;
  readonly author?: Uint8Array;
  readonly organisation?: Uint8Array;
  readonly kind?: string;
  readonly code?: string;
  readonly department?: string;
  readonly region?: string;
  /** First and last encounter date, inclusive; a date of day precision means the whole UTC day. */
  readonly from?: string;
  readonly to?: string;
  /** 1 to 1,000. */
  readonly limit: number;
  readonly cursor?: string;
}

/** One hit: public facts of the ledger, and clinical fields where this node's organisation can open them. */
export interface RecordHit {
  readonly recordId: Uint8Array;
  readonly version: number;
  readonly txId: Uint8Array;
  readonly height: number;
  readonly index: number;
  readonly patient: Uint8Array;
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly fields: RecordFields | null;
}

/** One page of a record query. */
export interface RecordPage {
  readonly hits: readonly RecordHit[];
  readonly cursor: string | null;
  /** Height from which on the index has seen every block: 1, unless this node joined by a snapshot. */
  readonly indexedFrom: number;
  /** Height up to which the index has seen every block. */
  readonly indexedHeight: number;
  /** Addresses of the organisations whose records the search covered with clinical fields. */
  readonly scope: readonly Uint8Array[];
}

/** A search that was not carried out: it can not be answered as asked (`refused`), or too many wait (`busy`). */
export class RecordQueryError extends Error {
  override readonly name = 'RecordQueryError';
  readonly kind: 'refused' | 'busy';

  /** `message` says what to change. */
  constructor(kind: 'refused' | 'busy', message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What became of a transaction. Only Committed and Expired can never change. */
export type TransactionStatus =
  | { readonly kind: 'Unknown' }
  | { readonly kind: 'Pending' }
  | { readonly kind: 'Committed'; readonly height: number; readonly index: number }
  | { readonly kind: 'Rejected'; readonly code: string; readonly detail: string; readonly retryable: boolean }
  | { readonly kind: 'Expired' };

/** A transaction as it was handed in; the attachment is blind[32] ‖ bytes, or null. */
export interface Submission {
  readonly encoded: Uint8Array;
  readonly attachment: Uint8Array | null;
}

/** What became of one submission at once: its id (null when it could not be decoded) and status. */
export interface SubmissionOutcome {
  readonly txId: Uint8Array | null;
  readonly status: TransactionStatus;
}

/** Another validator as this node sees it, by its own latest signed word. */
export interface PeerStatus {
  readonly validator: number;
  readonly name: string;
  readonly connected: boolean;
  readonly height: number;
  readonly view: number;
}

/** Where the node stands. */
export interface NodeStatus {
  readonly version: string;
  readonly ledger: string;
  readonly genesisHash: Uint8Array;
  readonly organisation: { readonly name: string; readonly address: Uint8Array };
  readonly validator: number | null;
  readonly validators: number;
  readonly height: number;
  readonly tipHash: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly timestampMs: number;
  readonly view: number;
  readonly peers: readonly PeerStatus[];
  readonly transactionsCommitted: number;
  readonly transactionsPending: number;
  readonly indexedHeight: number;
  /** Height from which on this node holds whole blocks: 1, unless it joined by a snapshot. */
  readonly historyFrom: number;
  readonly upSinceMs: number;
  /** First height of a protocol version that this node does not know; null where none is announced. */
  readonly updateBefore: number | null;
}

/** A validator's part in the agreement on the next block, as this node sees it. */
export interface ValidatorStatus {
  readonly validator: number;
  readonly name: string;
  /** This node counts as connected to itself. */
  readonly connected: boolean;
  /** Its votes for the current view that are held here. */
  readonly prepared: boolean;
  readonly committed: boolean;
  /** Highest view that it asked to change to. */
  readonly viewChange: number | null;
  /** Median time that its COMMITs came after the quorum, of the last heights; null before any came. */
  readonly voteLagMs: number | null;
  /** How many of those heights it did not vote at. */
  readonly missedHeights: number;
}

/** Where the agreement on the next block stands. */
export interface ConsensusStatus {
  readonly primary: number;
  readonly primaryName: string;
  readonly quorum: number;
  readonly proposal: 'none' | 'validating' | 'valid' | 'refused' | 'invalid';
  readonly validators: readonly ValidatorStatus[];
  /** Until the view runs out; null when its timer does not run. */
  readonly nextTimeoutMs: number | null;
  /** Since the newest commit of this process; null before the first. */
  readonly lastCommitAgeMs: number | null;
  /** Why nothing is committed now, in sentences; empty when all is well. */
  readonly explanation: readonly string[];
}

/** A committed block as stored: header, certificate and bodies. */
export interface StoredBlock {
  readonly height: number;
  readonly hash: Uint8Array;
  /** Canonical header bytes. */
  readonly header: Uint8Array;
  /** Canonical commit-certificate bytes. */
  readonly certificate: Uint8Array;
  readonly transactions: readonly Uint8Array[];
}

/** One version of a record on the ledger. */
export interface StoredRecord {
  readonly recordId: Uint8Array;
  readonly version: number;
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly patient: Uint8Array;
  readonly txId: Uint8Array;
  readonly height: number;
  readonly index: number;
}

/** A block was committed. */
export interface BlockEvent {
  readonly height: number;
  readonly hash: Uint8Array;
  readonly timestampMs: number;
  readonly txIds: readonly Uint8Array[];
}

/** By what the next blocks are made. */
export interface ParametersInForce {
  /** The next height, at which `current` is in force. */
  readonly height: number;
  readonly current: Parameters;
  /** In force at the height after it; the same while no change is in flight. */
  readonly scheduled: Parameters;
  /** Newest protocol version that this node knows. */
  readonly newestVersion: number;
}

/** A validator key and its time in the set. */
export type KeyTenure = Tenure & { readonly publicKey: Uint8Array };

/** What the HTTP interface may ask of a running node. Everything returned is committed and verified by it. */
export interface NodePorts {
  readonly genesisHash: Uint8Array;
  /** The genesis hash under which the block of a height was made: another before the ledger was restarted. */
  genesisHashAt(height: number): Uint8Array;
  /** Canonical bytes of the genesis file. */
  readonly genesisDocument: Uint8Array;
  status(): NodeStatus;
  consensus(): ConsensusStatus;
  /** Empty when ready; otherwise what is missing, in words. */
  notReady(): readonly string[];
  metrics(): Promise<string>;
  submit(submissions: readonly Submission[]): Promise<readonly SubmissionOutcome[]>;
  transactionStatus(txId: Uint8Array): Promise<TransactionStatus>;
  /** Resolves when the status is final, or with the current one after `timeoutMs`. */
  waitForTransaction(txId: Uint8Array, timeoutMs: number): Promise<TransactionStatus>;
  transaction(txId: Uint8Array): Promise<{ height: number; index: number; decoded: DecodedTransaction } | undefined>;
  block(which: number | Uint8Array | 'latest'): Promise<StoredBlock | undefined>;
  /** True for a block of the ledger that is not here, because this node joined by a snapshot after it. */
  isBeforeHistory(which: number | Uint8Array): Promise<boolean>;
  /** True for a transaction that was applied, as the state remembers, in a block that is not here. */
  wasAppliedBeforeHistory(txId: Uint8Array): Promise<boolean>;
  account(address: Uint8Array): Account | undefined;
  /** Every key that is or was a validator's. */
  validators(): Promise<readonly KeyTenure[]>;
  /** Those of the next height and of the one after it. */
  parameters(): ParametersInForce;
  /** All evidence on the ledger, the newest first. */
  evidence(): Promise<readonly EvidenceEntry[]>;
  /** One version of a record; the newest when none is named. */
  record(recordId: Uint8Array, version?: number): Promise<StoredRecord | undefined>;
  /** Rejects with a RecordQueryError when the query does not make sense or there are too many. */
  queryRecords(query: RecordQuery): Promise<RecordPage>;
  attachment(hash: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * Stores an encrypted payload durably after checking that its DAG has this root: `cidMismatch` when it has not,
   * `full` when there is no room. Storing what is held already succeeds.
   */
  putPayload(cid: Uint8Array, bytes: Uint8Array): Promise<'stored' | 'cidMismatch' | 'full'>;
  payload(cid: Uint8Array): Promise<Uint8Array | undefined>;
  /** Verifies a signature by key `keyIndex` of an active account; false for anything unknown. */
  verifyAccountSignature(address: Uint8Array, keyIndex: number, message: Uint8Array, signature: Uint8Array): boolean;
  /** Remembers a request nonce until `expiresMs`, across restarts; false when it was seen before. */
  useNonce(nonce: string, expiresMs: number): Promise<boolean>;
  /** Calls back after each commit; returns the function that ends it. */
  onBlock(listener: (event: BlockEvent) => void): () => void;
}
