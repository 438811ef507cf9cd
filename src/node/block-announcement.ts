import { decode, encode } from '../codec/cbor.ts';
import { decodeHeader } from '../ledger/block.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateSchema } from '../ledger/certificate.ts';
import { decodeBlockFrame, encodeBlockFrame } from './block-frame.ts';

/** The frame that tells of a committed block: its header and certificate; bodies are asked for. */
export function announcementOf(block: ExecutedBlock, certificate: Certificate): Uint8Array {
  const encoded = encode(certificateSchema, certificate);
  return encodeBlockFrame({ header: block.encodedHeader, certificate: encoded, transactions: [] });
}

/** What an announcement claims, unverified: a height, and the certificate of its block. Throws a DecodeError. */
export function readAnnouncement(frame: Uint8Array): { readonly height: number; readonly certificate: Certificate } {
  const { header, certificate } = decodeBlockFrame(frame);
  return {
    height: decodeHeader(header).height,
    certificate: decode(certificateSchema, certificate, CERTIFICATE_BYTES_MAX),
  };
}
