import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { concatBytes, uintBytes, utf8 } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import { bytes, struct, text, uint, union } from '../codec/schema.ts';
import { sha256 } from './hash.ts';

/** Length of a record id in bytes. */
const RECORD_ID_BYTES = 16;

/** Which version of which record something is sealed for. */
export interface RecordVersion {
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  /** 0 to 2³² − 1. */
  readonly version: number;
}

/** The two secrets that the author's client draws for one version of a record, 32 bytes each (ledger.md §8). */
export interface RecordSecrets {
  /** Wrapped to those entitled. */
  readonly s: Uint8Array;
  /** Shared out among the custodians, who release it against a logged read. */
  readonly kNode: Uint8Array;
}

/** Two fresh secrets from the platform's random generator. */
export function drawRecordSecrets(): RecordSecrets {
  return { s: crypto.getRandomValues(new Uint8Array(32)), kNode: crypto.getRandomValues(new Uint8Array(32)) };
}

/**
 * The payload key of one version, 32 bytes: HKDF-SHA256 (RFC 5869) of `s ‖ kNode` with salt genesisHash and info
 * `"medledger/v1/DATA" ‖ recordId ‖ version u32be`. Both secrets are needed.
 */
export function dataKey(secrets: RecordSecrets, genesisHash: Uint8Array, of: RecordVersion): Uint8Array {
  checkSecret(secrets.s);
  checkSecret(secrets.kNode);
  return deriveKey(concatBytes(secrets.s, secrets.kNode), genesisHash, 'DATA', of);
}

/**
 * The key of the encrypted search fields of one version, 32 bytes: as the payload key, from `s` alone and with
 * `"medledger/v1/FIELDS"`, so that members entitled to `s` can index without a logged read.
 */
export function fieldKey(s: Uint8Array, genesisHash: Uint8Array, of: RecordVersion): Uint8Array {
  checkSecret(s);
  return deriveKey(s, genesisHash, 'FIELDS', of);
}

/**
 * HMAC-SHA256(payload key, "medledger/v1/KEYCOMMIT"), 32 bytes: stands in the transaction and binds the record to one
 * key, which AES-GCM alone does not.
 */
export function keyCommitment(key: Uint8Array): Uint8Array {
  return hmac(nobleSha256, key, utf8('medledger/v1/KEYCOMMIT'));
}

/** The right by which a secret is wrapped to its recipient; ids are transaction ids. */
export type WrapBasis =
  | { readonly kind: 'author' }
  | { readonly kind: 'patient' }
  | { readonly kind: 'organisation' }
  | { readonly kind: 'grant'; readonly id: Uint8Array }
  | { readonly kind: 'read'; readonly id: Uint8Array };

/** All that a wrap is bound to. */
export interface WrapContext extends RecordVersion {
  readonly genesisHash: Uint8Array;
  /** Address of the account that shall open the wrap, 32 bytes. */
  readonly recipient: Uint8Array;
  /** Its X25519 key at that time, 32 bytes. */
  readonly sealingKey: Uint8Array;
  readonly basis: WrapBasis;
  /** Which of the two secrets is inside. */
  readonly secret: 's' | 'kNode';
}

const WRAP_TAGS = { s: 'medledger/v1/WRAP/S', kNode: 'medledger/v1/WRAP/KNODE' } as const;

const basisSchema = union<WrapBasis>({
  author: [0, struct<object>({})],
  patient: [1, struct<object>({})],
  organisation: [2, struct<object>({})],
  grant: [3, struct({ id: bytes(32) })],
  read: [4, struct({ id: bytes(32) })],
});

const wrapInfoSchema = struct({
  tag: text(32),
  genesisHash: bytes(32),
  recordId: bytes(RECORD_ID_BYTES),
  version: uint(0xffffffff),
  recipient: bytes(32),
  sealingKeyHash: bytes(32),
  basis: basisSchema,
});

/**
 * The HPKE `info` of a wrap: deterministic CBOR `[tag, genesisHash, recordId, version, recipient,
 * SHA-256(sealingKey), basis]`, with a tag of its own for each secret, so that a wrap opens only for what it was made
 * for. Throws a RangeError on a field of the wrong length.
 */
export function wrapInfo(context: WrapContext): Uint8Array {
  const { genesisHash, recordId, version, recipient, sealingKey, basis, secret } = context;
  if (sealingKey.length !== 32) throw new RangeError(`a sealing key has 32 bytes, not ${sealingKey.length}`);
  const sealingKeyHash = sha256(sealingKey);
  return encode(wrapInfoSchema, {
    tag: WRAP_TAGS[secret],
    genesisHash,
    recordId,
    version,
    recipient,
    sealingKeyHash,
    basis,
  });
}

function deriveKey(secret: Uint8Array, genesisHash: Uint8Array, purpose: string, of: RecordVersion): Uint8Array {
  if (genesisHash.length !== 32) throw new RangeError(`a genesis hash has 32 bytes, not ${genesisHash.length}`);
  if (of.recordId.length !== RECORD_ID_BYTES)
    throw new RangeError(`a record id has ${RECORD_ID_BYTES} bytes, not ${of.recordId.length}`);
  const info = concatBytes(utf8(`medledger/v1/${purpose}`), of.recordId, uintBytes(of.version, 4));
  return hkdf(nobleSha256, secret, genesisHash, info, 32);
}

function checkSecret(secret: Uint8Array): void {
  if (secret.length !== 32) throw new RangeError(`a record secret has 32 bytes, not ${secret.length}`);
}
