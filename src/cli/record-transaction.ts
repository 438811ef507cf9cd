import {
  drawSalt,
  recordAmend,
  recordCreate,
  type SignedTransaction,
  signTransaction,
  transactionBody,
} from '../client/build-transaction.ts';
import type { AccountIdentity } from '../client/keys.ts';
import { type Party, type Recipient, sealRecord } from '../client/seal-record.ts';
import { wrapSecretNative } from '../crypto/node/hpke-wrap.ts';
import type { RecordFields } from '../ledger/attachment.ts';
import { recordIdOf } from '../ledger/transaction.ts';

/** A record version, encrypted and signed: the ciphertext is put first, then the transaction sent. */
export interface SealedTransaction {
  readonly recordId: Uint8Array;
  readonly transaction: SignedTransaction;
  readonly cid: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** What every version of a record has. */
export interface VersionContent {
  readonly genesisHash: Uint8Array;
  readonly author: AccountIdentity;
  readonly payload: Uint8Array;
  readonly fields: RecordFields | null;
  /** Opaque number of the organisation's choice, 0 to 65,535. */
  readonly class: number;
  /** The record is kept at least until then, milliseconds since the Unix epoch. */
  readonly retainUntilMs: number;
  /** Last block time at which the transaction applies. */
  readonly validUntilMs: number;
}

/** Version 1 of a new record, signed by author and organisation. Throws a RangeError on content that is too large. */
export async function sealNewRecord(
  content: VersionContent & { readonly organisation: AccountIdentity; readonly patient: Recipient },
): Promise<SealedTransaction> {
  const { genesisHash, author, organisation, patient } = content;
  const salt = drawSalt();
  const recordId = recordIdOf(genesisHash, author.address, salt);
  const recipients = { author: recipientOf(author), patient, organisation: recipientOf(organisation) };
  const sealed = await seal(content, recordId, 1, recipients);
  const action = recordCreate({
    ...content,
    author: author.address,
    organisation: organisation.address,
    patient: patient.address,
    payload: sealed.payload,
  });
  return finish(content, recordId, sealed, salt, action, [author, organisation]);
}

/** The version after `expectedVersion` of a record, signed by author and patient. Throws as `sealNewRecord`. */
export async function sealAmendment(
  content: VersionContent & {
    readonly recordId: Uint8Array;
    readonly expectedVersion: number;
    readonly patient: AccountIdentity;
    readonly organisation: Recipient;
  },
): Promise<SealedTransaction> {
  const { author, patient, organisation, recordId, expectedVersion } = content;
  const recipients = { author: recipientOf(author), patient: recipientOf(patient), organisation };
  const sealed = await seal(content, recordId, expectedVersion + 1, recipients);
  const action = recordAmend({ ...content, author: author.address, payload: sealed.payload });
  return finish(content, recordId, sealed, drawSalt(), action, [author, patient]);
}

type Sealed = Awaited<ReturnType<typeof sealRecord>>;

function seal(
  { genesisHash, payload, fields }: VersionContent,
  recordId: Uint8Array,
  version: number,
  recipients: Readonly<Record<Party, Recipient>>,
): Promise<Sealed> {
  return sealRecord({ genesisHash, recordId, version, payload, fields, recipients }, wrapSecretNative);
}

function finish(
  { genesisHash, validUntilMs }: VersionContent,
  recordId: Uint8Array,
  { payload, attachment, ciphertext }: Sealed,
  salt: Uint8Array,
  action: Parameters<typeof transactionBody>[0],
  signers: readonly AccountIdentity[],
): SealedTransaction {
  const body = transactionBody(action, { validUntilMs, salt, attachment });
  const transaction = signTransaction(genesisHash, body, signers, attachment);
  return { recordId, transaction, cid: payload.cid, ciphertext };
}

function recipientOf({ address, keyDocument }: AccountIdentity): Recipient {
  return { address, sealingKey: keyDocument.sealingKey };
}
