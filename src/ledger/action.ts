import { bytes, bytesUpTo, struct, uint, union } from '../codec/schema.ts';
import { type Control, controlSchema, type KeyDocument, keyDocumentSchema, type Role, roleSchema } from './account.ts';

/** Length of a record id in bytes. */
export const RECORD_ID_BYTES = 16;
/** Largest binary CIDv1 taken: version, codec, SHA-256 multihash. */
export const CID_BYTES_MAX = 40;

/** Where the encrypted payload of a record version is, and what proves the key: nothing readable (ledger.md §1). */
export interface SealedPayload {
  /** Binary CIDv1 of the ciphertext's DAG. */
  readonly cid: Uint8Array;
  /** Padded size of the ciphertext in bytes. */
  readonly bytes: number;
  /** HMAC-SHA256 of the data key (ledger.md §8), 32 bytes. */
  readonly keyCommitment: Uint8Array;
}

/** Registers an account under the address that its key document hashes to. Every key signs as proof of possession. */
export interface AccountRegister {
  readonly kind: 'account.register';
  readonly role: Role;
  readonly organisation: Uint8Array;
  readonly control: Control;
  readonly keyDocument: KeyDocument;
}

/** Puts version 1 of a record on the ledger; its id follows from author and the transaction's salt. */
export interface RecordCreate {
  readonly kind: 'record.create';
  readonly author: Uint8Array;
  readonly organisation: Uint8Array;
  readonly patient: Uint8Array;
  /** Opaque to everyone but the organisation. */
  readonly class: number;
  /** Milliseconds since the Unix epoch, rounded to a quarter of a year. */
  readonly retainUntilMs: number;
  readonly payload: SealedPayload;
}

/** Adds a version to a record; nothing is overwritten. */
export interface RecordAmend {
  readonly kind: 'record.amend';
  readonly recordId: Uint8Array;
  /** The version that this one follows; the new one is one more. */
  readonly expectedVersion: number;
  readonly author: Uint8Array;
  readonly class: number;
  readonly retainUntilMs: number;
  readonly payload: SealedPayload;
}

/** What a transaction does: a union on `kind`. */
export type Action = AccountRegister | RecordCreate | RecordAmend;
export type ActionKind = Action['kind'];

const payloadSchema = struct<SealedPayload>({ cid: bytesUpTo(CID_BYTES_MAX), bytes: uint(), keyCommitment: bytes(32) });

/** Wire codes of the actions; a code is never used again for another. */
export const ACTION_CODES: Readonly<Record<ActionKind, number>> = {
  'account.register': 1,
  'record.create': 2,
  'record.amend': 3,
};

/** Wire form of an action: its code and fields. */
export const actionSchema = union<Action>({
  'account.register': [
    ACTION_CODES['account.register'],
    struct({ role: roleSchema, organisation: bytes(32), control: controlSchema, keyDocument: keyDocumentSchema }),
  ],
  'record.create': [
    ACTION_CODES['record.create'],
    struct({
      author: bytes(32),
      organisation: bytes(32),
      patient: bytes(32),
      class: uint(0xffff),
      retainUntilMs: uint(),
      payload: payloadSchema,
    }),
  ],
  'record.amend': [
    ACTION_CODES['record.amend'],
    struct({
      recordId: bytes(RECORD_ID_BYTES),
      expectedVersion: uint(0xffffffff),
      author: bytes(32),
      class: uint(0xffff),
      retainUntilMs: uint(),
      payload: payloadSchema,
    }),
  ],
});
