import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
  journalRecordHeight,
} from '../consensus/journal-record.ts';
import type { Journal } from '../storage/journal.ts';
import { decodeJournalEntry, encodeRecord, type JournalEntry } from './journal-entry.ts';

/** A journal longer than this is replaced by what still matters of it. */
const TRUNCATE_BYTES = 32 * 1024 * 1024;

/** What a journal held at the start, in its order. */
export interface JournalContent {
  readonly records: readonly JournalRecord[];
  readonly bodies: readonly Extract<JournalEntry, { kind: 'Bodies' }>[];
  /** The same as it was written: bodies are of the height of the record before them. */
  readonly groups: readonly Group[];
}

/** Entries of one height. */
interface Group {
  readonly height: number;
  readonly payloads: readonly Uint8Array[];
}

/** Throws a DecodeError when an entry is not one of this version's. */
export function readJournalContent(payloads: readonly Uint8Array[]): JournalContent {
  const records: JournalRecord[] = [];
  const bodies: Extract<JournalEntry, { kind: 'Bodies' }>[] = [];
  const groups: Group[] = [];
  let height = 0;
  for (const payload of payloads) {
    const entry = decodeJournalEntry(payload);
    if (entry.kind === 'Record') {
      const record = decodeJournalRecord(entry.record);
      height = journalRecordHeight(record);
      records.push(record);
    } else bodies.push(entry);
    groups.push({ height, payloads: [payload] });
  }
  return { records, bodies, groups };
}

/**
 * The journal as consensus uses it. A decided height is marked by a Truncated record: ahead of the next entries where
 * the journal reaches that height anyway, at once where it does not, since a journal that falls behind the store looks
 * like a lost one. The file itself is replaced only when it has grown.
 */
export class JournalKeeper {
  readonly #journal: Journal;
  readonly #onFatal: (error: unknown) => void;
  readonly #onAppended: (seconds: number) => void;
  /** Entries of heights not yet decided, in order: what a replaced file begins with. */
  #live: Group[];
  /** Mark of the newest decided height, not yet written. */
  #mark: Uint8Array | undefined;
  /** Highest height of anything written since the start. */
  #reached = 0;

  /** `content`: what the journal held when it was opened. */
  constructor(
    journal: Journal,
    content: Pick<JournalContent, 'groups'>,
    onAppended: (seconds: number) => void,
    onFatal: (error: unknown) => void,
  ) {
    this.#journal = journal;
    this.#live = [...content.groups];
    this.#onAppended = onAppended;
    this.#onFatal = onFatal;
  }

  /** Appends the entries of records of `height`; resolves once they are on disk. */
  async append(height: number, payloads: readonly Uint8Array[]): Promise<void> {
    this.#live.push({ height, payloads });
    this.#reached = Math.max(this.#reached, height);
    const startMs = performance.now();
    const mark = this.#mark;
    this.#mark = undefined;
    await this.#journal.append(mark === undefined ? payloads : [mark, ...payloads]);
    this.#onAppended((performance.now() - startMs) / 1_000);
  }

  /** Block `height` is decided and its batch is on disk: nothing at or below it will be signed again. */
  truncate(height: number, blockHash: Uint8Array): void {
    this.#live = this.#live.filter((group) => group.height > height);
    const mark = encodeRecord(encodeJournalRecord({ kind: 'Truncated', height, blockHash }));
    const isLong = this.#journal.lengthBytes > TRUNCATE_BYTES;
    const isBehind = this.#reached < height;
    this.#reached = Math.max(this.#reached, height);
    this.#mark = isLong || isBehind ? undefined : mark;
    if (isLong) this.#journal.truncate([mark, ...this.#live.flatMap(({ payloads }) => payloads)]).catch(this.#onFatal);
    else if (isBehind) this.#journal.append([mark]).catch(this.#onFatal);
  }
}
