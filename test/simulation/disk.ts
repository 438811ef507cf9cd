import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
  journalRecordHeight,
} from '../../src/consensus/journal-record.ts';
import type { Proposal } from '../../src/consensus/messages.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import type { Prng } from './prng.ts';

/** A block as applied. */
export interface StoredBlock {
  readonly proposal: Proposal;
  readonly certificate: Certificate;
}

/** What outlives a crash: blocks applied and journal records synced; of the rest a part that chance decides. */
export class Disk {
  #synced: Uint8Array[] = [encodeJournalRecord({ kind: 'Birth' })];
  #unsynced: Uint8Array[][] = [];
  readonly blocks: StoredBlock[] = [];

  append(records: readonly JournalRecord[]): void {
    this.#unsynced.push(records.map(encodeJournalRecord));
  }

  /** The oldest group that was appended and not synced is safe now; returns it. */
  sync(): readonly JournalRecord[] {
    return this.#keep(this.#unsynced.shift() ?? []);
  }

  truncate(height: number, blockHash: Uint8Array): void {
    const kept = this.records().filter((record) => journalRecordHeight(record) > height);
    this.#synced = [{ kind: 'Truncated' as const, height, blockHash }, ...kept].map(encodeJournalRecord);
  }

  /** What was not synced may have reached the disk in part: a prefix of it, which is returned. */
  crash(prng: Prng): readonly JournalRecord[] {
    const written = this.#unsynced.flat();
    this.#unsynced = [];
    return this.#keep(written.slice(0, prng.between(0, written.length)));
  }

  /** The journal is gone, the blocks are not. */
  loseJournal(): void {
    this.#synced = [];
  }

  records(): readonly JournalRecord[] {
    return this.#synced.map(decodeJournalRecord);
  }

  #keep(written: readonly Uint8Array[]): readonly JournalRecord[] {
    this.#synced.push(...written);
    return written.map(decodeJournalRecord);
  }
}
