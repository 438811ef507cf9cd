import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BlockProofError, trustedLedger, verifyBlock } from '../../src/client/verify-block.ts';
import { equalBytes } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { decodeHeader, encodeHeader } from '../../src/ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateSchema } from '../../src/ledger/certificate.ts';
import { decodeGenesis, encodeGenesis } from '../../src/ledger/genesis.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';
import { genesisDocument, ledgerHash, makeFakeNode } from '../api/fake-node.ts';

const node = makeFakeNode();
const block = node.commitEmptyBlock();
const next = node.commitEmptyBlock();
const trusted = trustedLedger(genesisDocument, ledgerHash);

function withCertificate(change: (certificate: Certificate) => Certificate) {
  const certificate = decode(certificateSchema, block.certificate, CERTIFICATE_BYTES_MAX);
  return { header: block.header, certificate: encode(certificateSchema, change(certificate)) };
}

test('a block committed by a quorum is taken', () => {
  const { header, hash } = verifyBlock(block, trusted);
  assert.is(header.height, 1);
  assert.ok(equalBytes(hash, block.hash));
});

test('a genesis document other than the expected one is refused', () => {
  const other = encodeGenesis({ ...decodeGenesis(genesisDocument), ledger: 'another' });
  assert.throws(
    () => trustedLedger(other, ledgerHash),
    (error: Error) => error instanceof BlockProofError,
  );
  assert.throws(
    () => trustedLedger(genesisDocument.slice(1), ledgerHash),
    (error: Error) => error instanceof DecodeError,
  );
});

const refused: readonly [string, () => { header: Uint8Array; certificate: Uint8Array }, RegExp][] = [
  ['too few signatures', () => withCertificate((c) => ({ ...c, signatures: c.signatures.slice(1) })), /quorum/],
  [
    'the same signer thrice',
    () => withCertificate((c) => ({ ...c, signatures: new Array(3).fill(c.signatures[0]) })),
    /distinct/,
  ],
  [
    'a signature by another validator',
    () =>
      withCertificate((c) => ({ ...c, signatures: c.signatures.map((s, i) => (i === 2 ? { ...s, signer: 3 } : s)) })),
    /signature/,
  ],
  ['another view than was voted in', () => withCertificate((c) => ({ ...c, view: 1 })), /signature/],
  [
    'the certificate of another block',
    () => ({ header: block.header, certificate: next.certificate }),
    /another block/,
  ],
  [
    'an altered header',
    () => ({
      header: encodeHeader({ ...decodeHeader(block.header), stateRoot: new Uint8Array(32).fill(9) }),
      certificate: block.certificate,
    }),
    /another block/,
  ],
  [
    'a header of another ledger',
    () => ({
      header: encodeHeader({ ...decodeHeader(block.header), genesisHash: new Uint8Array(32) }),
      certificate: block.certificate,
    }),
    /another ledger/,
  ],
];

for (const [name, made, reason] of refused) {
  test(`${name}: refused`, () => {
    assert.throws(
      () => verifyBlock(made(), trusted),
      (error: Error) => {
        assert.instance(error, BlockProofError);
        assert.match(error.message, reason);
        return true;
      },
    );
  });
}

test('a block of another validator set is refused', () => {
  const validators = makeValidatorSet(trusted.validators.validators.slice(1));
  assert.throws(() => verifyBlock(block, { genesisHash: ledgerHash, validators }), /another validator set/);
});

test('bytes that are no header or certificate are refused', () => {
  const isDecodeError = (error: Error) => error instanceof DecodeError;
  assert.throws(
    () => verifyBlock({ header: Uint8Array.of(1), certificate: block.certificate }, trusted),
    isDecodeError,
  );
  assert.throws(() => verifyBlock({ header: block.header, certificate: Uint8Array.of(1) }, trusted), isDecodeError);
});

test.run();
