import { toHex } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { type Certificate, certificateSchema } from '../ledger/certificate.ts';
import { attachmentHash } from '../ledger/transaction.ts';
import type { BlockCommit } from '../storage/block-commit.ts';

/** A block that a quorum decided, executed here, with all that committing it takes. */
export interface DecidedBlock {
  readonly block: ExecutedBlock;
  readonly certificate: Certificate;
  /** Those of its attachments that are at hand; the others are fetched later. */
  readonly attachments: readonly Uint8Array[];
}

/** What of it goes to disk. */
export function blockCommit({ block, certificate, attachments }: DecidedBlock): BlockCommit {
  const { header, transactions } = block;
  const declared = transactions.flatMap(({ transaction }) => transaction.attachment ?? []);
  const held = new Map(attachments.map((bytes) => [toHex(attachmentHash(bytes)), bytes]));
  return {
    height: header.height,
    hash: block.hash,
    header: block.encodedHeader,
    certificate: encode(certificateSchema, certificate),
    transactions: transactions.map(({ encoded }) => encoded),
    txIds: transactions.map(({ txId }) => txId),
    stateChanges: block.changes.map(({ key, value }) => ({ key, value: value ?? null })),
    attachments: declared.flatMap(({ hash }) => {
      const bytes = held.get(toHex(hash));
      return bytes === undefined ? [] : [{ hash, bytes }];
    }),
    wantedAttachments: declared.flatMap(({ hash }) => (held.has(toHex(hash)) ? [] : [hash])),
    disposedAttachments: [],
    indexPages: block.index.pages,
  };
}
