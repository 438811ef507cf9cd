import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, utf8 } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { leafHash, nodeHash } from '../../src/crypto/merkle.ts';
import { buildIndex, indexRootOf } from '../../src/index/inner/build.ts';
import { ENTRY_BYTES, indexEntry } from '../../src/index/inner/entry.ts';
import { lookup } from '../../src/index/inner/lookup.ts';
import { entriesOf, readPages } from '../../src/index/inner/pages.ts';
import { INDEX_PROOF_BYTES_MAX, type IndexProof, indexProofSchema } from '../../src/index/inner/proof.ts';
import { proveEntry, proveKey } from '../../src/index/inner/prove.ts';
import { CHUNK_ENTRIES, rootOfTop } from '../../src/index/inner/root.ts';
import { entryProofFault, verifyKeyProof } from '../../src/index/inner/verify.ts';
import type { IndexKey } from '../../src/ledger/index-keys.ts';

/** `count` keys, each in one transaction, but for every third, which is in up to 40. */
function sampleKeys(count: number): readonly IndexKey[] {
  return Array.from({ length: count }, (_, i) => ({
    family: i % 3 === 0 ? ('author' as const) : ('txId' as const),
    key: sha256(utf8(i % 3 === 0 ? `author ${Math.floor(i / 120)}` : `transaction ${i}`)),
    txIndex: i,
  }));
}

const SIZES = [0, 1, 2, 15, 16, 17, 31, 32, 33, 48, 100, 257, 1000];

test('a key proof shows exactly the transactions that name the key, for every size of index', () => {
  for (const size of SIZES) {
    const keys = sampleKeys(size);
    const { root, pages } = indexRootOf(keys);
    for (const { family, key } of keys.filter((_, i) => size < 50 || i % 7 === 0)) {
      const outcome = verifyKeyProof(proveKey(pages, family, key), root, family, key);
      assert.equal(outcome, { kind: 'proven', txIndices: lookup(pages, family, key) }, `size ${size}`);
    }
  }
});

test('a key proof shows absence below, above and between the entries', () => {
  for (const size of SIZES) {
    const { root, pages } = indexRootOf(sampleKeys(size));
    for (let i = 0; i < 40; i += 1) {
      // Families 2 to 6 lie above txId and around author: absent keys fall on both ends and between.
      const family = (['txId', 'record', 'author', 'actionKind'] as const)[i % 4]!;
      const key = sha256(utf8(`absent ${i}`));
      const proof = proveKey(pages, family, key);
      assert.equal(verifyKeyProof(proof, root, family, key), { kind: 'proven', txIndices: [] });
      assert.ok(decode(indexProofSchema, proof, INDEX_PROOF_BYTES_MAX).chunks.length <= 2);
    }
  }
});

test('an entry proof is one chunk and its path, and there is none for an entry that is not there', () => {
  for (const size of SIZES) {
    const keys = sampleKeys(size);
    const { root, pages } = indexRootOf(keys);
    for (const key of keys.filter((_, i) => i % 11 === 0)) {
      const proof = proveEntry(pages, key)!;
      assert.is(entryProofFault(proof, root, key), undefined);
      assert.ok(proof.length < 400 + 34 * Math.ceil(Math.log2(size / 16 + 1)));
      const other = { ...key, txIndex: key.txIndex + 2000 };
      assert.is(proveEntry(pages, other), undefined);
      assert.is(entryProofFault(proof, root, other), 'the chunk does not hold the entry');
    }
  }
});

test('a proof with any bit changed, cut or lengthened is refused', () => {
  const keys = sampleKeys(300);
  const { root, pages } = indexRootOf(keys);
  const { family, key } = keys[0]!;
  const proof = proveKey(pages, family, key);
  const isProven = (bytes: Uint8Array) => verifyKeyProof(bytes, root, family, key).kind === 'proven';
  assert.ok(isProven(proof));
  for (let bit = 0; bit < proof.length * 8; bit += 3) {
    const changed = proof.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.not(isProven(changed), `bit ${bit}`);
  }
  for (let length = 0; length < proof.length; length += 17) assert.not(isProven(proof.subarray(0, length)));
  assert.not(isProven(concatBytes(proof, Uint8Array.of(0))));
});

test('random bytes are refused, never thrown on', () => {
  const { root } = indexRootOf(sampleKeys(20));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.is(verifyKeyProof(bytes, root, 'txId', Uint8Array.of(1)).kind, 'invalid');
      assert.type(entryProofFault(bytes, root, { family: 'txId', key: Uint8Array.of(1), txIndex: 0 }), 'string');
    }),
  );
});

/** All proofs of runs of chunks of an index, made without the prover. */
function proofOfChunks(pages: Uint8Array, first: number, count: number): IndexProof {
  const opened = readPages(pages);
  const entries = entriesOf(opened);
  const step = CHUNK_ENTRIES * ENTRY_BYTES;
  const all: Uint8Array[] = [];
  for (let offset = 0; offset < entries.length; offset += step) all.push(entries.slice(offset, offset + step));
  const nodes: Uint8Array[] = [];
  const walk = (from: number, to: number): Uint8Array => {
    let split = 1;
    while (split * 2 < to - from) split *= 2;
    const isOutside = to <= first || from >= first + count;
    const before = nodes.length;
    const hash = to - from === 1 ? leafHash(all[from]!) : nodeHash(walk(from, from + split), walk(from + split, to));
    if (isOutside) nodes.splice(before, nodes.length, hash);
    return hash;
  };
  walk(0, all.length);
  return { entryCount: opened.entryCount, firstChunk: first, chunks: all.slice(first, first + count), nodes };
}

test('of all true runs of chunks exactly one proves a key: too few hide entries, too many are surplus', () => {
  const keys = sampleKeys(200);
  const { root, pages } = indexRootOf(keys);
  const chunkCount = Math.ceil(200 / CHUNK_ENTRIES);
  const asked = [keys[0]!, keys[1]!, keys[100]!, { family: 'record' as const, key: Uint8Array.of(9) }];
  for (const { family, key } of asked) {
    let proven = 0;
    for (let first = 0; first < chunkCount; first += 1) {
      for (let count = 1; first + count <= chunkCount; count += 1) {
        const encoded = encode(indexProofSchema, proofOfChunks(pages, first, count));
        const outcome = verifyKeyProof(encoded, root, family, key);
        if (outcome.kind === 'invalid') continue;
        proven += 1;
        assert.equal(encoded, proveKey(pages, family, key));
      }
    }
    assert.is(proven, 1);
  }
});

test('unused nodes, nodes of another depth and another size are refused', () => {
  const keys = sampleKeys(200);
  const { root, pages } = indexRootOf(keys);
  const { family, key } = keys[1]!;
  const proof = decode(indexProofSchema, proveKey(pages, family, key), INDEX_PROOF_BYTES_MAX);
  const reasonOf = (changed: IndexProof) => {
    const outcome = verifyKeyProof(encode(indexProofSchema, changed), root, family, key);
    return outcome.kind === 'invalid' ? outcome.reason : 'proven';
  };
  assert.is(reasonOf(proof), 'proven');
  assert.match(reasonOf({ ...proof, nodes: [...proof.nodes, new Uint8Array(32)] }), /more or fewer nodes/);
  assert.match(reasonOf({ ...proof, nodes: proof.nodes.slice(1) }), /more or fewer nodes/);
  assert.match(reasonOf({ ...proof, nodes: [...proof.nodes].reverse() }), /not under this root/);
  assert.match(reasonOf({ ...proof, entryCount: 4_000_000_000 }), /more or fewer nodes/);
  assert.match(reasonOf({ ...proof, firstChunk: 13 }), /outside the index/);
  assert.match(reasonOf({ ...proof, chunks: [] }), /outside the index/);
  assert.match(reasonOf({ entryCount: 0, firstChunk: 0, chunks: [], nodes: [] }), /not under this root/);
  assert.match(reasonOf({ ...proof, entryCount: 0 }), /empty index has no parts/);
});

test('a root over unsorted or repeated entries proves nothing', () => {
  const [a, b] = [
    indexEntry({ family: 'txId', key: Uint8Array.of(1), txIndex: 1 }),
    indexEntry({ family: 'author', key: Uint8Array.of(1), txIndex: 2 }),
  ];
  for (const chunk of [concatBytes(b, a), concatBytes(a, a)]) {
    const root = rootOfTop(2, leafHash(chunk));
    const proof = encode(indexProofSchema, { entryCount: 2, firstChunk: 0, chunks: [chunk], nodes: [] });
    const outcome = verifyKeyProof(proof, root, 'txId', Uint8Array.of(1));
    assert.equal(outcome, { kind: 'invalid', reason: 'entries unsorted or repeated' });
  }
  const honest = buildIndex(concatBytes(b, a));
  assert.equal(
    verifyKeyProof(proveKey(honest.pages, 'txId', Uint8Array.of(1)), honest.root, 'txId', Uint8Array.of(1)),
    {
      kind: 'proven',
      txIndices: [1],
    },
  );
});

test('a key named by every transaction of a full block can be proven', () => {
  const key = Uint8Array.of(7);
  const keys = Array.from({ length: 4096 }, (_, txIndex) => ({ family: 'organisation' as const, key, txIndex }));
  const { root, pages } = indexRootOf([...sampleKeys(500), ...keys]);
  const outcome = verifyKeyProof(proveKey(pages, 'organisation', key), root, 'organisation', key);
  assert.is(outcome.kind === 'proven' && outcome.txIndices.length, 4096);
});

test.run();
