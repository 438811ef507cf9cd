import { equalBytes } from '../codec/bytes.ts';
import { blockHash } from '../ledger/block.ts';
import { type CheckedLevel, nameByHeight } from './checked-level.ts';
import { decodeU64, heightKey, PREFIX, type Tip } from './schema.ts';

/** Headers looked at: about as many blocks, small ones, as the log of level holds. */
const HEADERS_CHECKED = 10_000;

/**
 * Checks at opening that the latest headers are there without a gap and that the last is the tip's. LevelDB drops
 * damaged parts of its log without a word and goes on with what follows; every batch holds a header, so a gap shows
 * that one was lost. Older batches are in its tables already. Before `fromHeight`, where a snapshot was put in place, there
 * may be none. Error: ItemDamaged.
 */
export async function checkRecentHeaders(level: CheckedLevel, tip: Tip, fromHeight: number): Promise<void> {
  let height = Math.max(0, tip.height - HEADERS_CHECKED, fromHeight - 1);
  const from = heightKey(PREFIX.header, height + 1);
  for await (const { key, value } of level.items(PREFIX.header, nameByHeight('header'), from)) {
    height += 1;
    const isTip = height === tip.height;
    if (decodeU64(key) !== height || (isTip && !equalBytes(blockHash(value), tip.hash)))
      throw level.damaged(`header of block ${height}`);
  }
  if (height !== tip.height) throw level.damaged(`header of block ${height + 1}`);
}
