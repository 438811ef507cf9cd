import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from '../../src/storage/data-folder.ts';
import { decodeJournal, encodeGroup } from '../../src/storage/journal-format.ts';

/**
 * Leaves the journal of a dead node as a crash in the middle of an append does: the first half of a last group that
 * was never synced. Returns how many bytes a restart has to cut.
 */
export function tearJournal(nodeFolder: string): number {
  const file = path.resolve(dataFolder(nodeFolder).journal);
  const bytes = new Uint8Array(readFileSync(file));
  const content = decodeJournal(bytes);
  if (content.kind !== 'read') throw new Error(`${file} is damaged already: ${content.item}`);
  const { identity, nextSequence, length } = content;
  const group = encodeGroup(identity.salt, length, nextSequence, [new Uint8Array(400).fill(0xa5)]);
  const torn = group.subarray(0, group.length / 2);
  appendFileSync(file, torn);
  return bytes.length - length + torn.length;
}
