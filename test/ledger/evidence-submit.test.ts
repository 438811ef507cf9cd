// Evidence: two payloads in one slot, shown once a seat and thousand heights, by a validator.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { nobleSigner, type Signer } from '../../src/crypto/signer.ts';
import type { EvidencePair, EvidenceSubmit, Statement } from '../../src/ledger/action.ts';
import { validatorSets } from '../../src/ledger/block-execution.ts';
import { readyPreimage } from '../../src/ledger/readiness.ts';
import { evidenceKey, FAMILIES } from '../../src/ledger/state.ts';
import {
  type DecodedTransaction,
  decodeTransaction,
  transactionPreimage,
  transactionSchema,
} from '../../src/ledger/transaction.ts';
import { prePreparePreimage, viewChangePreimage, votePreimage } from '../../src/ledger/vote.ts';
import { hospitals, regulator, SampleLedger, validatorSigners } from './sample-ledger.ts';

const [accused, witness, other] = validatorSigners as [Signer, Signer, Signer, Signer];
const HASHES = [sha256(utf8('one block')), sha256(utf8('another block'))] as const;

function votesOf(
  ledger: SampleLedger,
  statement: Exclude<Statement, 'VIEWCHANGE'>,
  height: number,
  view: number,
  signer = accused,
): EvidencePair {
  const [first, second] = HASHES.map((blockHash) => {
    const vote = { height, view, blockHash };
    const preimage =
      statement === 'PREPREPARE'
        ? prePreparePreimage(ledger.genesisHash, vote)
        : votePreimage(statement, ledger.genesisHash, vote);
    return { blockHash, signature: signer.sign(preimage) };
  });
  return { kind: 'votes', statement, first: first!, second: second! };
}

function claimsOf(ledger: SampleLedger, height: number, newView: number): EvidencePair {
  const [first, second] = [null, 0].map((preparedView) => {
    const claim = { height, newView, preparedView, preparedHash: preparedView === null ? null : HASHES[0] };
    const signature = accused.sign(viewChangePreimage(ledger.genesisHash, claim));
    return { preparedView, preparedHash: claim.preparedHash, signature };
  });
  return { kind: 'viewChanges', first: first!, second: second! };
}

function evidence(ledger: SampleLedger, change: Partial<EvidenceSubmit> = {}): EvidenceSubmit {
  const height = change.height ?? 1;
  const view = change.view ?? 2;
  return {
    kind: 'evidence.submit',
    submitter: witness.publicKey,
    accused: accused.publicKey,
    height,
    view,
    pair: votesOf(ledger, 'PREPARE', height, view),
    ...change,
  };
}

/** Signed by a validator key, whose public key stands for the account. */
function handedIn(ledger: SampleLedger, action: EvidenceSubmit, by: readonly Signer[] = [witness]): DecodedTransaction {
  const { genesisHash, parent } = ledger;
  const salt = sha256(utf8(`evidence ${action.height}`)).slice(0, 16);
  const body = { version: 1, validUntilMs: parent.timestampMs + 60_000, salt, action, attachment: null };
  const preimage = transactionPreimage(genesisHash, body);
  const signatures = by
    .map((signer) => ({ account: signer.publicKey, keyIndex: 0, bytes: signer.sign(preimage) }))
    .sort((a, b) => Buffer.compare(a.account, b.account));
  return decodeTransaction(genesisHash, encode(transactionSchema, { ...body, signatures }));
}

function verdict(ledger: SampleLedger, change: Partial<EvidenceSubmit> = {}, by?: readonly Signer[]): string {
  return ledger.verdict(handedIn(ledger, evidence(ledger, change), by));
}

function grown(height: number): SampleLedger {
  const ledger = new SampleLedger();
  ledger.parent = { ...ledger.parent, height };
  return ledger;
}

test('two payloads in one slot are recorded, of each kind', () => {
  const pairs: readonly [Statement, (ledger: SampleLedger) => EvidencePair][] = [
    ['PREPREPARE', (ledger) => votesOf(ledger, 'PREPREPARE', 1, 2)],
    ['PREPARE', (ledger) => votesOf(ledger, 'PREPARE', 1, 2)],
    ['COMMIT', (ledger) => votesOf(ledger, 'COMMIT', 1, 2)],
    ['VIEWCHANGE', (ledger) => claimsOf(ledger, 1, 2)],
  ];
  for (const [statement, pairOf] of pairs) {
    const ledger = new SampleLedger();
    const transaction = handedIn(ledger, evidence(ledger, { pair: pairOf(ledger) }));
    const { receipts } = ledger.advance([transaction]);
    const { organisation } = ledger.view.read(FAMILIES.tenure, accused.publicKey)!;
    const shown = { accused: accused.publicKey, organisation, statement, height: 1, view: 2 };
    assert.equal(receipts, [{ kind: 'evidence.submit', ...shown }]);
    assert.equal(ledger.view.read(FAMILIES.evidence, evidenceKey(accused.publicKey, 1)), {
      ...shown,
      txId: transaction.txId,
      recordedAt: 1,
    });
  }
});

test('what was not signed twice in one slot is no evidence', () => {
  const ledger = new SampleLedger();
  const sound = votesOf(ledger, 'PREPARE', 1, 2);
  assert.ok(sound.kind === 'votes');
  assert.is(verdict(ledger), 'applied');
  assert.is(verdict(ledger, { pair: { ...sound, second: sound.first } }), 'invalidAction');
  const claims = claimsOf(ledger, 1, 2);
  assert.ok(claims.kind === 'viewChanges');
  assert.is(verdict(ledger, { pair: { ...claims, second: claims.first } }), 'invalidAction');
  assert.is(verdict(ledger, { pair: { ...sound, statement: 'COMMIT' } }), 'badSignature', 'another kind');
  assert.is(verdict(ledger, { pair: votesOf(ledger, 'PREPARE', 1, 3) }), 'badSignature', 'another view');
  assert.is(verdict(ledger, { pair: votesOf(ledger, 'PREPARE', 0, 2) }), 'badSignature', 'another height');
  assert.is(verdict(ledger, { pair: votesOf(ledger, 'PREPARE', 1, 2, other) }), 'badSignature', 'another signer');
  const half = votesOf(ledger, 'PREPARE', 1, 2, other);
  assert.ok(half.kind === 'votes');
  assert.is(verdict(ledger, { pair: { ...sound, second: half.second } }), 'badSignature', 'one of two');
});

test('a validator hands evidence in, under its own key and nobody else', () => {
  const ledger = new SampleLedger();
  const outsider = nobleSigner(sha256(utf8('no validator')));
  assert.is(verdict(ledger, {}, []), 'unsigned');
  assert.is(verdict(ledger, {}, [other]), 'unknownAccount');
  assert.is(verdict(ledger, { submitter: outsider.publicKey }, [outsider]), 'unknownValidator');
  assert.is(verdict(ledger, { submitter: accused.publicKey }, [accused]), 'applied', 'its own fault');
  const forged = handedIn(ledger, evidence(ledger));
  const [signature] = forged.transaction.signatures;
  const bytes = signature!.bytes.slice();
  bytes[40]! ^= 1;
  const encoded = encode(transactionSchema, { ...forged.transaction, signatures: [{ ...signature!, bytes }] });
  assert.is(ledger.verdict(decodeTransaction(ledger.genesisHash, encoded)), 'badSignature');
  const second = encode(transactionSchema, { ...forged.transaction, signatures: [{ ...signature!, keyIndex: 1 }] });
  assert.is(ledger.verdict(decodeTransaction(ledger.genesisHash, second)), 'unknownKey');
});

test('evidence is of the last 10,000 heights', () => {
  const ledger = grown(20_000);
  const at = (height: number) => verdict(ledger, { height, pair: votesOf(ledger, 'COMMIT', height, 2) });
  assert.is(at(20_002), 'evidenceOutsideWindow');
  assert.is(at(20_001), 'applied');
  assert.is(at(10_001), 'applied');
  assert.is(at(10_000), 'evidenceOutsideWindow');
});

test('one entry stands for a seat and thousand heights', () => {
  const ledger = grown(2_500);
  const at = (height: number, signer = accused) =>
    evidence(ledger, {
      height,
      accused: signer.publicKey,
      pair: votesOf(ledger, 'COMMIT', height, 2, signer),
    });
  ledger.advance([handedIn(ledger, at(1_999))]);
  assert.is(ledger.verdict(handedIn(ledger, at(1_000))), 'evidenceKnown');
  assert.is(ledger.verdict(handedIn(ledger, at(999))), 'applied');
  assert.is(ledger.verdict(handedIn(ledger, at(2_000))), 'applied');
  assert.is(ledger.verdict(handedIn(ledger, at(1_999, other))), 'applied');
});

test('the key that a seat had at that height counts, also once it was rotated away', () => {
  const ledger = new SampleLedger();
  const successor = nobleSigner(sha256(utf8('successor')));
  const { organisation } = ledger.view.read(FAMILIES.tenure, accused.publicKey)!;
  const readiness = { publicKey: successor.publicKey, organisation, replaces: accused.publicKey, height: 0 };
  const signature = successor.sign(readyPreimage(ledger.genesisHash, readiness));
  const rotate = ledger.transaction(
    {
      kind: 'validator.rotate',
      publicKey: accused.publicKey,
      newPublicKey: successor.publicKey,
      addresses: [],
      ready: { height: 0, signature },
    },
    [...hospitals, regulator],
  );
  ledger.advance([rotate]);
  for (let i = 0; i < 4; i += 1) ledger.advance();
  assert.is(validatorSets(ledger.view).current.validators.length, 4);
  const by = (signer: Signer, height: number) =>
    verdict(ledger, { accused: signer.publicKey, height, pair: votesOf(ledger, 'COMMIT', height, 2, signer) });
  assert.is(by(accused, 2), 'applied');
  assert.is(by(accused, 3), 'unknownValidator');
  assert.is(by(successor, 2), 'unknownValidator');
  assert.is(by(successor, 3), 'applied');
  ledger.advance([handedIn(ledger, evidence(ledger, { height: 2, pair: votesOf(ledger, 'COMMIT', 2, 2) }))]);
  assert.is(by(successor, 3), 'evidenceKnown', 'it is one seat');
  assert.is(verdict(ledger, { submitter: accused.publicKey }, [accused]), 'unknownValidator', 'no validator any more');
});

test.run();
