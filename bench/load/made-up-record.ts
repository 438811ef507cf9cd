import {
  drawSalt,
  recordCreate,
  type SignedTransaction,
  signTransaction,
  transactionBody,
} from '../../src/client/build-transaction.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sealFields } from '../../src/crypto/field-cipher.ts';
import { wrapSecret } from '../../src/crypto/hpke.ts';
import { payloadDag } from '../../src/crypto/payload-cid.ts';
import { drawRecordSecrets, fieldKey, wrapInfo } from '../../src/crypto/record-keys.ts';
import { actionSchema, type SealedPayload } from '../../src/ledger/action.ts';
import {
  BLIND_BYTES,
  encodeAttachment,
  encodeRecordFields,
  type KeyWrap,
  type RecordFields,
  WRAP_BYTES,
} from '../../src/ledger/attachment.ts';
import { recordIdOf } from '../../src/ledger/transaction.ts';
import { VALIDITY_MS, type Ward } from './cast.ts';
import type { Line } from './messages.ts';

/** A record ready to be sent. */
export interface MadeUpRecord {
  readonly recordId: Uint8Array;
  readonly signed: SignedTransaction;
  readonly actionBytes: number;
  /** What is put before the transaction is sent; null for the lines without. */
  readonly payload: { readonly cid: Uint8Array; readonly ciphertext: Uint8Array } | null;
}

/** Plaintext of 2 KB after padding, with its authentication tag: what `sealPayload` makes of 2,048 bytes. */
const CIPHERTEXT_BYTES = 2_192;
const YEAR_MS = 31_557_600_000;

/**
 * One record of a ward's doctor, signed by author and organisation. Of the attachment, the search fields and the wrap
 * with which the organisation's node opens them are real; the five other wraps, and the payload, are random bytes of
 * the same length, which no node could tell from real ones and none opens in a run.
 */
export async function makeUpRecord(
  ward: Ward,
  genesisHash: Uint8Array,
  line: Line,
  patientNumber: number,
  fields: RecordFields,
): Promise<MadeUpRecord> {
  const { doctor, organisation, patients } = ward;
  const patient = patients[patientNumber % patients.length]!;
  const salt = drawSalt();
  const recordId = recordIdOf(genesisHash, doctor.address, salt);
  const ciphertext = line === 'payload' ? random(CIPHERTEXT_BYTES) : null;
  const payload: SealedPayload = {
    cid: (await payloadDag([ciphertext ?? random(32)])).cid,
    bytes: CIPHERTEXT_BYTES,
    keyCommitment: random(32),
  };
  const attachment = line === 'action' ? null : await makeUpAttachment(ward, genesisHash, recordId, fields);
  const action = recordCreate({
    author: doctor.address,
    organisation: organisation.address,
    patient: patient.address,
    class: 1,
    retainUntilMs: Date.now() + 10 * YEAR_MS,
    payload,
  });
  const body = transactionBody(action, { validUntilMs: Date.now() + VALIDITY_MS, salt, attachment });
  return {
    recordId,
    signed: signTransaction(genesisHash, body, [doctor, organisation], attachment),
    actionBytes: encode(actionSchema, action).length,
    payload: ciphertext === null ? null : { cid: payload.cid, ciphertext },
  };
}

async function makeUpAttachment(
  { doctor, organisation, patients }: Ward,
  genesisHash: Uint8Array,
  recordId: Uint8Array,
  fields: RecordFields,
): Promise<Uint8Array> {
  const of = { recordId, version: 1 };
  const { s } = drawRecordSecrets();
  const { sealingKey } = organisation.keyDocument;
  const recipient = organisation.address;
  const info = wrapInfo({ genesisHash, ...of, recipient, sealingKey, basis: { kind: 'organisation' }, secret: 's' });
  const opaque = (holder: Uint8Array, secret: KeyWrap['secret']): KeyWrap => ({
    recipient: holder,
    secret,
    wrap: random(WRAP_BYTES),
  });
  return encodeAttachment({
    blind: random(BLIND_BYTES),
    fields: await sealFields(encodeRecordFields(fields), fieldKey(s, genesisHash, of), of),
    wraps: [
      opaque(doctor.address, 's'),
      opaque(doctor.address, 'kNode'),
      opaque(patients[0]!.address, 's'),
      opaque(patients[0]!.address, 'kNode'),
      { recipient, secret: 's', wrap: await wrapSecret(s, sealingKey, info) },
      opaque(recipient, 'kNode'),
    ],
  });
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
