import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { indexRootOf, pagesMatchRoot } from '../../src/index/inner/build.ts';
import { FAMILY_CODES } from '../../src/index/inner/entry.ts';
import { lookup } from '../../src/index/inner/lookup.ts';
import { entriesOf, readPages } from '../../src/index/inner/pages.ts';
import { BLOCK_TRANSACTIONS_MAX } from '../../src/ledger/block.ts';
import type { IndexFamily, IndexKey } from '../../src/ledger/index-keys.ts';

const FAMILIES = Object.keys(FAMILY_CODES) as IndexFamily[];

/** Few different keys, so that most stand in several transactions and some twice in one. */
const indexedKey = fc.record({
  family: fc.constantFrom(...FAMILIES),
  key: fc.integer({ min: 0, max: 40 }).map((number) => Uint8Array.of(number)),
  txIndex: fc.integer({ min: 0, max: BLOCK_TRANSACTIONS_MAX - 1 }),
});

function scan(keys: readonly IndexKey[], family: IndexFamily, key: Uint8Array): readonly number[] {
  const found = keys.filter((other) => other.family === family && equalBytes(other.key, key));
  return [...new Set(found.map((other) => other.txIndex))].sort((a, b) => a - b);
}

function vectorKeys(count: number): readonly IndexKey[] {
  return Array.from({ length: count }, (_, i) => ({
    family: FAMILIES[i % 6]!,
    key: sha256(utf8(`key ${i % 6 === 0 ? i : i % 97}`)),
    txIndex: (i * 7) % 4096,
  }));
}

test('a look-up finds what a scan of all keys finds', () => {
  fc.assert(
    fc.property(fc.array(indexedKey, { maxLength: 400 }), indexedKey, (keys, other) => {
      const { pages } = indexRootOf(keys);
      for (const { family, key } of [...keys.slice(0, 20), other])
        assert.equal(lookup(pages, family, key), scan(keys, family, key));
    }),
    { numRuns: 60 },
  );
});

test('a look-up descends through three levels, and finds a key whose entries fill many pages', () => {
  const keys = vectorKeys(9000);
  const common = Array.from({ length: 1000 }, (_, i) => ({
    family: 'actionKind' as const,
    key: Uint8Array.of(1),
    txIndex: i * 3,
  }));
  const { pages } = indexRootOf([...keys, ...common]);
  assert.is(readPages(pages).levels.length, 3);
  assert.equal(
    lookup(pages, 'actionKind', Uint8Array.of(1)),
    common.map((key) => key.txIndex),
  );
  for (let i = 0; i < keys.length; i += 13)
    assert.equal(lookup(pages, keys[i]!.family, keys[i]!.key), scan(keys, keys[i]!.family, keys[i]!.key));
  for (let i = 0; i < 500; i += 1) assert.equal(lookup(pages, 'txId', sha256(utf8(`absent ${i}`))), []);
});

test('the same set of keys gives the same bytes, whatever the order and repetitions', () => {
  fc.assert(
    fc.property(fc.array(indexedKey, { maxLength: 200 }), fc.nat(), (keys, turn) => {
      const turned = [...keys.slice(turn % (keys.length + 1)), ...keys.slice(0, turn % (keys.length + 1)), ...keys];
      assert.equal(indexRootOf(turned), indexRootOf(keys));
    }),
    { numRuns: 50 },
  );
});

test('roots and pages are those of an independent program', () => {
  const vectors = JSON.parse(readFileSync(new URL('./inner-index.vectors.json', import.meta.url), 'utf8'));
  assert.ok(vectors.cases.length >= 10);
  for (const { keyCount, entryCount, root, pagesSha256, firstEntry } of vectors.cases) {
    const built = indexRootOf(vectorKeys(keyCount));
    assert.is(toHex(built.root), root, `root of ${keyCount} keys`);
    assert.is(toHex(sha256(built.pages)), pagesSha256, `pages of ${keyCount} keys`);
    const pages = readPages(built.pages);
    assert.is(pages.entryCount, entryCount);
    assert.is(entryCount === 0 ? null : toHex(entriesOf(pages).subarray(0, 21)), firstEntry);
  }
});

test('pages match their own root and no other bytes do', () => {
  const { root, pages } = indexRootOf(vectorKeys(300));
  assert.ok(pagesMatchRoot(pages, root));
  assert.not(pagesMatchRoot(pages, indexRootOf(vectorKeys(299)).root));
  for (let i = 0; i < pages.length; i += 1) {
    const changed = pages.slice();
    changed[i]! ^= 1 << (i % 8);
    assert.not(pagesMatchRoot(changed, root), `byte ${i}`);
  }
});

test('pages that are cut, too long or of another version are refused, not searched', () => {
  const { root, pages } = indexRootOf(vectorKeys(100));
  const longer = new Uint8Array(pages.length + 1);
  longer.set(pages);
  const older = pages.slice();
  older[0] = 0;
  for (const bad of [pages.subarray(0, -1), pages.subarray(0, 4), new Uint8Array(0), longer, older]) {
    assert.throws(
      () => lookup(bad, 'txId', Uint8Array.of(1)),
      (error: Error) => error.name === 'DecodeError',
    );
    assert.not(pagesMatchRoot(bad, root));
  }
});

test('pages are read wherever they lie in a larger buffer', () => {
  const { pages } = indexRootOf(vectorKeys(100));
  const buffer = new Uint8Array(pages.length + 7);
  buffer.set(pages, 7);
  const [first] = vectorKeys(1);
  assert.equal(lookup(buffer.subarray(7), 'txId', first!.key), [0]);
});

test('a transaction that no block can have is refused', () => {
  for (const txIndex of [-1, 0.5, BLOCK_TRANSACTIONS_MAX])
    assert.throws(() => indexRootOf([{ family: 'txId', key: Uint8Array.of(1), txIndex }]), /no block has/);
});

test.run();
