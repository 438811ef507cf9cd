import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { boolean, bytes, struct, uint, union } from '../codec/schema.ts';
import { type Certificate, certificateSchema } from '../ledger/certificate.ts';
import {
  type Commit,
  MESSAGE_BYTES_MAX,
  type Message,
  messageSchema,
  type PrePrepare,
  type Prepare,
  type ViewChange,
} from './messages.ts';

/**
 * What the core writes before it sends (consensus.md §7). The host adds the bodies of the block to `Proposal`, and
 * its attachments when it is fresh.
 */
export type JournalRecord =
  /** Written by the act that creates the key, and by nothing else. */
  | { readonly kind: 'Birth' }
  /** All records up to `height` were cut: that height is decided and its batch is synced. */
  | { readonly kind: 'Truncated'; readonly height: number; readonly blockHash: Uint8Array }
  /** From here on, until a truncation, the journal is known to lack signatures of ours. */
  | { readonly kind: 'Amnesia' }
  /** A proposal that we signed, or are about to PREPARE. */
  | { readonly kind: 'Proposal'; readonly message: PrePrepare; readonly fresh: boolean }
  /** Our own vote. */
  | { readonly kind: 'Vote'; readonly message: Prepare | Commit }
  /** A quorum of PREPAREs for a block that we accepted. */
  | { readonly kind: 'Prepared'; readonly certificate: Certificate }
  /** Our own VIEWCHANGE with its certificate: sent again as it is. */
  | { readonly kind: 'ViewChanged'; readonly message: ViewChange };

type Narrow<K extends Message['kind']> = Extract<Message, { kind: K }>;

function messageOf<K extends Message['kind']>(...kinds: readonly K[]) {
  return {
    toItem: (message: Narrow<K>) => messageSchema.toItem(message),
    fromItem(item: unknown, at: string): Narrow<K> {
      const message = messageSchema.fromItem(item, at);
      if (!(kinds as readonly string[]).includes(message.kind)) throw new DecodeError(`${at} is of a wrong kind`);
      return message as Narrow<K>;
    },
  };
}

const recordSchema = union<JournalRecord>({
  Birth: [1, struct({})],
  Truncated: [2, struct({ height: uint(), blockHash: bytes(32) })],
  Proposal: [3, struct({ message: messageOf('PrePrepare'), fresh: boolean })],
  Vote: [4, struct({ message: messageOf('Prepare', 'Commit') })],
  Prepared: [5, struct({ certificate: certificateSchema })],
  Amnesia: [7, struct({})],
  ViewChanged: [6, struct({ message: messageOf('ViewChange') })],
});

/** Largest encoding of a record without the host's bodies, in bytes. */
export const JOURNAL_RECORD_BYTES_MAX = MESSAGE_BYTES_MAX + 64;

/** The canonical bytes of a record. */
export function encodeJournalRecord(record: JournalRecord): Uint8Array {
  return encode(recordSchema, record);
}

/** Throws a DecodeError on anything that is not the canonical encoding of a record. */
export function decodeJournalRecord(encoded: Uint8Array): JournalRecord {
  return decode(recordSchema, encoded, JOURNAL_RECORD_BYTES_MAX);
}

/** Height that a record is about; 0 where it is about none. */
export function journalRecordHeight(record: JournalRecord): number {
  switch (record.kind) {
    case 'Birth':
    case 'Amnesia':
      return 0;
    case 'Truncated':
      return record.height;
    case 'Prepared':
      return record.certificate.height;
    default:
      return record.message.height;
  }
}
