import type { BlockRows } from '../../src/index/outer/rows.ts';
import { sampleBlocks } from './sample-rows.ts';

/** Blocks of 20 new records, each from the second on disposing of the first record of the one before. */
export function crashBlocks(): readonly BlockRows[] {
  const blocks = sampleBlocks(21, 160, 20, { patients: 50, codes: 30 });
  return blocks.map((block, i) => (i === 0 ? block : { ...block, disposed: [blocks[i - 1]!.records[0]!.recordId] }));
}
