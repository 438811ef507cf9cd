import { chmod, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FOLDER_MODE, makeFolder, syncFolder, systemErrorCode } from './durable-file.ts';
import { StorageError } from './storage-error.ts';

/** Where everything of one node lies; absolute paths. */
export interface DataFolder {
  readonly root: string;
  /** `config.toml`: the node's settings. */
  readonly config: string;
  /** `genesis.cbor`: the canonical genesis file of the ledger, of a founding or of a restart. */
  readonly genesis: string;
  /** `restart.cbor`: the genesis file of a restart that is being applied; gone when it is. */
  readonly restart: string;
  /** `start-state`: what a restarted ledger starts with (start-state-file.ts), for members that have lost theirs. */
  readonly startState: string;
  /** Folder of the private keys. */
  readonly keys: string;
  /** Folder of the ledger store (block-store.ts). */
  readonly ledger: string;
  /** The consensus journal (journal.ts); never part of a backup. */
  readonly journal: string;
  /** Folder of payload blocks (payload-store.ts). */
  readonly payloads: string;
  /** Folder of state snapshots (snapshot-store.ts); can be deleted. */
  readonly snapshots: string;
  /** The outer index; can be deleted and is then built anew from the ledger. */
  readonly index: string;
}

/** The layout of the data folder at `root`, whether it exists or not. */
export function dataFolder(root: string): DataFolder {
  const at = path.resolve(root);
  return {
    root: at,
    config: path.join(at, 'config.toml'),
    genesis: path.join(at, 'genesis.cbor'),
    restart: path.join(at, 'restart.cbor'),
    startState: path.join(at, 'start-state'),
    keys: path.join(at, 'keys'),
    ledger: path.join(at, 'ledger'),
    journal: path.join(at, 'journal'),
    payloads: path.join(at, 'payloads'),
    snapshots: path.join(at, 'snapshots'),
    index: path.join(at, 'index.sqlite'),
  };
}

/** Creates an empty data folder, for its owner alone (0700). Error: FolderNotEmpty. */
export async function createDataFolder(root: string): Promise<DataFolder> {
  const folder = dataFolder(root);
  await makeFolder(folder.root);
  const [found] = await readdir(folder.root);
  if (found !== undefined) {
    const fault = `The folder ${folder.root} is not empty: it holds ${found}.`;
    const remedy = 'Name a new folder, or remove what a failed attempt left there.';
    throw new StorageError('FolderNotEmpty', folder.root, fault, remedy);
  }
  await chmod(folder.root, FOLDER_MODE);
  for (const inner of [folder.keys, folder.ledger, folder.payloads]) await makeFolder(inner);
  await syncFolder(folder.root);
  return folder;
}

/** Checks that the data folder at `root` is there and closed to other users. Error: FolderUnusable. */
export async function checkDataFolder(root: string): Promise<DataFolder> {
  const folder = dataFolder(root);
  for (const place of [folder.root, folder.keys]) {
    let stats: Awaited<ReturnType<typeof stat>>;
    try {
      stats = await stat(place);
    } catch (error) {
      const fault = `The data folder cannot be used: ${place} gives ${systemErrorCode(error)}.`;
      throw new StorageError('FolderUnusable', place, fault, 'Make a node there first, or name another folder.', error);
    }
    if (!stats.isDirectory())
      throw new StorageError('FolderUnusable', place, `${place} is not a folder.`, 'Name another folder.');
    // Windows has no such bits; there the access list of the parent decides.
    if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
      const fault = `Other users of this machine may enter ${place}.`;
      throw new StorageError('FolderUnusable', place, fault, `Close it with "chmod 700 ${place}".`);
    }
  }
  return folder;
}
