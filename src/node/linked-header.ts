import { equalBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytesUpTo, struct } from '../codec/schema.ts';
import { blockHash, decodeHeader, HEADER_BYTES_MAX, type Header } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateSchema } from '../ledger/certificate.ts';

/** A header as it travels to one who joins. */
interface HeaderFrame {
  /** Canonical bytes. */
  readonly header: Uint8Array;
  /** Canonical commit-certificate bytes; empty where none is needed. */
  readonly certificate: Uint8Array;
}

const headerFrameSchema = struct<HeaderFrame>({
  header: bytesUpTo(HEADER_BYTES_MAX),
  certificate: bytesUpTo(CERTIFICATE_BYTES_MAX),
});
const HEADER_FRAME_BYTES_MAX = HEADER_BYTES_MAX + CERTIFICATE_BYTES_MAX + 16;

/** A header that a peer served, decoded; nothing of it is verified but that the certificate names this block. */
export interface ServedHeader {
  readonly header: Header;
  readonly encoded: Uint8Array;
  readonly hash: Uint8Array;
  readonly certificate: Certificate | undefined;
  readonly encodedCertificate: Uint8Array;
}

/** The bytes of a header with the certificate that proves it, or with none. */
export function encodeHeaderFrame(header: Uint8Array, certificate: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encode(headerFrameSchema, { header, certificate });
}

/** Undefined for bytes that are none, and where the certificate is one of another block. */
export function readHeaderFrame(frame: Uint8Array): ServedHeader | undefined {
  try {
    const { header: encoded, certificate: encodedCertificate } = decode(
      headerFrameSchema,
      frame,
      HEADER_FRAME_BYTES_MAX,
    );
    const header = decodeHeader(encoded);
    const hash = blockHash(encoded);
    const certificate =
      encodedCertificate.length === 0
        ? undefined
        : decode(certificateSchema, encodedCertificate, CERTIFICATE_BYTES_MAX);
    if (certificate !== undefined && !(certificate.height === header.height && equalBytes(certificate.blockHash, hash)))
      return undefined;
    return { header, encoded, hash, certificate, encodedCertificate };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** True for a header after whose block the validators are others: the next ones must be proven by these. */
export function changesNextValidators(header: Header): boolean {
  return !equalBytes(header.validatorsHash, header.nextValidatorsHash);
}
