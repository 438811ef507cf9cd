import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, fromHex, toHex } from '../../src/codec/bytes.ts';
import { messageSignatures } from '../../src/consensus/admission.ts';
import {
  decodeMessage,
  encodeMessage,
  MESSAGE_BYTES_MAX,
  type Message,
  messagePreimage,
} from '../../src/consensus/messages.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { fakeVerify, GENESIS_HASH } from '../simulation/keys.ts';
import { Bench } from './bench.ts';

const bench = new Bench({ n: 4 });
const messages: readonly Message[] = [
  bench.forge(1, 'PrePrepare view=0 block=A'),
  bench.forge(2, 'PrePrepare view=1 block=A parts=0,1,2 prepared=0/A signers=0,1,2'),
  bench.forge(0, 'Prepare view=0 block=A'),
  bench.forge(0, 'Commit view=0 block=A'),
  bench.forge(0, 'ViewChange view=1'),
  bench.forge(0, 'ViewChange view=1 prepared=0/A signers=0,1,2'),
  {
    kind: 'Status',
    height: 5,
    view: 2,
    tipHash: GENESIS_HASH,
    publicKey: bench.keyOf(0),
    signature: new Uint8Array(64),
  },
  { kind: 'Decided', certificate: bench.certificate(0) },
];

test('messages survive their encoding', () => {
  for (const message of messages) {
    const decoded = decodeMessage(encodeMessage(message));
    assert.is(decoded.kind, message.kind);
    assert.is(toHex(encodeMessage(decoded)), toHex(encodeMessage(message)));
  }
});

test('encodings and preimages are the pinned ones', () => {
  const pinned = JSON.parse(readFileSync(path.join(import.meta.dirname, 'messages.vectors.json'), 'utf8'));
  const actual = messages.map((message) => ({
    kind: message.kind,
    encoding: toHex(encodeMessage(message)),
    preimageSha256: toHex(sha256(messagePreimage(GENESIS_HASH, message) ?? new Uint8Array(0))),
  }));
  if (process.env['MEDLEDGER_PRINT_VECTORS'] === '1') console.log(JSON.stringify(actual, null, 2));
  assert.equal(actual, pinned);
});

test('trailing bytes, unknown kinds and anything over the cap of its kind are refused', () => {
  for (const message of messages)
    assert.throws(() => decodeMessage(concatBytes(encodeMessage(message), Uint8Array.of(0))), /trailing/);
  assert.throws(() => decodeMessage(fromHex('8207f6')), /not a consensus message/);
  assert.throws(() => decodeMessage(new Uint8Array(0)), /not a consensus message/);
  assert.throws(() => decodeMessage(concatBytes(fromHex('8202'), new Uint8Array(300))), /at most 256/);
  assert.throws(() => decodeMessage(concatBytes(fromHex('8201'), new Uint8Array(MESSAGE_BYTES_MAX))), /at most/);
});

test('PREPREPARE, PREPARE and COMMIT of one vote have different preimages', () => {
  const preimages = [0, 2, 3].map((index) => toHex(messagePreimage(GENESIS_HASH, messages[index]!)!));
  assert.is(new Set(preimages).size, 3);
});

test('every signature of a message is listed for verification ahead', () => {
  const counts = messages.map((message) => {
    const { direct, attached } = messageSignatures(GENESIS_HASH, message, bench.validators);
    if (message.kind !== 'Status')
      for (const check of direct === null ? [] : [direct, ...attached])
        assert.ok(fakeVerify(check.signature, check.preimage, check.publicKey));
    return [direct === null ? 0 : 1, attached.length];
  });
  assert.equal(counts, [
    [1, 0],
    [1, 6],
    [1, 0],
    [1, 0],
    [1, 0],
    [1, 3],
    [1, 0],
    [0, 3],
  ]);
});

test.run();
