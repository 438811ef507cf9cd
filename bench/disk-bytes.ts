import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Level } from 'level';
import { dataFolder } from '../src/storage/data-folder.ts';
import { PREFIX } from '../src/storage/schema.ts';

/** Bytes on disk by kind of content, files as they lie there. */
export type BytesByKind = Readonly<Record<string, number>>;

/** The bytes of a node's data folder, by what they are for. */
export function diskBytes(nodeFolder: string): BytesByKind {
  const { ledger, journal, payloads, index } = dataFolder(nodeFolder);
  return {
    'ledger store': bytesUnder(ledger),
    'consensus journal': bytesUnder(journal),
    'payload blocks': bytesUnder(payloads),
    'search index': bytesUnder(index) + bytesUnder(`${index}-wal`) + bytesUnder(`${index}-shm`),
  };
}

/** Bytes of all files at or below a path; 0 where nothing is. */
function bytesUnder(place: string): number {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(place).reduce((sum, name) => sum + bytesUnder(path.join(place, name)), 0);
}

/**
 * Bytes of keys and values in a stopped node's ledger store by kind of item, before compression: what the schema
 * costs, as far as the store's own overhead does not hide it.
 */
export async function storedBytes(nodeFolder: string): Promise<BytesByKind> {
  const names = new Map<number, string>(Object.entries(PREFIX).map(([name, prefix]) => [prefix, name]));
  const level = new Level<Uint8Array, Uint8Array>(dataFolder(nodeFolder).ledger, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: false,
  });
  const sums: Record<string, number> = {};
  try {
    await level.open();
    for await (const [key, value] of level.iterator()) {
      const name = names.get(key[0]!) ?? 'other';
      sums[name] = (sums[name] ?? 0) + key.length + value.length;
    }
  } finally {
    await level.close();
  }
  return sums;
}
