import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, equalBytes, toHex, uintBytes } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { bytes, bytesUpTo, list, nullable, struct } from '../../src/codec/schema.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import {
  type ChunkEntry,
  divideMap,
  type EncodedChunk,
  firstPath,
  makeStateChunks,
  pathAfter,
  readStateChunk,
  STATE_CHUNK_BYTES_MAX,
} from '../../src/ledger/state-chunk.ts';
import { emptyMap, mapPath, rootHash, type StateMap, updateMap } from '../../src/ledger/state-map.ts';

const EVERYTHING = { from: new Uint8Array(32), depth: 0 };
interface WireEntry {
  key: Uint8Array;
  value: Uint8Array;
}
interface WireChunk {
  path: Uint8Array;
  siblings: readonly (Uint8Array | null)[];
  entries: readonly WireEntry[];
}
/** The format as docs/PROTOCOL.md has it, declared here once more. */
const wireChunk = struct<WireChunk>({
  path: bytes(32),
  siblings: list(nullable(bytes(32)), 256),
  entries: list(struct<WireEntry>({ key: bytesUpTo(256), value: bytesUpTo(65_536) }), 100_000),
});

function stateOf(count: number, valueBytes = 20): { map: StateMap; entries: ChunkEntry[] } {
  const entries = Array.from({ length: count }, (_, number) => {
    const key = uintBytes(number + 1, 6);
    const value = new Uint8Array(valueBytes).fill(number);
    return { path: mapPath(key), key, value };
  }).sort((a, b) => compareBytes(a.path, b.path));
  return { map: mapOf(entries), entries };
}

function mapOf(entries: readonly ChunkEntry[]): StateMap {
  return updateMap(
    emptyMap,
    entries.map(({ path, value }) => ({ path, valueHash: sha256(value) })),
  );
}

/** Reads chunks in order, each by itself; the entries when they adjoin and cover every path. */
function reassemble(root: Uint8Array, chunks: Iterable<EncodedChunk>): ChunkEntry[] {
  const entries: ChunkEntry[] = [];
  let next: Uint8Array | undefined = new Uint8Array(32);
  for (const { encoded, from, depth } of chunks) {
    const read = readStateChunk(root, encoded);
    if (typeof read === 'string') throw new Error(read);
    assert.ok(next !== undefined && equalBytes(read.from, next), 'the chunk adjoins the one before');
    assert.equal({ from: read.from, depth: read.depth }, { from, depth });
    entries.push(...read.entries);
    next = pathAfter(read);
  }
  assert.is(next, undefined, 'the chunks cover every path');
  return entries;
}

test('any chunking of any state reassembles to the same entries and root', () => {
  void fc.assert(
    fc.property(fc.nat(300), fc.integer({ min: 80, max: 9_000 }), fc.nat(6), (count, bytesMax, bits) => {
      const { map, entries } = stateOf(count);
      const ranges = [...divideMap(map, bits)];
      const chunks = ranges.flatMap((range) => {
        const within = entries.filter(({ path }) => equalBytes(firstPath(path, range.depth), range.from));
        return [...makeStateChunks(map, range, within, bytesMax)];
      });
      const read = reassemble(rootHash(map), chunks);
      assert.equal(read, entries);
      assert.equal(rootHash(mapOf(read)), rootHash(map));
    }),
    { numRuns: 150 },
  );
});

test('chunks keep to their size; only what can not be divided is larger', () => {
  const { map, entries } = stateOf(400, 100);
  const chunks = [...makeStateChunks(map, EVERYTHING, entries, 4_096)];
  assert.ok(chunks.length > 10);
  for (const { encoded } of chunks) assert.ok(encoded.length <= 4_096);
  const single = [...makeStateChunks(map, EVERYTHING, entries, 1)];
  for (const chunk of single) {
    const read = readStateChunk(rootHash(map), chunk.encoded);
    assert.ok(typeof read !== 'string' && read.entries.length <= 1);
  }
  assert.is(reassemble(rootHash(map), single).length, 400);
});

test('a state without entries is one empty chunk', () => {
  const chunks = [...makeStateChunks(emptyMap, EVERYTHING, [])];
  assert.is(chunks.length, 1);
  assert.equal(reassemble(rootHash(emptyMap), chunks), []);
});

test('every single changed byte of a chunk is refused', () => {
  const { map, entries } = stateOf(24);
  const [, chunk] = [...makeStateChunks(map, EVERYTHING, entries, 400)];
  const { encoded } = chunk!;
  for (let at = 0; at < encoded.length; at += 1)
    for (const mask of [1, 128]) {
      const changed = encoded.slice();
      changed[at]! ^= mask;
      assert.type(readStateChunk(rootHash(map), changed), 'string', `byte ${at} changed by ${mask}`);
    }
});

test('each kind of tampering is refused by its name', () => {
  const { map, entries } = stateOf(64);
  const root = rootHash(map);
  const chunks = [...makeStateChunks(map, EVERYTHING, entries, 700)];
  const index = chunks.findIndex(({ depth }) => depth >= 3);
  const { encoded, depth } = chunks[index]!;
  const good = decode(wireChunk, encoded, STATE_CHUNK_BYTES_MAX);
  assert.ok(good.entries.length > 2);
  const verdict = (change: Partial<WireChunk>) => readStateChunk(root, encode(wireChunk, { ...good, ...change }));
  const foreign = entries.find(({ path }) => !equalBytes(firstPath(path, depth), good.path))!;
  const inside: WireEntry = { key: Uint8Array.of(9), value: Uint8Array.of(1) };
  while (!equalBytes(firstPath(mapPath(inside.key), depth), good.path)) inside.key = sha256(inside.key);
  const withInside = [...good.entries, inside].sort((a, b) => compareBytes(mapPath(a.key), mapPath(b.key)));

  assert.is(verdict({ entries: good.entries.slice(1) }), 'root', 'an entry left out');
  assert.is(verdict({ entries: [] }), 'root', 'all entries left out');
  assert.is(verdict({ entries: withInside }), 'root', 'an entry added');
  assert.is(verdict({ entries: good.entries.with(0, { ...good.entries[0]!, value: new Uint8Array(3) }) }), 'root');
  assert.is(verdict({ entries: good.entries.toReversed() }), 'order');
  assert.is(verdict({ entries: [good.entries[0]!, ...good.entries] }), 'order');
  assert.is(verdict({ entries: [{ key: foreign.key, value: foreign.value }] }), 'range');
  assert.is(verdict({ path: entries.at(-1)!.path }), 'range', 'bits after the range');
  assert.is(verdict({ siblings: good.siblings.toReversed() }), 'root');
  assert.is(verdict({ siblings: good.siblings.with(0, null) }), 'root');
  assert.type(verdict({ siblings: good.siblings.slice(1) }), 'string');
  assert.type(verdict({ siblings: [...good.siblings, null] }), 'string');
  assert.is(readStateChunk(root, encoded.subarray(1)), 'malformed');
  assert.is(readStateChunk(root, new Uint8Array(STATE_CHUNK_BYTES_MAX + 1)), 'malformed');
  assert.is(readStateChunk(sha256(root), encoded), 'root', 'another state');
});

test('a subtree can not pass for a larger or smaller one', () => {
  const { map, entries } = stateOf(2);
  const root = rootHash(map);
  const [first] = entries;
  const leaf = { key: first!.key, value: first!.value };
  // The entry is a leaf high up: claimed further down, or as if it were alone in the map, it proves nothing.
  const place = [...makeStateChunks(map, EVERYTHING, entries, 1)].find(({ encoded }) => {
    const read = readStateChunk(root, encoded);
    return typeof read !== 'string' && read.entries.length === 1 && equalBytes(read.entries[0]!.key, leaf.key);
  });
  const good = decode(wireChunk, place!.encoded, STATE_CHUNK_BYTES_MAX);
  const deeper = {
    ...good,
    path: firstPath(first!.path, good.siblings.length + 1),
    siblings: [...good.siblings, null],
  };
  assert.is(readStateChunk(root, encode(wireChunk, deeper)), 'root');
  const alone = { path: new Uint8Array(32), siblings: [], entries: [leaf] };
  assert.is(readStateChunk(root, encode(wireChunk, alone)), 'root');
});

test('random bytes and random changes never throw and never pass', () => {
  const { map, entries } = stateOf(40);
  const [chunk] = [...makeStateChunks(map, EVERYTHING, entries, 500)];
  const root = rootHash(map);
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 400 }), (noise, at) => {
      assert.type(readStateChunk(root, noise), 'string');
      const changed = chunk!.encoded.slice();
      changed.set(noise.subarray(0, Math.max(0, changed.length - at)), Math.min(at, changed.length));
      const verdict = readStateChunk(root, changed);
      if (toHex(changed) !== toHex(chunk!.encoded)) assert.type(verdict, 'string');
    }),
    { numRuns: 300 },
  );
});

test.run();
