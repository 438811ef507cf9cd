import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, fromHex, toHex, uintBytes } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import {
  emptyMap,
  MAP_PROOF_BYTES_MAX,
  type MapChange,
  type MapProof,
  mapPath,
  mapProofSchema,
  proveInMap,
  rootHash,
  type StateMap,
  updateMap,
  verifyMapProof,
} from '../../src/ledger/state-map.ts';
import vectors from './state-map.vectors.json' with { type: 'json' };

/** The definition of ledger.md §7, without a tree: from the whole set each time, with node's own SHA-256. */
function naiveRoot(entries: ReadonlyMap<string, Uint8Array>): string {
  const leaves = [...entries].map(([path, valueHash]) => ({
    bits: [...fromHex(path)].map((byte) => byte.toString(2).padStart(8, '0')).join(''),
    hash: digest('LEAF', fromHex(path), valueHash),
  }));
  return naiveHash(leaves, 0).toString('hex');
}

function naiveHash(leaves: readonly { bits: string; hash: Buffer }[], depth: number): Buffer {
  if (leaves.length === 0) return digest('EMPTY');
  if (leaves.length === 1) return leaves[0]!.hash;
  const side = (bit: string) => leaves.filter(({ bits }) => bits[depth] === bit);
  return digest('NODE', naiveHash(side('0'), depth + 1), naiveHash(side('1'), depth + 1));
}

function digest(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256').update(`medledger/v1/${tag}\0`, 'latin1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Paths that often share long beginnings, as hashes do not: every shape of subtree occurs. */
const crowdedPath = fc.tuple(fc.constantFrom(0, 3, 127, 250, 255), fc.integer({ min: 0, max: 7 })).map(([bit, low]) => {
  const path = new Uint8Array(32);
  path[bit >> 3]! |= 128 >> (bit & 7);
  path[31]! ^= low;
  return path;
});
const anyPath = fc.oneof(crowdedPath, fc.uint8Array({ minLength: 32, maxLength: 32 }));
const valueHash = fc.integer({ min: 0, max: 3 }).map((n) => new Uint8Array(32).fill(n));
const step = fc.array(fc.tuple(anyPath, fc.option(valueHash, { nil: undefined, freq: 3 })), { maxLength: 12 });

function sortedChanges(pairs: readonly (readonly [Uint8Array, Uint8Array | undefined])[]): MapChange[] {
  const byPath = new Map(pairs.map(([path, hash]) => [toHex(path), hash]));
  return [...byPath]
    .map(([path, hash]) => ({ path: fromHex(path), valueHash: hash }))
    .sort((a, b) => compareBytes(a.path, b.path));
}

function mapOf(keys: readonly number[]): StateMap {
  return updateMap(
    emptyMap,
    sortedChanges(keys.map((key) => [mapPath(uintBytes(key, 2)), new Uint8Array(32).fill(key)])),
  );
}

test('after any batches the root is that of the set alone', () => {
  void fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const entries = new Map<string, Uint8Array>();
      let map = emptyMap;
      for (const pairs of steps) {
        const changes = sortedChanges(pairs);
        const before = toHex(rootHash(map));
        const next = updateMap(map, changes);
        assert.is(toHex(rootHash(map)), before, 'an older version stays as it was');
        map = next;
        for (const { path, valueHash: hash } of changes) {
          if (hash === undefined) entries.delete(toHex(path));
          else entries.set(toHex(path), hash);
        }
        assert.is(toHex(rootHash(map)), naiveRoot(entries));
        assert.is(map.size, entries.size);
      }
      const whole = sortedChanges([...entries].map(([path, hash]) => [fromHex(path), hash]));
      assert.is(toHex(rootHash(updateMap(emptyMap, whole))), toHex(rootHash(map)));
    }),
    { numRuns: 150 },
  );
});

test('every path has a proof of what stands there, and of nothing else', () => {
  void fc.assert(
    fc.property(step, fc.array(anyPath, { maxLength: 6 }), (pairs, others) => {
      const changes = sortedChanges(pairs);
      const map = updateMap(emptyMap, changes);
      const root = rootHash(map);
      const held = new Map(changes.map(({ path, valueHash: hash }) => [toHex(path), hash]));
      for (const path of [...others, ...changes.map((change) => change.path)]) {
        const expected = held.get(toHex(path)) ?? null;
        const encoded = encode(mapProofSchema, proveInMap(map, path));
        const proof = decode(mapProofSchema, encoded, MAP_PROOF_BYTES_MAX);
        assert.ok(verifyMapProof(root, path, expected, proof));
        assert.not.ok(verifyMapProof(root, path, new Uint8Array(32).fill(9), proof));
        if (expected !== null) assert.not.ok(verifyMapProof(root, path, null, proof), 'presence shown as absence');
      }
    }),
    { numRuns: 100 },
  );
});

test('a proof that was altered anywhere does not verify', () => {
  const map = mapOf([1, 2, 3, 4, 5, 6, 7, 8]);
  const path = mapPath(uintBytes(3, 2));
  const hash = new Uint8Array(32).fill(3);
  const root = rootHash(map);
  const proof = proveInMap(map, path);
  assert.ok(proof.siblings.length > 0 && proof.leaf !== null);
  const altered: MapProof[] = [
    { ...proof, siblings: proof.siblings.slice(1) },
    { ...proof, siblings: proof.siblings.slice(0, -1) },
    { ...proof, siblings: [...proof.siblings, null] },
    { ...proof, siblings: proof.siblings.map((sibling, i) => (i === 0 ? null : sibling)) },
    { ...proof, leaf: null },
    { ...proof, leaf: { path, valueHash: new Uint8Array(31) } },
    { ...proof, siblings: Array.from({ length: 257 }, () => null) },
  ];
  for (const one of altered) assert.not.ok(verifyMapProof(root, path, hash, one));
  assert.not.ok(verifyMapProof(root, path.subarray(1), hash, proof));
});

test('a leaf elsewhere proves no absence', () => {
  const map = mapOf([1, 2, 3, 4, 5, 6, 7, 8]);
  const proofOfFive = proveInMap(map, mapPath(uintBytes(5, 2)));
  const present = mapPath(uintBytes(3, 2));
  assert.not.ok(verifyMapProof(rootHash(map), present, null, proofOfFive));
});

test('removing what is not there, and setting what is, changes nothing', () => {
  const map = mapOf([1, 2, 3]);
  assert.is(updateMap(map, [{ path: mapPath(uintBytes(9, 2)), valueHash: undefined }]), map);
  assert.is(updateMap(map, [{ path: mapPath(uintBytes(2, 2)), valueHash: new Uint8Array(32).fill(2) }]), map);
  assert.is(updateMap(map, []), map);
});

test('changes out of order or twice are refused', () => {
  const [first, second] = sortedChanges([
    [mapPath(uintBytes(1, 2)), new Uint8Array(32)],
    [mapPath(uintBytes(2, 2)), new Uint8Array(32)],
  ]);
  assert.throws(() => updateMap(emptyMap, [second!, first!]), /ascending/);
  assert.throws(() => updateMap(emptyMap, [first!, first!]), /ascending/);
  assert.throws(() => updateMap(emptyMap, [{ ...first!, path: new Uint8Array(31) }]), /32-byte/);
});

test('golden roots: insert, delete, re-insert', () => {
  let map = emptyMap;
  assert.is(toHex(rootHash(map)), vectors.emptyRoot);
  for (const { set, remove, root } of vectors.steps) {
    map = updateMap(
      map,
      sortedChanges([
        ...set.map(([key, hash]) => [mapPath(fromHex(key!)), fromHex(hash!)] as const),
        ...remove.map((key) => [mapPath(fromHex(key)), undefined] as const),
      ]),
    );
    assert.is(toHex(rootHash(map)), root);
  }
});

test.run();
