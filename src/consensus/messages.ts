import { equalBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytes, bytesUpTo, list, nullable, struct, uint, union } from '../codec/schema.ts';
import { signedPreimage } from '../crypto/hash.ts';
import { BLOCK_TRANSACTIONS_MAX, HEADER_BYTES_MAX } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateSchema } from '../ledger/certificate.ts';
import { VALIDATORS_MAX } from '../ledger/validator-set.ts';
import {
  prePreparePreimage,
  VIEW_MAX,
  type ViewChangeClaim,
  type Vote,
  viewChangeClaimFields,
  viewChangePreimage,
  votePreimage,
} from '../ledger/vote.ts';

export { prePreparePreimage, type ViewChangeClaim, viewChangePreimage };

/** A block without its bodies: enough to compute its hash and to know what to fetch. */
export interface Proposal {
  /** Canonical header bytes; their hash names the block. */
  readonly header: Uint8Array;
  /** Leaf hashes of the full encodings of the transactions, in order. */
  readonly txHashes: readonly Uint8Array[];
}

/** The signed part of a VIEWCHANGE, as it also stands in justifications. */
export interface SignedViewChange extends ViewChangeClaim {
  readonly signer: number;
  readonly signature: Uint8Array;
}

/** Why a proposal for a view above 0 may stand there: exactly q parts, and the winning certificate if any. */
export interface Justification {
  readonly viewChanges: readonly SignedViewChange[];
  readonly certificate: Certificate | null;
}

/** The primary's proposal for a view; for views above 0 also PBFT's NEW-VIEW. The signature covers the vote fields. */
export interface PrePrepare extends Vote {
  readonly kind: 'PrePrepare';
  readonly signer: number;
  readonly signature: Uint8Array;
  readonly proposal: Proposal;
  readonly justification: Justification;
}

/** A validator's vote: first phase. */
export interface Prepare extends Vote {
  readonly kind: 'Prepare';
  readonly signer: number;
  readonly signature: Uint8Array;
}

/** A validator's vote: second phase. */
export interface Commit extends Vote {
  readonly kind: 'Commit';
  readonly signer: number;
  readonly signature: Uint8Array;
}

/** A validator's wish to leave the views below `newView`, with the certificate that it claims. */
export interface ViewChange extends SignedViewChange {
  readonly kind: 'ViewChange';
  readonly certificate: Certificate | null;
}

/** Where a validator stands. Named by key: peers at other heights may number the validators differently. */
export interface Status {
  readonly kind: 'Status';
  /** Height being agreed on. */
  readonly height: number;
  readonly view: number;
  /** Hash of the block at height − 1. */
  readonly tipHash: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** The answer to one who is late: proof that its height is decided. Needs no signature of its own. */
interface Decided {
  readonly kind: 'Decided';
  readonly certificate: Certificate;
}

/** Everything that validators say to each other, a union on `kind`. */
export type Message = PrePrepare | Prepare | Commit | ViewChange | Status | Decided;

const proposalSchema = struct<Proposal>({
  header: bytesUpTo(HEADER_BYTES_MAX),
  txHashes: list(bytes(32), BLOCK_TRANSACTIONS_MAX),
});

const signerFields = { signer: uint(0xff), signature: bytes(64) };
const voteFields = { height: uint(), view: uint(VIEW_MAX), blockHash: bytes(32), ...signerFields };
const statusFields = { height: uint(), view: uint(VIEW_MAX), tipHash: bytes(32) };
const statusSchema = struct<Pick<Status, 'height' | 'view' | 'tipHash'>>(statusFields);

const justificationSchema = struct<Justification>({
  viewChanges: list(struct<SignedViewChange>({ ...viewChangeClaimFields, ...signerFields }), VALIDATORS_MAX),
  certificate: nullable(certificateSchema),
});

/** Every message as `[code, fields]`. */
export const messageSchema = union<Message>({
  PrePrepare: [1, struct({ ...voteFields, proposal: proposalSchema, justification: justificationSchema })],
  Prepare: [2, struct(voteFields)],
  Commit: [3, struct(voteFields)],
  ViewChange: [4, struct({ ...viewChangeClaimFields, ...signerFields, certificate: nullable(certificateSchema) })],
  Status: [5, struct({ ...statusFields, publicKey: bytes(32), signature: bytes(64) })],
  Decided: [6, struct({ certificate: certificateSchema })],
});

/** Largest encoding of each kind, in bytes, by its code. */
const BYTES_MAX: readonly number[] = [
  0,
  256 + HEADER_BYTES_MAX + BLOCK_TRANSACTIONS_MAX * 34 + VALIDATORS_MAX * 192 + CERTIFICATE_BYTES_MAX,
  256,
  256,
  256 + CERTIFICATE_BYTES_MAX,
  256,
  16 + CERTIFICATE_BYTES_MAX,
];

/** Largest encoding of any message, in bytes: the frame cap of the consensus channel. */
export const MESSAGE_BYTES_MAX = Math.max(...BYTES_MAX);

/** The canonical bytes of a message. */
export function encodeMessage(message: Message): Uint8Array {
  return encode(messageSchema, message);
}

/** Throws a DecodeError on anything that is not the canonical encoding of a message within the cap of its kind. */
export function decodeMessage(encoded: Uint8Array): Message {
  // 0x82, an array of two, then the kind's code.
  const bytesMax = encoded[0] === 0x82 ? BYTES_MAX[encoded[1] ?? 0] : undefined;
  if (bytesMax === undefined) throw new DecodeError('not a consensus message');
  return decode(messageSchema, encoded, bytesMax);
}

/** Bytes that a validator signs for a STATUS. */
export function statusPreimage(
  genesisHash: Uint8Array,
  status: Pick<Status, 'height' | 'view' | 'tipHash'>,
): Uint8Array {
  return signedPreimage('STATUS', genesisHash, encode(statusSchema, status));
}

/** Bytes under the message's own signature; undefined for a kind that has none. */
export function messagePreimage(genesisHash: Uint8Array, message: Message): Uint8Array | undefined {
  switch (message.kind) {
    case 'PrePrepare':
      return prePreparePreimage(genesisHash, message);
    case 'Prepare':
      return votePreimage('PREPARE', genesisHash, message);
    case 'Commit':
      return votePreimage('COMMIT', genesisHash, message);
    case 'ViewChange':
      return viewChangePreimage(genesisHash, message);
    case 'Status':
      return statusPreimage(genesisHash, message);
    case 'Decided':
      return undefined;
  }
}

/** True when two VIEWCHANGEs claim the same prepared block of the same view, or both none. */
export function isSameClaim(a: ViewChangeClaim, b: ViewChangeClaim): boolean {
  if (a.preparedView !== b.preparedView) return false;
  if (a.preparedHash === null || b.preparedHash === null) return a.preparedHash === b.preparedHash;
  return equalBytes(a.preparedHash, b.preparedHash);
}

/** Height that a message is about. */
export function messageHeight(message: Message): number {
  return message.kind === 'Decided' ? message.certificate.height : message.height;
}
