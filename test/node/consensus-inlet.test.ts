// Every COMMIT of a member is noted by when it came, also one that consensus needs no more; a false one is not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { type Commit, encodeMessage } from '../../src/consensus/messages.ts';
import { DEFAULT_INTERVALS, DEFAULT_PARAMETERS } from '../../src/consensus/parameters.ts';
import { createCore } from '../../src/consensus/state.ts';
import { step } from '../../src/consensus/step.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { nobleSigner } from '../../src/crypto/signer.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { ConsensusInlet } from '../../src/node/consensus-inlet.ts';

const GENESIS_HASH = new Uint8Array(32).fill(7);
const BLOCK_HASH = new Uint8Array(32).fill(8);
const signers = [1, 2, 3, 4].map((n) => nobleSigner(new Uint8Array(32).fill(n)));
const validators = makeValidatorSet(
  signers.map(({ publicKey }) => ({ publicKey, organisation: new Uint8Array(32).fill(9) })),
);
const keyOf = (index: number) => validators.validators[index]!.publicKey;

/** The inlet of validator 0 at height 5, and what it told. */
function makeInlet() {
  const own = signers.find(({ publicKey }) => toHex(publicKey) === toHex(keyOf(0)))!;
  const core = createCore({
    genesisHash: GENESIS_HASH,
    intervals: DEFAULT_INTERVALS,
    publicKey: own.publicKey,
    sign: (preimage) => own.sign(preimage),
    verify: verifySignature,
  });
  const context = {
    height: 5,
    validators,
    nextValidators: validators,
    eligible: [0, 1, 2, 3],
    previousHash: BLOCK_HASH,
    parentTimestampMs: 1,
    parameters: DEFAULT_PARAMETERS,
  };
  step(core, { kind: 'Start', context, tip: null, records: [], journal: 'override' });
  const told: string[] = [];
  const nameOf = (publicKey: Uint8Array) =>
    validators.validators.findIndex((v) => toHex(v.publicKey) === toHex(publicKey));
  const inlet = new ConsensusInlet({
    core,
    deliver: ({ kind }) => told.push(kind),
    onDropped: (reason) => told.push(reason),
    punctuality: {
      voted: (height, publicKey) => told.push(`${nameOf(publicKey)} voted at ${height}`),
      votedLate: (height, signer, from) => told.push(`${nameOf(from)} brought the vote of ${signer} at ${height}`),
    },
  });
  return { core, inlet, told };
}

function commit(index: number, height: number): Commit {
  const vote = { height, view: 0, blockHash: BLOCK_HASH };
  const signer = signers.find(({ publicKey }) => toHex(publicKey) === toHex(keyOf(index)))!;
  return { kind: 'Commit', ...vote, signer: index, signature: signer.sign(votePreimage('COMMIT', GENESIS_HASH, vote)) };
}

test('a COMMIT of this height or the next is noted once it is verified', () => {
  const { inlet, told } = makeInlet();
  inlet.receive(keyOf(2), encodeMessage(commit(2, 5)));
  inlet.receive(keyOf(2), encodeMessage(commit(2, 6)));
  assert.equal(told, ['2 voted at 5', 'Message', '2 voted at 6', 'Message']);
});

test('a COMMIT with a false signature is not noted', () => {
  const { inlet, told } = makeInlet();
  inlet.receive(keyOf(3), encodeMessage({ ...commit(2, 5), signer: 3 }));
  assert.equal(told, ['badSignature']);
});

test('a COMMIT that comes after the decision is noted with who brought it, and dropped as before', () => {
  const { inlet, told } = makeInlet();
  inlet.receive(keyOf(2), encodeMessage(commit(3, 4)));
  assert.equal(told, ['2 brought the vote of 3 at 4', 'oldHeight']);
});

test('where the decision is known and its block is not, a COMMIT is noted if its signer brought it', () => {
  const { core, inlet, told } = makeInlet();
  const signatures = [1, 2, 3].map((index) => ({ signer: index, signature: commit(index, 5).signature }));
  const certificate = { height: 5, view: 0, blockHash: BLOCK_HASH, signatures };
  step(core, { kind: 'Message', from: keyOf(1), message: { kind: 'Decided', certificate }, verified: false });
  inlet.receive(keyOf(2), encodeMessage(commit(2, 5)));
  inlet.receive(keyOf(2), encodeMessage(commit(3, 5)));
  assert.equal(told, ['2 voted at 5', 'decided', 'decided']);
});

test('a COMMIT from far ahead, whose signature is not looked at, is not noted', () => {
  const { inlet, told } = makeInlet();
  inlet.receive(keyOf(2), encodeMessage(commit(2, 9)));
  assert.equal(told, ['Message']);
});

test.run();
