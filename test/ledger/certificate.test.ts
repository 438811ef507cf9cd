import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../src/crypto/hash.ts';
import { type Certificate, certificateFault } from '../../src/ledger/certificate.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { fakeSign, fakeValidators, fakeVerify, GENESIS_HASH } from '../simulation/keys.ts';

const set = fakeValidators(5);
const vote = { height: 7, view: 2, blockHash: sha256(Uint8Array.of(7)) };

function certificateBy(kind: 'PREPARE' | 'COMMIT', signers: readonly number[], of = vote): Certificate {
  const preimage = votePreimage(kind, GENESIS_HASH, of);
  const sign = (signer: number) => fakeSign((set.validators[signer] ?? set.validators[0]!).publicKey, preimage);
  return { ...vote, signatures: signers.map((signer) => ({ signer, signature: sign(signer) })) };
}

const faultOf = (kind: 'PREPARE' | 'COMMIT', certificate: Certificate) =>
  certificateFault(kind, certificate, set, GENESIS_HASH, fakeVerify);

test('a prepared certificate has exactly q signatures, a commit certificate at least q', () => {
  const wanted = { PREPARE: ['quorum', undefined, 'quorum'], COMMIT: ['quorum', undefined, undefined] } as const;
  for (const kind of ['PREPARE', 'COMMIT'] as const)
    assert.equal(
      [3, 4, 5].map((count) => faultOf(kind, certificateBy(kind, [0, 1, 2, 3, 4].slice(0, count)))),
      wanted[kind],
    );
});

test('signers of a certificate are validators in strictly ascending order', () => {
  for (const signers of [
    [0, 1, 1, 2],
    [1, 0, 2, 3],
    [0, 1, 2, 5],
  ])
    assert.is(faultOf('COMMIT', certificateBy('COMMIT', signers)), 'signers', `${signers}`);
});

test('the signatures of a certificate are of its kind, height, view and block', () => {
  assert.is(faultOf('COMMIT', certificateBy('PREPARE', [0, 1, 2, 3])), 'signature');
  for (const change of [{ height: 8 }, { view: 1 }, { blockHash: new Uint8Array(32) }])
    assert.is(faultOf('COMMIT', certificateBy('COMMIT', [0, 1, 2, 3], { ...vote, ...change })), 'signature');
});

test.run();
