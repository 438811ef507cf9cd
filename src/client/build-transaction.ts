import { compareBytes } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import type { Signer } from '../crypto/signer.ts';
import type { Control, Role } from '../ledger/account.ts';
import type { Action, SealedPayload, ValidatorAdd, ValidatorRotate } from '../ledger/action.ts';
import { RETENTION_QUARTER_MS } from '../ledger/actions/record-version.ts';
import { attachmentReference } from '../ledger/attachment.ts';
import type { Parameters } from '../ledger/parameters.ts';
import { type Readiness, readyPreimage } from '../ledger/readiness.ts';
import {
  SALT_BYTES,
  TRANSACTION_VERSION,
  type TransactionBody,
  type TransactionSignature,
  transactionId,
  transactionPreimage,
  transactionSchema,
} from '../ledger/transaction.ts';
import { faultyMax } from '../ledger/validator-set.ts';
import type { AccountIdentity } from './keys.ts';

/** A transaction ready to be sent. */
export interface SignedTransaction {
  readonly txId: Uint8Array;
  /** Canonical encoding, signatures included. */
  readonly encoded: Uint8Array;
  /** The attachment in its sent form; null when there is none. */
  readonly attachment: Uint8Array | null;
  /** Last block time at which it can be applied, milliseconds since the Unix epoch. */
  readonly validUntilMs: number;
}

/** A fresh salt from the platform's random generator. */
export function drawSalt(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}

/** What every signer of a transaction signs: the action, its validity, and the hash of its attachment. */
export function transactionBody(
  action: Action,
  options: { readonly validUntilMs: number; readonly salt: Uint8Array; readonly attachment: Uint8Array | null },
): TransactionBody {
  const { validUntilMs, salt, attachment } = options;
  return {
    version: TRANSACTION_VERSION,
    validUntilMs,
    salt,
    action,
    attachment: attachment === null ? null : attachmentReference(attachment),
  };
}

/** Signatures of all the keys of one account, made where its holder is; they are put together afterwards. */
export function signaturesBy(
  identity: AccountIdentity,
  genesisHash: Uint8Array,
  body: TransactionBody,
): readonly TransactionSignature[] {
  const preimage = transactionPreimage(genesisHash, body);
  const { address, signers } = identity;
  return signers.map(({ keyIndex, signer }) => ({ account: address, keyIndex, bytes: signer.sign(preimage) }));
}

/** The transaction with these signatures, in canonical order. Throws a RangeError when it is larger than allowed. */
export function assembleTransaction(
  genesisHash: Uint8Array,
  body: TransactionBody,
  signatures: readonly TransactionSignature[],
  attachment: Uint8Array | null,
): SignedTransaction {
  const sorted = [...signatures].sort((a, b) => compareBytes(a.account, b.account) || a.keyIndex - b.keyIndex);
  const encoded = encode(transactionSchema, { ...body, signatures: sorted });
  return { txId: transactionId(genesisHash, body), encoded, attachment, validUntilMs: body.validUntilMs };
}

/** Signs with every key of all the identities and assembles: for one who holds them all. */
export function signTransaction(
  genesisHash: Uint8Array,
  body: TransactionBody,
  identities: readonly AccountIdentity[],
  attachment: Uint8Array | null,
): SignedTransaction {
  const signatures = identities.flatMap((identity) => signaturesBy(identity, genesisHash, body));
  return assembleTransaction(genesisHash, body, signatures, attachment);
}

/** Registers `identity`; signed by it, as proof of possession, and by its organisation. */
export function accountRegister(
  identity: AccountIdentity,
  account: { readonly role: Role; readonly organisation: Uint8Array; readonly control: Control },
): Action {
  const { role, organisation, control } = account;
  return { kind: 'account.register', role, organisation, control, keyDocument: identity.keyDocument };
}

/** What a client says of every version of a record. */
export interface RecordFacts {
  readonly author: Uint8Array;
  /** Opaque number of the organisation's choice, 0 to 65,535. */
  readonly class: number;
  /** The record is kept at least until then; rounded up to a quarter of a year, so that it singles nobody out. */
  readonly retainUntilMs: number;
  readonly payload: SealedPayload;
}

/** Puts version 1 of a record on the ledger; its id follows from author and salt. Signed by author and organisation. */
export function recordCreate(
  facts: RecordFacts & { readonly organisation: Uint8Array; readonly patient: Uint8Array },
): Action {
  const { organisation, patient } = facts;
  return { kind: 'record.create', organisation, patient, ...versionFacts(facts) };
}

/** Adds a version on top of `expectedVersion`. Signed by the author and the patient. */
export function recordAmend(
  facts: RecordFacts & { readonly recordId: Uint8Array; readonly expectedVersion: number },
): Action {
  const { recordId, expectedVersion } = facts;
  return { kind: 'record.amend', recordId, expectedVersion, ...versionFacts(facts) };
}

function versionFacts(facts: RecordFacts): RecordFacts {
  const retainUntilMs = Math.ceil(facts.retainUntilMs / RETENTION_QUARTER_MS) * RETENTION_QUARTER_MS;
  return { author: facts.author, class: facts.class, retainUntilMs, payload: facts.payload };
}

/** The word of a key that is to take a seat: a signature of the key itself (PROTOCOL.md §3). */
export function signReadiness(signer: Signer, genesisHash: Uint8Array, seat: Omit<Readiness, 'publicKey'>): Uint8Array {
  return signer.sign(readyPreimage(genesisHash, { ...seat, publicKey: signer.publicKey }));
}

/** Gives an organisation a seat among `count` validators. Signed by the members, and the regulator where there is one. */
export function validatorAdd(seat: Omit<ValidatorAdd, 'kind' | 'tolerance'>, count: number): Action {
  return { kind: 'validator.add', ...seat, tolerance: { before: faultyMax(count), after: faultyMax(count + 1) } };
}

/** Takes one of `count` seats away. Signed as `validatorAdd`. Throws a RangeError for the last one. */
export function validatorRemove(publicKey: Uint8Array, count: number): Action {
  if (count < 2) throw new RangeError('the last validator can not be removed');
  return { kind: 'validator.remove', publicKey, tolerance: { before: faultyMax(count), after: faultyMax(count - 1) } };
}

/** Gives the ledger other parameters than those in force. Signed as `validatorAdd`. */
export function parametersSet(inForce: Parameters, change: Partial<Parameters>): Action {
  return { kind: 'parameters.set', expected: inForce, parameters: { ...inForce, ...change } };
}

/** Puts another key on a seat. Signed as `validatorAdd`. */
export function validatorRotate(seat: Omit<ValidatorRotate, 'kind'>): Action {
  return { kind: 'validator.rotate', ...seat };
}
