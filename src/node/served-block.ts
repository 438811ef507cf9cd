import { equalBytes, toHex } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { blockHash, decodeHeader, type Header } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateFault, certificateSchema } from '../ledger/certificate.ts';
import { transactionHash } from '../ledger/transaction.ts';
import { type BlockFrame, decodeBlockFrame } from './block-frame.ts';
import type { Head } from './head.ts';
import type { BodyRequests } from './requests-by-hash.ts';

/** A block as a peer served it. */
export interface ServedBlock {
  readonly frame: BlockFrame;
  readonly header: Header;
  readonly hash: Uint8Array;
  readonly certificate: Certificate;
  readonly txHashes: readonly Uint8Array[];
}

/** Undefined for bytes that are no block with a certificate. */
export function readServedBlock(encoded: Uint8Array): ServedBlock | undefined {
  try {
    const frame = decodeBlockFrame(encoded);
    const header = decodeHeader(frame.header);
    const certificate = decode(certificateSchema, frame.certificate, CERTIFICATE_BYTES_MAX);
    return {
      frame,
      header,
      hash: blockHash(frame.header),
      certificate,
      txHashes: frame.transactions.map(transactionHash),
    };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Why a block is not the certified next one on this head; undefined when it is, whatever executing it will say. */
export function servedBlockFault(
  { header, hash, certificate, txHashes }: ServedBlock,
  head: Pick<Head, 'tip' | 'validators' | 'genesisHash'>,
): string | undefined {
  if (header.height !== head.tip.height + 1 || certificate.height !== header.height) return 'height';
  if (!equalBytes(certificate.blockHash, hash)) return 'hash';
  const fault = certificateFault('COMMIT', certificate, head.validators, head.genesisHash, verifySignature);
  if (fault !== undefined) return `certificate/${fault}`;
  return equalBytes(merkleRoot(txHashes), header.txRoot) ? undefined : 'txRoot';
}

/** Requests of which the bodies are answered by the block itself; attachments still come from members. */
export function servedBodies({ frame, txHashes }: ServedBlock, requests: BodyRequests): BodyRequests {
  const bodies = new Map(txHashes.map((hash, place) => [toHex(hash), frame.transactions[place]!]));
  return {
    connectedPeers: () => requests.connectedPeers(),
    requestAttachments: (peer, hashes, signal) => requests.requestAttachments(peer, hashes, signal),
    requestBodies: (_peer, hashes) => Promise.resolve(hashes.map((hash) => bodies.get(toHex(hash)) ?? null)),
  };
}
