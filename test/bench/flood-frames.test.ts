import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FLOOD_KINDS, FloodFrames, type FloodKind } from '../../bench/consensus/flood-frames.ts';
import { strangersTransactions } from '../../bench/consensus/flood-transactions.ts';
import { seededChance } from '../../bench/seeded-chance.ts';
import { compareBytes } from '../../src/codec/bytes.ts';
import { decodeMessage, messageHeight, messagePreimage } from '../../src/consensus/messages.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { isAttachmentOf } from '../../src/ledger/attachment.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';

const GENESIS = new Uint8Array(32).fill(9);
const HEIGHT = 40;
const signers = [1, 2, 3, 4].map((byte) => sodiumSigner(new Uint8Array(32).fill(byte)));
const signer = signers[2]!;
const start = { validators: signers.map(({ publicKey }) => ({ publicKey })) };
const frames = new FloodFrames({ signer, start }, GENESIS, seededChance(1, 'test'));
const made = (kind: FloodKind) => decodeMessage(frames.make(kind, HEIGHT));

test('every frame of a flood is well formed and comes from the seat whose key it has, signed but for the forged', () => {
  const seat = signers
    .map(({ publicKey }) => publicKey)
    .toSorted(compareBytes)
    .indexOf(signer.publicKey);
  for (const kind of FLOOD_KINDS) {
    const message = made(kind);
    assert.ok('signature' in message);
    const isSigned = verifySignature(message.signature, messagePreimage(GENESIS, message)!, signer.publicKey);
    assert.is(isSigned, kind !== 'forged vote', kind);
    if ('signer' in message) assert.is(message.signer, seat, kind);
    assert.ok(messageHeight(message) >= HEIGHT, kind);
  }
});

test('no two frames of a flood are alike', () => {
  for (const kind of FLOOD_KINDS)
    assert.is.not(compareBytes(frames.make(kind, HEIGHT), frames.make(kind, HEIGHT)), 0, kind);
});

test('far heights and views are far', () => {
  for (let turn = 0; turn < 20; turn += 1) {
    assert.ok(messageHeight(made('vote of a far height')) > HEIGHT + 1);
    const far = made('vote of a far view');
    assert.ok(far.kind !== 'Decided' && far.kind !== 'ViewChange' && far.view > 2);
  }
});

test('a key without a seat floods nobody', () => {
  const stranger = sodiumSigner(new Uint8Array(32).fill(7));
  assert.throws(() => new FloodFrames({ signer: stranger, start }, GENESIS, () => 0), /no seat/);
});

test('transactions of a flood can be read, each with the attachment that it names', async () => {
  const make = strangersTransactions(GENESIS);
  const { encoded, attachment } = await make();
  const { attachment: reference } = decodeTransaction(GENESIS, encoded).transaction;
  assert.ok(attachment !== null && reference !== null && isAttachmentOf(reference, attachment));
});

test.run();
