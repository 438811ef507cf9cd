// A client follows the validators by headers; what a node says of them is a hint.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockView, ValidatorsView } from '../../src/api/contract/schemas.ts';
import { toBase64url } from '../../src/api/contract/text.ts';
import { followValidators } from '../../src/client/follow-validators.ts';
import { BlockProofError, verifyBlock } from '../../src/client/verify-block.ts';
import { equalBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { nobleSigner, type Signer } from '../../src/crypto/signer.ts';
import { blockHash, encodeHeader } from '../../src/ledger/block.ts';
import { certificateSchema } from '../../src/ledger/certificate.ts';
import { makeValidatorSet, quorumSize, type ValidatorSet } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';

const ledger = sha256(utf8('ledger'));
const organisation = sha256(utf8('organisation'));
const signers = Array.from({ length: 6 }, (_, i) => nobleSigner(sha256(utf8(`signer ${i}`))));

const setOf = (places: readonly number[]): ValidatorSet =>
  makeValidatorSet(places.map((place) => ({ publicKey: signers[place]!.publicKey, organisation })));

/** Who is a validator from which height on: a join, a rotation, a removal. */
const SETS: readonly (readonly [fromHeight: number, places: readonly number[]])[] = [
  [1, [0, 1, 2, 3]],
  [4, [0, 1, 2, 3, 4]],
  [6, [0, 1, 2, 5, 4]],
  [9, [0, 2, 5, 4]],
];

function setAt(height: number): ValidatorSet {
  return setOf(SETS.findLast(([from]) => from <= height)![1]);
}

function signerOf(publicKey: Uint8Array): Signer {
  return signers.find((signer) => equalBytes(signer.publicKey, publicKey))!;
}

function certified(height: number, set = setAt(height), next = setAt(height + 1)) {
  const zero = new Uint8Array(32);
  const header = encodeHeader({
    version: 1,
    genesisHash: ledger,
    height,
    previousHash: zero,
    timestampMs: height,
    proposer: 0,
    txRoot: zero,
    indexRoot: zero,
    stateRoot: zero,
    validatorsHash: set.hash,
    nextValidatorsHash: next.hash,
    txCount: 0,
    bodyBytes: 0,
    executionCost: 0,
  });
  const hash = blockHash(header);
  const preimage = votePreimage('COMMIT', ledger, { height, view: 0, blockHash: hash });
  const signatures = set.validators
    .slice(0, quorumSize(set.validators.length))
    .map(({ publicKey }, signer) => ({ signer, signature: signerOf(publicKey).sign(preimage) }));
  return { header, certificate: encode(certificateSchema, { height, view: 0, blockHash: hash, signatures }) };
}

const hint = (place: number, fromHeight: number, untilHeight: number | null) => ({
  publicKey: toHex(signers[place]!.publicKey),
  organisation: formatAddress(organisation),
  seat: toHex(signers[place]!.publicKey),
  addresses: [],
  fromHeight,
  untilHeight,
});

const HINTS = [hint(0, 1, null), hint(1, 1, 9), hint(2, 1, null), hint(3, 1, 6), hint(4, 4, null), hint(5, 6, null)];

/** A node that says this of the validators, and serves what `blockAt` gives; it counts what it is asked for. */
function nodeWith(validators: ValidatorsView['validators'], blockAt: typeof certified = certified) {
  const asked: number[] = [];
  return {
    asked,
    validators: async (): Promise<ValidatorsView> => ({ height: 11, count: 4, faultyMax: 1, quorum: 3, validators }),
    async block(which: number | Uint8Array | 'latest'): Promise<BlockView> {
      assert.type(which, 'number');
      asked.push(which as number);
      const { header, certificate } = blockAt(which as number);
      return { header: toBase64url(header), certificate: toBase64url(certificate) } as unknown as BlockView;
    },
  };
}

const GENESIS = { height: 1, trusted: { genesisHash: ledger, validators: setAt(1) } };

async function refusal(node: ReturnType<typeof nodeWith>): Promise<string> {
  const error = await followValidators(node, GENESIS, 10).then(
    () => assert.unreachable(),
    (reason: unknown) => reason,
  );
  assert.instance(error, BlockProofError);
  return (error as Error).message;
}

test('from change to change, by the block before each, and no other', async () => {
  const node = nodeWith(HINTS);
  const { trusted, height } = await followValidators(node, GENESIS, 10);
  assert.equal(node.asked, [3, 5, 8]);
  assert.is(height, 9);
  assert.is(verifyBlock(certified(10), trusted).header.height, 10);
  assert.throws(() => verifyBlock(certified(8), trusted), /another validator set/);
});

test('it goes on from where it was, and no further than asked', async () => {
  const first = await followValidators(nodeWith(HINTS), GENESIS, 5);
  assert.is(first.height, 4);
  assert.is(verifyBlock(certified(5), first.trusted).header.height, 5);
  const node = nodeWith(HINTS);
  const second = await followValidators(node, first, 9);
  assert.equal([node.asked, second.height], [[5, 8], 9]);
  assert.equal(await followValidators(nodeWith(HINTS), second, 10), second);
});

test('a set that the header does not announce is refused', async () => {
  const invented = HINTS.map((entry) => (entry.fromHeight === 4 ? hint(5, 4, null) : entry));
  assert.match(await refusal(nodeWith(invented)), 'not those that the block announces');
});

test('a change that a node hides shows in the block after it', async () => {
  const hidden = HINTS.filter(({ fromHeight }) => fromHeight !== 4);
  assert.match(await refusal(nodeWith(hidden)), /another validator set|not those/);
});

test('a block that the set before did not certify announces nothing', async () => {
  const byOthers = (height: number) => certified(height, setOf([4, 5, 0, 1]));
  assert.match(await refusal(nodeWith(HINTS, byOthers)), 'another validator set');
});

test.run();
