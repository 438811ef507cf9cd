import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex, uintBytes } from '../../src/codec/bytes.ts';
import {
  appendLeaf,
  auditPath,
  type CompactLog,
  EMPTY_LOG,
  isWellFormedLog,
  leafHash,
  MERKLE_LEAVES_MAX,
  merkleRoot,
  nodeHash,
  rootOfLog,
  verifyAuditPath,
} from '../../src/crypto/merkle.ts';
import vectors from './merkle.vectors.json' with { type: 'json' };

const golden = vectors.leaves.map((leaf) => leafHash(fromHex(leaf)));

function leaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => leafHash(uintBytes(i, 4)));
}

/** The recursive definition of RFC 6962 §2.1, against which the iterative code is held. */
function recursiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0]!;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(recursiveRoot(hashes.slice(0, split)), recursiveRoot(hashes.slice(split)));
}

test('tree heads are those of the reference tests', () => {
  assert.is(toHex(merkleRoot([])), vectors.emptyRoot);
  vectors.roots.forEach((root, i) => {
    assert.is(toHex(merkleRoot(golden.slice(0, i + 1))), root);
  });
});

test('the tree head follows the recursive definition for every size', () => {
  for (let count = 1; count <= 130; count += 1)
    assert.equal(merkleRoot(leaves(count)), recursiveRoot(leaves(count)), `${count} leaves`);
});

test('repeating the last leaf changes the root', () => {
  for (const count of [1, 3, 5, 7, 9]) {
    const hashes = leaves(count);
    assert.not.equal(merkleRoot([...hashes, hashes[count - 1]!]), merkleRoot(hashes));
  }
});

test('a log has the root of its leaves at every size, and one peak for each one-bit', () => {
  let log: CompactLog = EMPTY_LOG;
  assert.is(toHex(rootOfLog(log)), vectors.emptyRoot);
  const hashes = leaves(130);
  for (let count = 1; count <= hashes.length; count += 1) {
    const before = log;
    log = appendLeaf(log, hashes[count - 1]!);
    assert.is(before.count, count - 1, 'the earlier log is untouched');
    assert.is(log.peaks.length, [...count.toString(2)].filter((bit) => bit === '1').length);
    assert.ok(isWellFormedLog(log));
    assert.equal(rootOfLog(log), merkleRoot(hashes.slice(0, count)));
  }
});

test('a log whose peaks do not fit its count is refused', () => {
  const peak = leafHash(new Uint8Array(0));
  for (const log of [
    { count: 2, peaks: [peak, peak] },
    { count: 3, peaks: [peak] },
    { count: 1, peaks: [peak.subarray(1)] },
    { count: -1, peaks: [] },
    { count: 0.5, peaks: [] },
  ]) {
    assert.not(isWellFormedLog(log));
    assert.throws(() => appendLeaf(log, peak), 'a log of');
    assert.throws(() => rootOfLog(log), 'a log of');
  }
  assert.throws(() => appendLeaf({ count: MERKLE_LEAVES_MAX, peaks: [peak] }, peak), 'full');
});

test('every audit path of trees up to 40 leaves verifies, at its place only', () => {
  for (let size = 1; size <= 40; size += 1) {
    const hashes = leaves(size);
    const root = merkleRoot(hashes);
    for (let index = 0; index < size; index += 1) {
      const path = auditPath(hashes, index);
      assert.ok(verifyAuditPath(hashes[index]!, index, size, path, root), `${index} of ${size}`);
      for (let other = 0; other < size; other += 1) {
        if (other !== index) assert.not(verifyAuditPath(hashes[index]!, other, size, path, root));
      }
    }
  }
});

test('a path of another length, with a changed byte, or against another root does not verify', () => {
  const sizes = fc
    .integer({ min: 1, max: 300 })
    .chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 })));
  void fc.assert(
    fc.property(sizes, fc.nat(), fc.nat({ max: 31 }), ([size, index], place, at) => {
      const hashes = leaves(size);
      const root = merkleRoot(hashes);
      const path = auditPath(hashes, index);
      const leaf = hashes[index]!;
      const changed = (bytes: Uint8Array) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
      assert.ok(verifyAuditPath(leaf, index, size, path, root));
      assert.not(verifyAuditPath(leaf, index, size, [...path, root], root), 'one hash too many');
      assert.not(verifyAuditPath(leaf, index, size, path, changed(root)));
      assert.not(verifyAuditPath(changed(leaf), index, size, path, root));
      if (path.length === 0) return;
      const target = place % path.length;
      assert.not(verifyAuditPath(leaf, index, size, path.slice(1), root));
      assert.not(verifyAuditPath(leaf, index, size, path.slice(0, -1), root));
      const bent = path.map((hash, i) => (i === target ? changed(hash) : hash));
      assert.not(verifyAuditPath(leaf, index, size, bent, root));
    }),
    { numRuns: 100 },
  );
});

test('malformed arguments give false, not an exception', () => {
  const root = merkleRoot(golden);
  const path = auditPath(golden, 2);
  for (const [index, size] of [
    [8, 8],
    [-1, 8],
    [2, 0],
    [2.5, 8],
    [2, Number.NaN],
    [2, 2 ** 53],
  ] as const)
    assert.not(verifyAuditPath(golden[2]!, index, size, path, root));
  assert.not(verifyAuditPath(golden[2]!.subarray(1), 2, 8, path, root));
  assert.not(verifyAuditPath(golden[2]!, 2, 8, [path[0]!, path[1]!.subarray(1), path[2]!], root));
  assert.throws(() => auditPath(golden, 8), 'no leaf 8');
  assert.throws(() => auditPath([], 0), 'no leaf 0');
});

test.run();
