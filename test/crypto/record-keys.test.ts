import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import {
  dataKey,
  drawRecordSecrets,
  fieldKey,
  keyCommitment,
  type WrapBasis,
  type WrapContext,
  wrapInfo,
} from '../../src/crypto/record-keys.ts';
import vectors from './record-keys.vectors.json' with { type: 'json' };

const genesisHash = fromHex(vectors.genesisHash);
const recordId = fromHex(vectors.recordId);
const secrets = { s: fromHex(vectors.s), kNode: fromHex(vectors.kNode) };

test('keys and commitments are those of the vectors', () => {
  for (const { version, ...expected } of vectors.keys) {
    const key = dataKey(secrets, genesisHash, { recordId, version });
    assert.is(toHex(key), expected.dataKey);
    assert.is(toHex(keyCommitment(key)), expected.keyCommitment);
    assert.is(toHex(fieldKey(secrets.s, genesisHash, { recordId, version })), expected.fieldKey);
  }
});

test('every input changes the payload key', () => {
  const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  const of = { recordId, version: 1 };
  const keys = [
    dataKey(secrets, genesisHash, of),
    dataKey({ ...secrets, s: flip(secrets.s) }, genesisHash, of),
    dataKey({ ...secrets, kNode: flip(secrets.kNode) }, genesisHash, of),
    dataKey({ s: secrets.kNode, kNode: secrets.s }, genesisHash, of),
    dataKey(secrets, flip(genesisHash), of),
    dataKey(secrets, genesisHash, { recordId: flip(recordId), version: 1 }),
    dataKey(secrets, genesisHash, { recordId, version: 2 }),
    fieldKey(secrets.s, genesisHash, of),
  ];
  assert.is(new Set(keys.map(toHex)).size, keys.length);
});

test('drawn secrets are fresh and 32 bytes long', () => {
  const drawn = [drawRecordSecrets(), drawRecordSecrets()].flatMap(({ s, kNode }) => [s, kNode]);
  assert.ok(drawn.every((secret) => secret.length === 32));
  assert.is(new Set(drawn.map(toHex)).size, 4);
});

function basisOf(basis: { kind: string; id?: string }): WrapBasis {
  return (basis.id === undefined ? basis : { kind: basis.kind, id: fromHex(basis.id) }) as WrapBasis;
}

const wrap = { genesisHash, recordId, recipient: fromHex(vectors.recipient), sealingKey: fromHex(vectors.sealingKey) };

test('the info of wraps is that of the vectors', () => {
  for (const { secret, basis, version, info } of vectors.wraps) {
    const context = { ...wrap, version, basis: basisOf(basis), secret: secret as 's' | 'kNode' };
    assert.is(toHex(wrapInfo(context)), info, `${secret} ${basis.kind}`);
  }
});

test('values of another length or range are refused', () => {
  const of = { recordId, version: 1 };
  const short = new Uint8Array(31);
  assert.throws(() => dataKey({ ...secrets, s: short }, genesisHash, of), 'secret has 32');
  assert.throws(() => dataKey({ ...secrets, kNode: short }, genesisHash, of), 'secret has 32');
  assert.throws(() => fieldKey(short, genesisHash, of), 'secret has 32');
  assert.throws(() => fieldKey(secrets.s, short, of), 'genesis hash has 32');
  assert.throws(() => fieldKey(secrets.s, genesisHash, { recordId: short, version: 1 }), 'record id has 16');
  assert.throws(() => fieldKey(secrets.s, genesisHash, { recordId, version: 2 ** 32 }), 'does not fit');
  const context: WrapContext = { ...wrap, version: 1, basis: { kind: 'author' }, secret: 's' };
  assert.throws(() => wrapInfo({ ...context, sealingKey: short }), 'sealing key has 32');
  assert.throws(() => wrapInfo({ ...context, recipient: short }), 'not 32 bytes');
  assert.throws(() => wrapInfo({ ...context, basis: { kind: 'grant', id: short } }), 'not 32 bytes');
});

test.run();
