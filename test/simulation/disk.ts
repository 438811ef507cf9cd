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

/** What a backup holds. */
export interface DiskCopy {
  readonly journal: readonly JournalRecord[];
  readonly blocks: readonly StoredBlock[];
}

/** What outlives a crash: blocks applied and journal records synced; of the rest a part that chance decides. */
export class Disk {
  #synced: JournalRecord[] = [{ kind: 'Birth' }];
  #unsynced: (readonly JournalRecord[])[] = [];
  blocks: StoredBlock[] = [];

  append(records: readonly JournalRecord[]): void {
    this.#unsynced.push(records);
  }

  /** The oldest group that was appended and not synced is safe now; returns it. */
  sync(): readonly JournalRecord[] {
    return this.#keep(this.#unsynced.shift() ?? []);
  }

  truncate(height: number, blockHash: Uint8Array): void {
    const kept = this.#synced.filter((record) => journalRecordHeight(record) > height);
    this.#synced = [{ kind: 'Truncated', height, blockHash }, ...kept];
  }

  /** What was not synced may have reached the disk in part: a prefix of it, which is returned. A torn record is cut. */
  crash(prng: Prng): readonly JournalRecord[] {
    const written = this.#unsynced.flat();
    this.#unsynced = [];
    return this.#keep(written.slice(0, prng.between(0, written.length)));
  }

  /** A restarted ledger begins a journal of its own. */
  begin(kind: 'Birth' | 'Amnesia'): void {
    this.#synced = [{ kind }];
    this.#unsynced = [];
  }

  copy(): DiskCopy {
    return { journal: [...this.#synced], blocks: [...this.blocks] };
  }

  restore(journal: readonly JournalRecord[], blocks: readonly StoredBlock[]): void {
    this.#synced = [...journal];
    this.blocks = [...blocks];
  }

  /** As read back from their bytes. */
  records(): readonly JournalRecord[] {
    return this.#synced.map((record) => decodeJournalRecord(encodeJournalRecord(record)));
  }

  #keep(written: readonly JournalRecord[]): readonly JournalRecord[] {
    this.#synced.push(...written);
    return written;
  }
}
