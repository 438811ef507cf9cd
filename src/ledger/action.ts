import { bytes, bytesUpTo, enumeration, list, nullable, struct, text, uint, union } from '../codec/schema.ts';
import { type Control, controlSchema, type KeyDocument, keyDocumentSchema, type Role, roleSchema } from './account.ts';
import { type Parameters, parametersSchema } from './parameters.ts';
import { VIEW_MAX } from './vote.ts';

/** Length of a record id in bytes. */
export const RECORD_ID_BYTES = 16;
/** Largest binary CIDv1 taken: version, codec, SHA-256 multihash. */
export const CID_BYTES_MAX = 40;

/** Most addresses that a validator publishes. */
const VALIDATOR_ADDRESSES_MAX = 4;
/** Most bytes of one of them. */
const VALIDATOR_ADDRESS_BYTES_MAX = 128;

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

/** A validator key's own word that its node is ready to take the seat (readiness.ts). */
export interface ReadyStatement {
  /** Height that the node had reached when it signed. */
  readonly height: number;
  /** By the key that is to be admitted. */
  readonly signature: Uint8Array;
}

/** f before and after a change, as those who approve it sign it: nobody lowers it unawares (consensus.md §10). */
export interface FaultTolerance {
  readonly before: number;
  readonly after: number;
}

/** Gives an organisation a seat among the validators, from two heights on. */
export interface ValidatorAdd {
  readonly kind: 'validator.add';
  readonly publicKey: Uint8Array;
  readonly organisation: Uint8Array;
  /** Multiaddrs under which the others reach its node. */
  readonly addresses: readonly string[];
  readonly ready: ReadyStatement;
  readonly tolerance: FaultTolerance;
}

/** Takes a seat away, from two heights on. */
export interface ValidatorRemove {
  readonly kind: 'validator.remove';
  readonly publicKey: Uint8Array;
  readonly tolerance: FaultTolerance;
}

/** Puts another key on a seat, from two heights on. */
export interface ValidatorRotate {
  readonly kind: 'validator.rotate';
  /** The key that leaves. */
  readonly publicKey: Uint8Array;
  readonly newPublicKey: Uint8Array;
  readonly addresses: readonly string[];
  readonly ready: ReadyStatement;
}

/** A vote or VIEWCHANGE under which a validator may have put two signatures, by the tag that it is signed under. */
export type Statement = 'PREPREPARE' | 'PREPARE' | 'COMMIT' | 'VIEWCHANGE';

/** What a VIEWCHANGE claims besides its slot. */
export interface SignedClaim {
  readonly preparedView: number | null;
  readonly preparedHash: Uint8Array | null;
  readonly signature: Uint8Array;
}

/** What a vote says besides its slot. */
interface SignedVote {
  readonly blockHash: Uint8Array;
  readonly signature: Uint8Array;
}

/** Two different payloads for one slot. */
export type EvidencePair =
  | {
      readonly kind: 'votes';
      readonly statement: Exclude<Statement, 'VIEWCHANGE'>;
      readonly first: SignedVote;
      readonly second: SignedVote;
    }
  | { readonly kind: 'viewChanges'; readonly first: SignedClaim; readonly second: SignedClaim };

/** Shows that a validator signed two different payloads in one slot (consensus.md §10). Signed by a validator. */
export interface EvidenceSubmit {
  readonly kind: 'evidence.submit';
  /** Public key of the validator that hands it in. */
  readonly submitter: Uint8Array;
  /** Public key under both signatures. */
  readonly accused: Uint8Array;
  readonly height: number;
  /** View; of a VIEWCHANGE the view that it asks for. */
  readonly view: number;
  readonly pair: EvidencePair;
}

/** Gives the ledger other parameters, from two heights on. Whoever approves signs what is and what shall be. */
export interface ParametersSet {
  readonly kind: 'parameters.set';
  /** The parameters that these follow: of two changes approved side by side, one applies. */
  readonly expected: Parameters;
  /** All of them, changed or not. */
  readonly parameters: Parameters;
}

/** What a transaction does: a union on `kind`. */
export type Action =
  | AccountRegister
  | RecordCreate
  | RecordAmend
  | ValidatorAdd
  | ValidatorRemove
  | ValidatorRotate
  | EvidenceSubmit
  | ParametersSet;
export type ActionKind = Action['kind'];

/** True for an action that makes a version of a record. */
export function isRecordVersion(action: Action): action is RecordCreate | RecordAmend {
  return action.kind === 'record.create' || action.kind === 'record.amend';
}

const payloadSchema = struct<SealedPayload>({ cid: bytesUpTo(CID_BYTES_MAX), bytes: uint(), keyCommitment: bytes(32) });

/** Wire codes of the actions; a code is never used again for another. */
export const ACTION_CODES: Readonly<Record<ActionKind, number>> = {
  'account.register': 1,
  'record.create': 2,
  'record.amend': 3,
  'validator.add': 4,
  'validator.remove': 5,
  'validator.rotate': 6,
  'evidence.submit': 7,
  'parameters.set': 8,
};

/** Wire and state form of the addresses of a validator. */
export const validatorAddressesSchema = list(text(VALIDATOR_ADDRESS_BYTES_MAX), VALIDATOR_ADDRESSES_MAX);
const readySchema = struct<ReadyStatement>({ height: uint(), signature: bytes(64) });
const toleranceSchema = struct<FaultTolerance>({ before: uint(0xff), after: uint(0xff) });

type VoteStatement = Exclude<Statement, 'VIEWCHANGE'>;
const signedVoteSchema = struct<SignedVote>({ blockHash: bytes(32), signature: bytes(64) });
const signedClaimSchema = struct<SignedClaim>({
  preparedView: nullable(uint(VIEW_MAX)),
  preparedHash: nullable(bytes(32)),
  signature: bytes(64),
});
const pairSchema = union<EvidencePair>({
  votes: [
    0,
    struct({
      statement: enumeration<VoteStatement>({ PREPREPARE: 0, PREPARE: 1, COMMIT: 2 }),
      first: signedVoteSchema,
      second: signedVoteSchema,
    }),
  ],
  viewChanges: [1, struct({ first: signedClaimSchema, second: signedClaimSchema })],
});

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
  'validator.add': [
    ACTION_CODES['validator.add'],
    struct({
      publicKey: bytes(32),
      organisation: bytes(32),
      addresses: validatorAddressesSchema,
      ready: readySchema,
      tolerance: toleranceSchema,
    }),
  ],
  'validator.remove': [ACTION_CODES['validator.remove'], struct({ publicKey: bytes(32), tolerance: toleranceSchema })],
  'validator.rotate': [
    ACTION_CODES['validator.rotate'],
    struct({
      publicKey: bytes(32),
      newPublicKey: bytes(32),
      addresses: validatorAddressesSchema,
      ready: readySchema,
    }),
  ],
  'evidence.submit': [
    ACTION_CODES['evidence.submit'],
    struct({
      submitter: bytes(32),
      accused: bytes(32),
      height: uint(),
      view: uint(VIEW_MAX),
      pair: pairSchema,
    }),
  ],
  'parameters.set': [
    ACTION_CODES['parameters.set'],
    struct({ expected: parametersSchema, parameters: parametersSchema }),
  ],
});
