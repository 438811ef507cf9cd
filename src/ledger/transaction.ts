import { decode, encode, withoutLastElement } from '../codec/cbor.ts';
import { bytes, list, nullable, struct, uint } from '../codec/schema.ts';
import { sha256, signedPreimage, taggedHash } from '../crypto/hash.ts';
import { leafHash } from '../crypto/merkle.ts';
import { type Action, actionSchema, RECORD_ID_BYTES } from './action.ts';

/** Version of the transaction format that this build reads and writes. */
export const TRANSACTION_VERSION = 1;
/** Most bytes of an encoded transaction. */
export const TRANSACTION_BYTES_MAX = 16 * 1024;
/** Most signatures of one transaction. */
const SIGNATURES_MAX = 32;
/** Most bytes of an attachment as it travels, its blind included. */
export const ATTACHMENT_BYTES_MAX = 16 * 1024;
/** Length of a transaction's salt in bytes. */
export const SALT_BYTES = 16;

/** One account key's signature over the transaction's preimage. */
export interface TransactionSignature {
  readonly account: Uint8Array;
  /** Place of the key in the account's key document. */
  readonly keyIndex: number;
  readonly bytes: Uint8Array;
}

/** What a transaction says of the attachment that travels beside it. */
export interface AttachmentReference {
  readonly hash: Uint8Array;
  readonly bytes: number;
}

/** All that is signed. */
export interface TransactionBody {
  readonly version: number;
  /** Last block timestamp at which it may be applied, milliseconds since the Unix epoch. */
  readonly validUntilMs: number;
  readonly salt: Uint8Array;
  readonly action: Action;
  readonly attachment: AttachmentReference | null;
}

/** A transaction as it travels. */
export interface Transaction extends TransactionBody {
  /** Sorted by (account, keyIndex), unique. */
  readonly signatures: readonly TransactionSignature[];
}

/** A transaction decoded once, with the two hashes that name it. */
export interface DecodedTransaction {
  readonly transaction: Transaction;
  /** The full canonical encoding. */
  readonly encoded: Uint8Array;
  /** What every signer signed. */
  readonly preimage: Uint8Array;
  /** Names the content without signatures: replay protection, status. */
  readonly txId: Uint8Array;
  /** Leaf hash of the full encoding: gossip, proposals, txRoot. */
  readonly txHash: Uint8Array;
}

const attachmentReferenceSchema = struct<AttachmentReference>({ hash: bytes(32), bytes: uint(ATTACHMENT_BYTES_MAX) });

const bodyFields = {
  version: uint(0xffff),
  validUntilMs: uint(),
  salt: bytes(SALT_BYTES),
  action: actionSchema,
  attachment: nullable(attachmentReferenceSchema),
};

/** Form of what is signed. */
const transactionBodySchema = struct<TransactionBody>(bodyFields);

/** Wire form of a transaction. */
export const transactionSchema = struct<Transaction>({
  ...bodyFields,
  signatures: list(
    struct<TransactionSignature>({ account: bytes(32), keyIndex: uint(0xff), bytes: bytes(64) }),
    SIGNATURES_MAX,
  ),
});

/** What every signer signs, under the kind TX. */
export function transactionPreimage(genesisHash: Uint8Array, body: TransactionBody): Uint8Array {
  return signedPreimage('TX', genesisHash, encode(transactionBodySchema, body));
}

/** SHA-256 of the signed preimage, 32 bytes. */
export function transactionId(genesisHash: Uint8Array, body: TransactionBody): Uint8Array {
  return sha256(transactionPreimage(genesisHash, body));
}

/** RFC 6962 leaf hash of the full encoding, 32 bytes. */
export function transactionHash(encoded: Uint8Array): Uint8Array {
  return leafHash(encoded);
}

/** Decodes one transaction. Throws a DecodeError on anything that is not its canonical encoding. */
export function decodeTransaction(genesisHash: Uint8Array, encoded: Uint8Array): DecodedTransaction {
  const transaction = decode(transactionSchema, encoded, TRANSACTION_BYTES_MAX);
  // The signatures come last; so what is signed stands there encoded already.
  const preimage = signedPreimage('TX', genesisHash, withoutLastElement(encoded));
  return { transaction, encoded, preimage, txId: sha256(preimage), txHash: transactionHash(encoded) };
}

/** First 16 bytes of SHA-256("medledger/v1/RECORD" ‖ 0x00 ‖ genesisHash ‖ author ‖ salt): known before sealing. */
export function recordIdOf(genesisHash: Uint8Array, author: Uint8Array, salt: Uint8Array): Uint8Array {
  return taggedHash('RECORD', genesisHash, author, salt).slice(0, RECORD_ID_BYTES);
}

/** SHA-256("medledger/v1/ATTACHMENT" ‖ 0x00 ‖ blind ‖ bytes); `attachment` = blind[32] ‖ bytes as it travels. */
export function attachmentHash(attachment: Uint8Array): Uint8Array {
  return taggedHash('ATTACHMENT', attachment);
}
