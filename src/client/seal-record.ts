import { concatBytes } from '../codec/bytes.ts';
import { sealFields } from '../crypto/field-cipher.ts';
import { wrapSecret } from '../crypto/hpke.ts';
import { payloadDag } from '../crypto/payload-cid.ts';
import { sealPayload } from '../crypto/payload-cipher.ts';
import {
  dataKey,
  drawRecordSecrets,
  fieldKey,
  type RecordSecrets,
  type RecordVersion,
  wrapInfo,
} from '../crypto/record-keys.ts';
import type { SealedPayload } from '../ledger/action.ts';
import {
  BLIND_BYTES,
  encodeAttachment,
  encodeRecordFields,
  type KeyWrap,
  type RecordFields,
} from '../ledger/attachment.ts';

/** The three parties of a record, each of which can open it. */
export type Party = 'author' | 'patient' | 'organisation';

/** An account that a record is sealed to: its address and present X25519 key. */
export interface Recipient {
  readonly address: Uint8Array;
  readonly sealingKey: Uint8Array;
}

/** Seals a secret to an X25519 key, bound to `info`: see `wrapSecret`. */
export type WrapSecret = typeof wrapSecret;

/** What goes into one version of a record. */
export interface RecordContent extends RecordVersion {
  readonly genesisHash: Uint8Array;
  readonly payload: Uint8Array;
  /** What the organisation may search by; null for a record that only its id finds. */
  readonly fields: RecordFields | null;
  readonly recipients: Readonly<Record<Party, Recipient>>;
}

/** One version of a record, encrypted. */
export interface SealedRecord {
  /** What the transaction says of the payload. */
  readonly payload: SealedPayload;
  /** The attachment in its sent form. */
  readonly attachment: Uint8Array;
  /** What is put under the payload's CID before the transaction is sent. */
  readonly ciphertext: Uint8Array;
}

/**
 * Encrypts payload and search fields under fresh keys, and wraps the two secrets behind them to author, patient and
 * organisation, each under its own tag (ledger.md §8). Nothing in the result depends on the transaction's id. Throws a
 * RangeError when something is larger than allowed, a SealingError when a recipient's key can not be sealed to. `wrap`
 * may supply a faster way to the same result.
 */
export async function sealRecord(content: RecordContent, wrap: WrapSecret = wrapSecret): Promise<SealedRecord> {
  const { genesisHash, recordId, version, fields } = content;
  const of = { recordId, version };
  const secrets = drawRecordSecrets();
  const sealed = await sealPayload(content.payload, dataKey(secrets, genesisHash, of), of);
  const { cid } = await payloadDag(sealed.chunks);
  const attachment = encodeAttachment({
    blind: crypto.getRandomValues(new Uint8Array(BLIND_BYTES)),
    fields:
      fields === null
        ? new Uint8Array(0)
        : await sealFields(encodeRecordFields(fields), fieldKey(secrets.s, genesisHash, of), of),
    wraps: await wrapsFor(content, secrets, wrap),
  });
  return {
    payload: { cid, bytes: sealed.bytes, keyCommitment: sealed.keyCommitment },
    attachment,
    ciphertext: concatBytes(...sealed.chunks),
  };
}

async function wrapsFor(
  content: RecordContent,
  secrets: RecordSecrets,
  wrapInto: WrapSecret,
): Promise<readonly KeyWrap[]> {
  const { genesisHash, recordId, version, recipients } = content;
  const wraps: KeyWrap[] = [];
  for (const kind of ['author', 'patient', 'organisation'] as const) {
    const { address: recipient, sealingKey } = recipients[kind];
    for (const secret of ['s', 'kNode'] as const) {
      const info = wrapInfo({ genesisHash, recordId, version, recipient, sealingKey, basis: { kind }, secret });
      wraps.push({ recipient, secret, wrap: await wrapInto(secrets[secret], sealingKey, info) });
    }
  }
  return wraps;
}
