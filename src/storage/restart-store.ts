import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { type StateChange, writeState } from './block-commit.ts';
import { CheckedLevel } from './checked-level.ts';
import { syncFolder, writeSynced } from './durable-file.ts';
import { encodeJournalFile, JOURNAL_SALT_BYTES } from './journal-format.ts';
import { decodeTip, encodeFormat, encodeTip, FORMAT_KEY, PREFIX, prefixed, STORE_FORMAT, TIP_KEY } from './schema.ts';
import { StorageError } from './storage-error.ts';

/** What a restart changes in a ledger store, whose blocks stay as they are. */
export interface StoreRestart {
  readonly oldGenesisHash: Uint8Array;
  readonly newGenesisHash: Uint8Array;
  /** Height of the tip, which stays; its hash becomes the new genesis hash. */
  readonly height: number;
  readonly stateChanges: readonly StateChange[];
  /** Canonical validator lists by their hashes, with which the blocks before and after are proven. */
  readonly validatorLists: readonly { readonly hash: Uint8Array; readonly encoded: Uint8Array }[];
}

/**
 * Makes the store in `folder` one of the new ledger, in one synced batch: after a crash it is of the old one or of the
 * new. Done already, it changes nothing. Errors: as of `openStore`, WriteFailed.
 */
export async function restartStore(folder: string, restart: StoreRestart): Promise<void> {
  const { oldGenesisHash, newGenesisHash, height, stateChanges, validatorLists } = restart;
  const level = await CheckedLevel.open(folder, oldGenesisHash);
  try {
    const record = await level.value(TIP_KEY, 'tip record', decodeTip);
    if (record?.tip.height !== height) throw level.damaged('tip record');
    await level.write(true, (batch) => {
      batch.put(FORMAT_KEY, encodeFormat(STORE_FORMAT, newGenesisHash));
      batch.put(TIP_KEY, encodeTip({ ...record, tip: { height, hash: newGenesisHash } }));
      writeState(batch, stateChanges);
      for (const { hash, encoded } of validatorLists) batch.put(prefixed(PREFIX.validators, hash), encoded);
    });
  } finally {
    await level.close();
  }
}

/** True for the store of the new ledger, false for that of the old one. Errors: as of `openStore`. */
export async function isRestarted(folder: string, oldGenesisHash: Uint8Array, newGenesisHash: Uint8Array) {
  try {
    await (await CheckedLevel.open(folder, oldGenesisHash)).close();
    return false;
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'OtherLedger')) throw error;
    await (await CheckedLevel.open(folder, newGenesisHash)).close();
    return true;
  }
}

/** Writes the journal that `adoptJournal` will put in place, with one record, beside the one in force; durable. */
export async function prepareJournal(file: string, record: Uint8Array): Promise<void> {
  const identity = { salt: randomBytes(JOURNAL_SALT_BYTES), firstSequence: 1 };
  await writeSynced(preparedName(file), encodeJournalFile(identity, [record]));
  await syncFolder(path.dirname(file));
}

/** Replaces the journal by the prepared one; done already, it changes nothing. After a crash one of them is there. */
export async function adoptJournal(file: string): Promise<void> {
  if (!existsSync(preparedName(file))) return;
  await rename(preparedName(file), file);
  await syncFolder(path.dirname(file));
}

function preparedName(file: string): string {
  return `${file}.restart`;
}
