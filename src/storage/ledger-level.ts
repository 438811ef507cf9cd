import { readdir } from 'node:fs/promises';
import { Level } from 'level';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { makeFolder } from './durable-file.ts';
import { decodeFormat, encodeFormat, FORMAT_KEY, openValue, STORE_FORMAT, sealValue } from './schema.ts';
import { causeText, StorageError } from './storage-error.ts';

/** The key-value store under the ledger store. */
export type LedgerLevel = Level<Uint8Array, Uint8Array>;

/** Shared by all tables; the state that is read most stays in the store's own cache above this one. */
const CACHE_BYTES = 16 * 2 ** 20;
/** Up to two are held in memory. Larger ones mean fewer compactions of what lives only for minutes. */
const WRITE_BUFFER_BYTES = 16 * 2 ** 20;

/**
 * Opens the store in `folder`, or makes an empty one there, and checks that it is of this format and this ledger.
 * Errors: FolderLocked, StoreUnreadable, FormatUnsupported, OtherLedger, ItemDamaged.
 */
export async function openLedgerLevel(folder: string, genesisHash: Uint8Array): Promise<LedgerLevel> {
  await makeFolder(folder);
  await refuseHeadless(folder);
  const level: LedgerLevel = new Level(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    cacheSize: CACHE_BYTES,
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await level.open();
  } catch (error) {
    throw openingError(folder, error);
  }
  try {
    await checkFormat(level, folder, genesisHash);
  } catch (error) {
    await level.close();
    throw error;
  }
  return level;
}

/** What to do about a damaged ledger store; the other validators hold all that it held. */
export function rebuildRemedy(folder: string): string {
  return (
    `Stop the node, check the disk, move ${folder} aside and start again: the ledger is fetched from the other ` +
    'validators and verified. Leave the journal where it is.'
  );
}

/** LevelDB takes a folder without CURRENT for a new store, and would so silently forget the one that was there. */
async function refuseHeadless(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.includes('CURRENT') || !names.some((name) => /\.(ldb|sst|log)$/.test(name))) return;
  throw new StorageError('StoreUnreadable', folder, `${folder} has lost its file CURRENT.`, rebuildRemedy(folder));
}

function openingError(folder: string, error: unknown): StorageError {
  const cause = error instanceof Error ? error.cause : undefined;
  if ((cause as { code?: unknown } | undefined)?.code === 'LEVEL_LOCKED') {
    const fault = `The ledger store ${folder} is open in another process.`;
    return new StorageError('FolderLocked', folder, fault, 'Stop that process first.', error);
  }
  const fault = `The ledger store ${folder} cannot be opened: ${causeText(cause ?? error)}.`;
  return new StorageError('StoreUnreadable', folder, fault, rebuildRemedy(folder), error);
}

async function checkFormat(level: LedgerLevel, folder: string, genesisHash: Uint8Array): Promise<void> {
  const stored = await level.get(FORMAT_KEY);
  if (stored === undefined) {
    for await (const _key of level.keys({ limit: 1 })) {
      const fault = `${folder} holds data, but not what says of which format.`;
      throw new StorageError('StoreUnreadable', folder, fault, rebuildRemedy(folder));
    }
    const value = sealValue(FORMAT_KEY, encodeFormat(STORE_FORMAT, genesisHash));
    await level.batch().put(FORMAT_KEY, value).write({ sync: true });
    return;
  }
  const payload = openValue(FORMAT_KEY, stored);
  const format = payload && decodeFormat(payload);
  if (format === undefined) {
    const fault = `The format record of ${folder} fails its checksum.`;
    throw new StorageError('ItemDamaged', 'format record', fault, rebuildRemedy(folder));
  }
  if (format.version !== STORE_FORMAT) {
    const fault = `The ledger store ${folder} has format ${format.version}; this build reads format ${STORE_FORMAT}.`;
    const remedy = 'Run the build that wrote it, or follow the upgrade notes of this one.';
    throw new StorageError('FormatUnsupported', folder, fault, remedy);
  }
  if (!equalBytes(format.genesisHash, genesisHash)) {
    const fault = `${folder} belongs to the ledger with genesis ${toHex(format.genesisHash)}, not ${toHex(genesisHash)}.`;
    throw new StorageError('OtherLedger', folder, fault, 'Give each ledger a data folder of its own.');
  }
}
