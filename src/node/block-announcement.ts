import { encode } from '../codec/cbor.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { type Certificate, certificateSchema } from '../ledger/certificate.ts';
import { encodeBlockFrame } from './block-frame.ts';

/** The frame that tells of a committed block: its header and certificate; bodies are asked for. */
export function announcementOf(block: ExecutedBlock, certificate: Certificate): Uint8Array {
  const encoded = encode(certificateSchema, certificate);
  return encodeBlockFrame({ header: block.encodedHeader, certificate: encoded, transactions: [] });
}
