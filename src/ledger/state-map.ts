import { compareBytes, concatBytes, equalBytes } from '../codec/bytes.ts';
import { bytes, list, nullable, struct } from '../codec/schema.ts';
import { domainPrefix, sha256, sha256Text, taggedHash } from '../crypto/hash.ts';
import { copyBinaryString, fromBinaryString, toBinaryString } from './binary-string.ts';

const PATH_BYTES = 32;
/** Length of a path in bits, which is how deep the map can grow. */
const PATH_BITS = 8 * PATH_BYTES;

/**
 * A version of the authenticated map from 32-byte paths to value hashes (ledger.md §7). Versions share what they have
 * in common, so keeping several costs only their differences; an unused one is simply let go.
 *
 * A subtree without entries has the hash of EMPTY, one with a single entry *is* that leaf, at whatever depth; so the
 * root depends on the entries alone, never on how they came about.
 */
export interface StateMap {
  readonly node: MapNode;
  /** How many entries it holds. */
  readonly size: number;
}

/** null = empty; a text = a leaf, its 32-byte path and 32-byte value hash, one character a byte. */
type MapNode = null | string | Branch;

/** A subtree of two or more entries. */
interface Branch {
  readonly left: MapNode;
  readonly right: MapNode;
  readonly hash: string;
}

/** Sets an entry, or removes it where `valueHash` is undefined; removing what is not there changes nothing. */
export interface MapChange {
  readonly path: Uint8Array;
  readonly valueHash: Uint8Array | undefined;
}

/** What the map says at one path: the siblings from the root down, and what stands at the end of them. */
export interface MapProof {
  /** null where the sibling is empty. */
  readonly siblings: readonly (Uint8Array | null)[];
  /** The leaf that the way ends at, or null when it ends at nothing. */
  readonly leaf: { readonly path: Uint8Array; readonly valueHash: Uint8Array } | null;
}

/** Most bytes of an encoded proof. */
export const MAP_PROOF_BYTES_MAX = PATH_BITS * 34 + 128;

/** Wire form of a proof. */
export const mapProofSchema = struct<MapProof>({
  siblings: list(nullable(bytes(32)), PATH_BITS),
  leaf: nullable(struct<{ path: Uint8Array; valueHash: Uint8Array }>({ path: bytes(32), valueHash: bytes(32) })),
});

/** The map without entries. */
export const emptyMap: StateMap = { node: null, size: 0 };

/** Where a state key stands: SHA-256("medledger/v1/KEY" ‖ 0x00 ‖ family u8 ‖ key); a state key begins with its family. */
export function mapPath(stateKey: Uint8Array): Uint8Array {
  return taggedHash('KEY', stateKey);
}

const HASH_OF_EMPTY = taggedHash('EMPTY');
const leafPreimage = concatBytes(domainPrefix('LEAF'), new Uint8Array(64));
const leafOffset = leafPreimage.length - 64;
const nodePreimage = concatBytes(domainPrefix('NODE'), new Uint8Array(64));
const nodeOffset = nodePreimage.length - 64;

/** 32 bytes; the value that headers hold as `stateRoot`. */
export function rootHash(map: StateMap): Uint8Array {
  const { node } = map;
  if (node === null) return HASH_OF_EMPTY.slice();
  return fromBinaryString(typeof node === 'string' ? hashOfLeafText(node) : node.hash);
}

/**
 * The map after all `changes`, which are in strictly ascending order of path; every touched node is hashed once. On
 * the empty map this is the bulk build. Throws a RangeError when the changes are out of order or not of 32 bytes.
 */
export function updateMap(map: StateMap, changes: readonly MapChange[]): StateMap {
  const batch: Batch = { paths: new Uint8Array(changes.length * PATH_BYTES), leaves: [], sizeChange: 0 };
  changes.forEach(({ path, valueHash }, index) => {
    if (valueHash !== undefined && valueHash.length !== 32) throw new RangeError('a value hash has 32 bytes');
    if (path.length !== 32 || (index > 0 && compareBytes(changes[index - 1]!.path, path) >= 0))
      throw new RangeError('changes are not in ascending order of 32-byte paths');
    batch.paths.set(path, index * PATH_BYTES);
    batch.leaves.push(valueHash === undefined ? null : leafText(path, valueHash));
  });
  const node = updateNode(map.node, 0, batch, 0, changes.length);
  return node === map.node ? map : { node, size: map.size + batch.sizeChange };
}

/** Whether the map has an entry at `path`, 32 bytes. */
export function mapHas(map: StateMap, path: Uint8Array): boolean {
  let node = map.node;
  for (let depth = 0; node !== null && typeof node !== 'string'; depth += 1)
    node = bitOf(path, depth) === 1 ? node.right : node.left;
  return node !== null && compareToLeaf(path, node) === 0;
}

/** The proof of what the map says at `path`. */
export function proveInMap(map: StateMap, path: Uint8Array): MapProof {
  const siblings: (Uint8Array | null)[] = [];
  let node = map.node;
  while (node !== null && typeof node !== 'string') {
    const isRight = bitOf(path, siblings.length) === 1;
    siblings.push(hashOfNode(isRight ? node.left : node.right));
    node = isRight ? node.right : node.left;
  }
  if (node === null) return { siblings, leaf: null };
  const leaf = fromBinaryString(node);
  return { siblings, leaf: { path: leaf.slice(0, 32), valueHash: leaf.slice(32) } };
}

/**
 * True when `proof` shows that the map with this root holds `valueHash` at `path`, or nothing when `valueHash` is
 * null. Total: malformed arguments give false.
 */
export function verifyMapProof(
  root: Uint8Array,
  path: Uint8Array,
  valueHash: Uint8Array | null,
  proof: MapProof,
): boolean {
  const { siblings, leaf } = proof;
  if (path.length !== 32 || siblings.length > PATH_BITS) return false;
  if (leaf !== null) {
    if (leaf.path.length !== 32 || leaf.valueHash.length !== 32) return false;
    // Another leaf proves absence only where the way to `path` leads to it.
    for (let depth = 0; depth < siblings.length; depth += 1)
      if (bitOf(leaf.path, depth) !== bitOf(path, depth)) return false;
  }
  const isHere = leaf !== null && equalBytes(leaf.path, path);
  if (valueHash === null ? isHere : !isHere || !equalBytes(leaf.valueHash, valueHash)) return false;

  let hash = leaf === null ? HASH_OF_EMPTY : hashOfLeaf(leaf.path, leaf.valueHash);
  for (let depth = siblings.length - 1; depth >= 0; depth -= 1) {
    const sibling = siblings[depth] ?? HASH_OF_EMPTY;
    if (sibling.length !== 32) return false;
    hash = bitOf(path, depth) === 1 ? hashOfBranch(sibling, hash) : hashOfBranch(hash, sibling);
  }
  return equalBytes(hash, root);
}

/** A subtree as it stands in the map: where it begins, and what its hash is folded with on the way to the root. */
export interface SubtreePlace {
  /** Bits that all paths in the subtree share with the path asked for. */
  readonly depth: number;
  /** Hashes of the siblings from the root down, `depth` of them; null where the sibling is empty. */
  readonly siblings: readonly (Uint8Array | null)[];
  /** True when it holds one entry or none: it can not be divided. */
  readonly isSmall: boolean;
}

/** The subtree on the way to `path` at `depthMax`, or higher up where the way ends before. */
export function subtreeAt(map: StateMap, path: Uint8Array, depthMax: number): SubtreePlace {
  const siblings: (Uint8Array | null)[] = [];
  let node = map.node;
  while (node !== null && typeof node !== 'string' && siblings.length < depthMax) {
    const isRight = bitOf(path, siblings.length) === 1;
    siblings.push(hashOfNode(isRight ? node.left : node.right));
    node = isRight ? node.right : node.left;
  }
  return { depth: siblings.length, siblings, isSmall: node === null || typeof node === 'string' };
}

/**
 * The root of a map of which a subtree holds exactly these leaves: in strictly ascending order, all within the first
 * `siblings.length` bits of `path`. Whoever knows the root learns so whether they are all that stands there.
 */
export function rootOverSubtree(
  leaves: readonly { readonly path: Uint8Array; readonly valueHash: Uint8Array }[],
  path: Uint8Array,
  siblings: readonly (Uint8Array | null)[],
): Uint8Array {
  const texts = leaves.map((leaf) => leafText(leaf.path, leaf.valueHash));
  let hash = hashOfNode(buildNode(texts, siblings.length, 0, texts.length)) ?? HASH_OF_EMPTY;
  for (let depth = siblings.length - 1; depth >= 0; depth -= 1) {
    const sibling = siblings[depth] ?? HASH_OF_EMPTY;
    hash = bitOf(path, depth) === 1 ? hashOfBranch(sibling, hash) : hashOfBranch(hash, sibling);
  }
  return hash;
}

/** Changes of one update, by index: the path, and the leaf that shall stand there or null. */
interface Batch {
  /** One after the other: they are searched by bits, which lie together so. */
  readonly paths: Uint8Array;
  readonly leaves: (string | null)[];
  sizeChange: number;
}

/** The subtree after the changes `from` to `to`; the very same object when nothing changed. */
function updateNode(node: MapNode, depth: number, batch: Batch, from: number, to: number): MapNode {
  if (from === to) return node;
  if (node === null || typeof node === 'string') return updateSmall(node, depth, batch, from, to);
  const middle = firstRight(batch.paths, depth, from, to);
  const left = updateNode(node.left, depth + 1, batch, from, middle);
  const right = updateNode(node.right, depth + 1, batch, middle, to);
  return left === node.left && right === node.right ? node : makeBranch(left, right);
}

/** A subtree of at most one leaf after changes: the leaf takes its place among the new ones, and they are built. */
function updateSmall(node: string | null, depth: number, batch: Batch, from: number, to: number): MapNode {
  const leaves: string[] = [];
  let held = node;
  for (let i = from; i < to; i += 1) {
    if (held !== null) {
      const order = compareToLeaf(batch.paths, held, i * PATH_BYTES);
      if (order > 0) leaves.push(held);
      if (order >= 0) held = null;
    }
    const leaf = batch.leaves[i]!;
    if (leaf !== null) leaves.push(leaf);
  }
  if (held !== null) leaves.push(held);
  batch.sizeChange += leaves.length - (node === null ? 0 : 1);
  if (leaves.length === 1 && leaves[0] === node) return node;
  return buildNode(leaves, depth, 0, leaves.length);
}

/** The subtree of the sorted leaves `from` to `to`, which agree in the first `depth` bits. */
function buildNode(leaves: readonly string[], depth: number, from: number, to: number): MapNode {
  if (to - from < 2) return leaves[from] ?? null;
  let middle = from;
  // Leaves are few here, or each is passed at few depths: paths are hashes, so this stays near n log n.
  while (middle < to && ((leaves[middle]!.charCodeAt(depth >> 3) >> (7 - (depth & 7))) & 1) === 0) middle += 1;
  const left = from === middle ? null : buildNode(leaves, depth + 1, from, middle);
  const right = middle === to ? null : buildNode(leaves, depth + 1, middle, to);
  return makeBranch(left, right);
}

/** A branch, or what is left of it when it holds one leaf or none. */
function makeBranch(left: MapNode, right: MapNode): MapNode {
  if (left === null && (right === null || typeof right === 'string')) return right;
  if (right === null && typeof left === 'string') return left;
  writeHash(left, nodeOffset);
  writeHash(right, nodeOffset + 32);
  return { left, right, hash: sha256Text(nodePreimage) };
}

/** Made in one piece: joined texts would keep their parts alive. */
function leafText(path: Uint8Array, valueHash: Uint8Array): string {
  leafPreimage.set(path, leafOffset);
  leafPreimage.set(valueHash, leafOffset + 32);
  return toBinaryString(leafPreimage.subarray(leafOffset));
}

/** Puts the hash of a node into the preimage of its parent. */
function writeHash(node: MapNode, offset: number): void {
  if (node === null) nodePreimage.set(HASH_OF_EMPTY, offset);
  else copyBinaryString(typeof node === 'string' ? hashOfLeafText(node) : node.hash, nodePreimage, offset);
}

function hashOfNode(node: MapNode): Uint8Array | null {
  if (node === null) return null;
  return fromBinaryString(typeof node === 'string' ? hashOfLeafText(node) : node.hash);
}

function hashOfLeafText(leaf: string): string {
  copyBinaryString(leaf, leafPreimage, leafOffset);
  return sha256Text(leafPreimage);
}

function hashOfLeaf(path: Uint8Array, valueHash: Uint8Array): Uint8Array {
  leafPreimage.set(path, leafOffset);
  leafPreimage.set(valueHash, leafOffset + 32);
  return sha256(leafPreimage);
}

function hashOfBranch(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodePreimage.set(left, nodeOffset);
  nodePreimage.set(right, nodeOffset + 32);
  return sha256(nodePreimage);
}

/** Index of the first path in the range whose bit at `depth` is set. */
function firstRight(paths: Uint8Array, depth: number, from: number, to: number): number {
  const byte = depth >> 3;
  const bit = 0x80 >> (depth & 7);
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((paths[middle * PATH_BYTES + byte]! & bit) !== 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Bit `depth` of a path, most significant first. */
function bitOf(path: Uint8Array, depth: number): number {
  return (path[depth >> 3]! >> (7 - (depth & 7))) & 1;
}

function compareToLeaf(paths: Uint8Array, leaf: string, offset = 0): number {
  for (let i = 0; i < PATH_BYTES; i += 1) {
    const difference = paths[offset + i]! - leaf.charCodeAt(i);
    if (difference !== 0) return difference;
  }
  return 0;
}
