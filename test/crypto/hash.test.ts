import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import { sha256, sha256Text, signedPreimage, taggedHash } from '../../src/crypto/hash.ts';
import { sha256 as sha256Noble, sha256Text as sha256TextNoble } from '../../src/crypto/sha256-noble.ts';
import vectors from './hash.vectors.json' with { type: 'json' };

test('tagged hashes are those of the vectors', () => {
  for (const { kind, parts, hash } of vectors.taggedHashes)
    assert.is(toHex(taggedHash(kind, ...parts.map(fromHex))), hash, kind);
});

test('signed preimages are those of the vectors', () => {
  for (const { kind, genesisHash, body, preimage } of vectors.signedPreimages)
    assert.is(toHex(signedPreimage(kind, fromHex(genesisHash), fromHex(body))), preimage);
});

test('the SHA-256 of Node and that of browsers agree', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const bytes = new Uint8Array(length).fill(length & 255);
    assert.equal(new Uint8Array(sha256(bytes)), new Uint8Array(sha256Noble(bytes)));
    assert.equal(Buffer.from(sha256Text(bytes), 'latin1'), Buffer.from(sha256Noble(bytes)));
    assert.is(sha256TextNoble(bytes), sha256Text(bytes));
  }
  assert.is(toHex(sha256(new Uint8Array(0))), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test.run();
