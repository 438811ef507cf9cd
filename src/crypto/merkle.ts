import { concatBytes, equalBytes } from '../codec/bytes.ts';
import { sha256 } from './hash.ts';

/** Most leaves of any tree or log; sizes above it would leave the safe integers. */
export const MERKLE_LEAVES_MAX = 2 ** 48;

/** An append-only tree without its leaves: how many there are, and the roots of its full subtrees. */
export interface CompactLog {
  readonly count: number;
  /** Roots of the full subtrees, largest (leftmost) first: one for each one-bit of `count`. */
  readonly peaks: readonly Uint8Array[];
}

/** The log with no leaves. */
export const EMPTY_LOG: CompactLog = { count: 0, peaks: [] };

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** SHA-256(0x00 ‖ bytes), 32 bytes: the hash of a leaf (RFC 6962 §2.1). */
export function leafHash(bytes: Uint8Array): Uint8Array {
  return sha256(concatBytes(LEAF_PREFIX, bytes));
}

/** SHA-256(0x01 ‖ left ‖ right), 32 bytes: the hash of an inner node (RFC 6962 §2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(NODE_PREFIX, left, right));
}

/**
 * The tree head over leaf hashes in order (RFC 6962 §2.1): SHA-256 of nothing for no leaf, the leaf hash itself for
 * one. A tree that is not full splits at the largest power of two below its size; no node is ever duplicated, so
 * lists of different lengths have different roots.
 */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  if (leafHashes.length === 0) return sha256(new Uint8Array(0));
  let level = leafHashes;
  while (level.length > 1) level = parentLevel(level);
  return level[0]!;
}

/**
 * The siblings that lead from leaf `index` to the root, lowest first (RFC 6962 §2.1.1). Throws a RangeError when
 * there is no such leaf.
 */
export function auditPath(leafHashes: readonly Uint8Array[], index: number): readonly Uint8Array[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leafHashes.length)
    throw new RangeError(`no leaf ${index} in a tree of ${leafHashes.length}`);
  const path: Uint8Array[] = [];
  let level = leafHashes;
  let position = index;
  while (level.length > 1) {
    const sibling = level[position % 2 === 0 ? position + 1 : position - 1];
    if (sibling !== undefined) path.push(sibling);
    level = parentLevel(level);
    position = Math.floor(position / 2);
  }
  return path;
}

/**
 * True when `path` proves that the leaf with hash `leaf` stands at `index` of the tree of `size` leaves with this
 * `root` (RFC 9162 §2.1.3.2). Total: malformed arguments, and a path longer or shorter than the one of this place,
 * give false.
 */
export function verifyAuditPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(size) || !isCount(index) || index >= size) return false;
  if (leaf.length !== 32 || root.length !== 32) return false;
  let hash = leaf;
  let used = 0;
  let position = index;
  let last = size - 1;
  while (last > 0) {
    const isRightChild = position % 2 === 1;
    // The last node of a level of odd length has no sibling there and moves up as it is.
    if (isRightChild || position < last) {
      const sibling = path[used];
      if (sibling === undefined || sibling.length !== 32) return false;
      used += 1;
      hash = isRightChild ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return used === path.length && equalBytes(hash, root);
}

/** The log with one more leaf. Throws a RangeError on a malformed log or one at MERKLE_LEAVES_MAX. */
export function appendLeaf(log: CompactLog, leaf: Uint8Array): CompactLog {
  checkLog(log);
  if (log.count >= MERKLE_LEAVES_MAX) throw new RangeError('the log is full');
  const peaks = log.peaks.slice();
  let peak = leaf;
  // Every trailing one-bit of the count is a full subtree as large as the one being carried.
  for (let rest = log.count; rest % 2 === 1; rest = Math.floor(rest / 2)) peak = nodeHash(peaks.pop()!, peak);
  peaks.push(peak);
  return { count: log.count + 1, peaks };
}

/** The tree head of all leaves appended: equal to `merkleRoot` over them. Throws a RangeError on a malformed log. */
export function rootOfLog(log: CompactLog): Uint8Array {
  checkLog(log);
  if (log.count === 0) return merkleRoot([]);
  return log.peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** True when a log has as many peaks as its count demands; holds for every log made by `appendLeaf`. */
export function isWellFormedLog(log: CompactLog): boolean {
  if (!isCount(log.count)) return false;
  let ones = 0;
  for (let rest = log.count; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones === log.peaks.length && log.peaks.every((peak) => peak.length === 32);
}

function checkLog(log: CompactLog): void {
  if (!isWellFormedLog(log)) throw new RangeError(`a log of ${log.count} leaves with ${log.peaks.length} peaks`);
}

function parentLevel(level: readonly Uint8Array[]): readonly Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const right = level[i + 1];
    parents.push(right === undefined ? level[i]! : nodeHash(level[i]!, right));
  }
  return parents;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= MERKLE_LEAVES_MAX;
}
