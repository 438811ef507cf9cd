import { equalBytes } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { openFields } from '../crypto/field-cipher.ts';
import { SealingError, sealingPublicKey, unwrapSecret } from '../crypto/hpke.ts';
import { fieldKey, wrapInfo } from '../crypto/record-keys.ts';
import { decodeAttachment, decodeRecordFields, type RecordFields } from '../ledger/attachment.ts';

/** The sealing key of the organisation that runs this node. */
export interface OrganisationKey {
  readonly address: Uint8Array;
  readonly sealingSecret: Uint8Array;
}

/**
 * Opens the search fields that an attachment holds for this organisation. Undefined when there are none, none for it,
 * or none that open: what an author sealed wrongly is not searchable, and no fault of the node.
 */
export async function openRecordFields(
  attachment: Uint8Array,
  key: OrganisationKey,
  genesisHash: Uint8Array,
  recordId: Uint8Array,
  version: number,
): Promise<RecordFields | undefined> {
  try {
    const { fields, wraps } = decodeAttachment(attachment);
    const own = wraps.find((wrap) => wrap.secret === 's' && equalBytes(wrap.recipient, key.address));
    if (own === undefined || fields.length === 0) return undefined;
    const info = wrapInfo({
      genesisHash,
      recordId,
      version,
      recipient: key.address,
      sealingKey: sealingPublicKey(key.sealingSecret),
      basis: { kind: 'organisation' },
      secret: 's',
    });
    const s = await unwrapSecret(own.wrap, key.sealingSecret, info);
    const plain = await openFields(fields, fieldKey(s, genesisHash, { recordId, version }), { recordId, version });
    return plain === undefined ? undefined : decodeRecordFields(plain);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SealingError) return undefined;
    throw error;
  }
}
