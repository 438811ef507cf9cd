import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from '../consensus/journal-record.ts';
import type { Journal } from '../storage/journal.ts';
import { decodeJournalEntry, encodeRecord, type JournalEntry } from './journal-entry.ts';

/** A journal longer than this is replaced by what still matters of it. */
const TRUNCATE_BYTES = 32 * 1024 * 1024;

/** What a journal held at the start, in its order. */
export interface JournalContent {
  readonly records: readonly JournalRecord[];
  readonly bodies: readonly Extract<JournalEntry, { kind: 'Bodies' }>[];
}

/** Throws a DecodeError when an entry is not one of this version's. */
export function readJournalContent(payloads: readonly Uint8Array[]): JournalContent {
  const records: JournalRecord[] = [];
  const bodies: Extract<JournalEntry, { kind: 'Bodies' }>[] = [];
  for (const payload of payloads) {
    const entry = decodeJournalEntry(payload);
    if (entry.kind === 'Record') records.push(decodeJournalRecord(entry.record));
    else bodies.push(entry);
  }
  return { records, bodies };
}

/**
 * The journal as consensus uses it. A decided height is marked by a Truncated record at its end, which is cheap; the
 * file itself is replaced only when it has grown.
 */
export class JournalKeeper {
  readonly #journal: Journal;
  readonly #onFatal: (error: unknown) => void;
  readonly #onAppended: (seconds: number) => void;
  /** Entries of heights not yet decided, in order: what a replaced file begins with. */
  #live: { readonly height: number; readonly payloads: readonly Uint8Array[] }[] = [];

  constructor(journal: Journal, onAppended: (seconds: number) => void, onFatal: (error: unknown) => void) {
    this.#journal = journal;
    this.#onAppended = onAppended;
    this.#onFatal = onFatal;
  }

  /** Appends the entries of records of `height`; resolves once they are on disk. */
  async append(height: number, payloads: readonly Uint8Array[]): Promise<void> {
    this.#live.push({ height, payloads });
    const startMs = performance.now();
    await this.#journal.append(payloads);
    this.#onAppended((performance.now() - startMs) / 1_000);
  }

  /** Block `height` is decided and its batch is on disk: nothing at or below it will be signed again. */
  truncate(height: number, blockHash: Uint8Array): void {
    this.#live = this.#live.filter((group) => group.height > height);
    const mark = encodeRecord(encodeJournalRecord({ kind: 'Truncated', height, blockHash }));
    const isLong = this.#journal.lengthBytes > TRUNCATE_BYTES;
    const work = isLong
      ? this.#journal.truncate([mark, ...this.#live.flatMap(({ payloads }) => payloads)])
      : this.#journal.append([mark]);
    work.catch(this.#onFatal);
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }
}
