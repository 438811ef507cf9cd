import { uintBytes } from '../../codec/bytes.ts';
import { DecodeError } from '../../codec/decode-error.ts';
import { compareEntryAt, ENTRY_BYTES } from './entry.ts';

/** Entries of a leaf page, and children of a directory page. */
const PAGE_ENTRIES = 64;
/** Version of the page layout and of the root, which covers it. */
export const INDEX_VERSION = 1;
const HEAD_BYTES = 5;

/** One level of the tree: `count` items of 21 bytes from `offset` on, in pages of 64, the last one short. */
interface PageLevel {
  readonly offset: number;
  readonly count: number;
}

/**
 * The pages of one block's index, a static B+-tree. Layout: version u8 ‖ n u32be ‖ the levels from the root page
 * down. The lowest level is the n sorted entries; item i of a level above is the first entry of page i of the level
 * below. The length of everything follows from n. A view: the bytes are not copied and must not change.
 */
export interface IndexPages {
  readonly bytes: Uint8Array;
  /** n: how many entries the index has. */
  readonly entryCount: number;
  /** From the root page down to the entries; empty when there are none. */
  readonly levels: readonly PageLevel[];
}

/** The pages as stored. Checks version and length only. Throws a DecodeError when they are not of this layout. */
export function readPages(bytes: Uint8Array): IndexPages {
  if (bytes.length < HEAD_BYTES || bytes[0] !== INDEX_VERSION)
    throw new DecodeError(`index pages are not of version ${INDEX_VERSION}`);
  const entryCount = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  const levels = levelsOf(entryCount);
  if (bytes.length !== lengthOf(levels))
    throw new DecodeError(`index pages of ${entryCount} entries are cut or too long`);
  return { bytes, entryCount, levels };
}

/** The pages over sorted, unique entries (a multiple of 21 bytes): leaf level and directory levels. */
export function writePages(entries: Uint8Array): IndexPages {
  const entryCount = entries.length / ENTRY_BYTES;
  const levels = levelsOf(entryCount);
  const bytes = new Uint8Array(lengthOf(levels));
  bytes[0] = INDEX_VERSION;
  bytes.set(uintBytes(entryCount, 4), 1);
  for (let depth = levels.length - 1; depth >= 0; depth -= 1) {
    const level = levels[depth]!;
    const below = levels[depth + 1];
    if (below === undefined) {
      bytes.set(entries, level.offset);
      continue;
    }
    for (let page = 0; page < level.count; page += 1) {
      const first = below.offset + page * PAGE_ENTRIES * ENTRY_BYTES;
      bytes.set(bytes.subarray(first, first + ENTRY_BYTES), level.offset + page * ENTRY_BYTES);
    }
  }
  return { bytes, entryCount, levels };
}

/** The sorted entries, 21 bytes each: a view of the lowest level. */
export function entriesOf(pages: IndexPages): Uint8Array {
  const leaves = pages.levels.at(-1);
  return leaves === undefined ? new Uint8Array(0) : pages.bytes.subarray(leaves.offset);
}

/** Place of the first entry not below `entry`; n when all are below. Reads one page of each level. */
export function lowerBound(pages: IndexPages, entry: Uint8Array): number {
  let page = 0;
  for (const level of pages.levels.slice(0, -1)) {
    const notAbove = searchPage(pages.bytes, level, page, (order) => order <= 0, entry);
    // Below the first separator only the first child can hold it.
    page = Math.max(notAbove - 1, page * PAGE_ENTRIES);
  }
  const leaves = pages.levels.at(-1);
  return leaves === undefined ? 0 : searchPage(pages.bytes, leaves, page, (order) => order < 0, entry);
}

/** Place in the level of the first item of `page` whose order against `entry` is not one that `goesBefore`. */
function searchPage(
  bytes: Uint8Array,
  level: PageLevel,
  page: number,
  goesBefore: (order: number) => boolean,
  entry: Uint8Array,
): number {
  let low = page * PAGE_ENTRIES;
  let high = Math.min(low + PAGE_ENTRIES, level.count);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (goesBefore(compareEntryAt(bytes, level.offset + middle * ENTRY_BYTES, entry))) low = middle + 1;
    else high = middle;
  }
  return low;
}

function levelsOf(entryCount: number): readonly PageLevel[] {
  if (entryCount === 0) return [];
  const counts = [entryCount];
  while (counts[0]! > PAGE_ENTRIES) counts.unshift(Math.ceil(counts[0]! / PAGE_ENTRIES));
  let offset = HEAD_BYTES;
  return counts.map((count) => {
    const level = { offset, count };
    offset += count * ENTRY_BYTES;
    return level;
  });
}

function lengthOf(levels: readonly PageLevel[]): number {
  const leaves = levels.at(-1);
  return leaves === undefined ? HEAD_BYTES : leaves.offset + leaves.count * ENTRY_BYTES;
}
