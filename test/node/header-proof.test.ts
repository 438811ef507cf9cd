// Headers of a made-up ledger whose validators change: what proves a snapshot's block, and what does not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import type { Signer } from '../../src/crypto/signer.ts';
import { blockHash, encodeHeader, HEADER_VERSION, type Header } from '../../src/ledger/block.ts';
import { certificateSchema } from '../../src/ledger/certificate.ts';
import { makeValidatorSet, type ValidatorSet, validatorListSchema } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { type HeaderProof, type ProofBasis, proveHeader } from '../../src/node/header-proof.ts';
import { type HistoryRequests, HistorySource, NotAvailableError } from '../../src/node/history-source.ts';
import { encodeHeaderFrame, readHeaderFrame } from '../../src/node/linked-header.ts';
import type { HistoryRequest } from '../../src/p2p/protocols.ts';
import type { LinkedHeader } from '../../src/storage/snapshot-install.ts';

const GENESIS = sha256(Uint8Array.of(7));
const LENGTH = 30;
const CHANGE_AT = 10;
const signersOf = (name: string): readonly Signer[] =>
  [0, 1, 2, 3].map((number) => sodiumSigner(sha256(Buffer.from(`${name} ${number}`))));
const setOf = (signers: readonly Signer[]): ValidatorSet =>
  makeValidatorSet(signers.map(({ publicKey }) => ({ publicKey, organisation: new Uint8Array(32) })));
const oldKeys = signersOf('old');
const newKeys = signersOf('new');

interface Chain {
  readonly headers: readonly Header[];
  readonly encoded: readonly Uint8Array[];
  readonly frames: readonly Uint8Array[];
}

/** Headers 1 to LENGTH; from CHANGE_AT on the next validators are `after`. `certifiers` sign each height. */
function chainOf(after: readonly Signer[], certifiers: (height: number) => readonly Signer[], salt = 0): Chain {
  const headers: Header[] = [];
  const encoded: Uint8Array[] = [];
  const frames: Uint8Array[] = [];
  let previousHash = GENESIS;
  for (let height = 1; height <= LENGTH; height += 1) {
    const header: Header = {
      version: HEADER_VERSION,
      genesisHash: GENESIS,
      height,
      previousHash,
      timestampMs: 1_000 * height + salt,
      proposer: 0,
      txRoot: GENESIS,
      indexRoot: GENESIS,
      stateRoot: sha256(Uint8Array.of(height)),
      validatorsHash: setOf(height <= CHANGE_AT ? oldKeys : after).hash,
      nextValidatorsHash: setOf(height < CHANGE_AT ? oldKeys : after).hash,
      txCount: 2,
      bodyBytes: 0,
      executionCost: 0,
    };
    const bytes = encodeHeader(header);
    previousHash = blockHash(bytes);
    headers.push(header);
    encoded.push(bytes);
    frames.push(encodeHeaderFrame(bytes, certificateOf(height, previousHash, certifiers(height))));
  }
  return { headers, encoded, frames };
}

function certificateOf(height: number, hash: Uint8Array, signers: readonly Signer[]): Uint8Array {
  const vote = { height, view: 0, blockHash: hash };
  const { validators } = setOf(signers);
  const signatures = validators.slice(0, 3).map(({ publicKey }, signer) => {
    const found = signers.find((candidate) => toHex(candidate.publicKey) === toHex(publicKey))!;
    return { signer, signature: found.sign(votePreimage('COMMIT', GENESIS, vote)) };
  });
  return encode(certificateSchema, { ...vote, signatures });
}

const honest = (after: readonly Signer[]) => chainOf(after, (height) => (height <= CHANGE_AT ? oldKeys : after));
const unchanged = honest(oldKeys);
const changed = honest(newKeys);

interface Outcome {
  readonly proof: HeaderProof;
  readonly kept: readonly number[];
  readonly faults: readonly string[];
}

/** The proof of block `height` of `chain`, offered by a peer that serves `served`, or the same chain. */
async function prove(
  chain: Chain,
  height: number,
  { pin, tip, served = chain }: { pin?: ProofBasis['pin']; tip?: ProofBasis['tip']; served?: Chain } = {},
): Promise<Outcome> {
  const current = setOf(oldKeys);
  const basis: ProofBasis = {
    genesisHash: GENESIS,
    tip: tip ?? { height: 0, hash: GENESIS },
    current,
    scheduled: current,
    pin,
  };
  const faults: string[] = [];
  const requests: HistoryRequests = {
    connectedPeers: () => [Uint8Array.of(1)],
    requestHistory: async (_peer, request) => answer(served, request),
  };
  const source = new HistorySource(requests, (_, reason) => faults.push(reason), new AbortController().signal);
  const kept: LinkedHeader[] = [];
  const keep = {
    headers: async (headers: readonly LinkedHeader[]) => void kept.push(...headers),
    validators: async () => undefined,
  };
  const offer = readHeaderFrame(chain.frames[height - 1]!)!;
  const proof = await proveHeader(offer, basis, source, keep).catch((error: unknown): HeaderProof => {
    if (!(error instanceof NotAvailableError)) throw error;
    return { kind: 'refused', reason: 'unavailable' };
  });
  return { proof, kept: kept.map((header) => header.height), faults };
}

function answer({ headers, encoded, frames }: Chain, request: HistoryRequest): readonly Uint8Array[] {
  if (request.kind === 'validators') {
    const set = [oldKeys, newKeys].map(setOf).find(({ hash }) => toHex(hash) === toHex(request.hash));
    return set === undefined ? [] : [encode(validatorListSchema, set.validators)];
  }
  if (request.kind !== 'headers') return [];
  const { fromHeight, maxHeaders } = request;
  // Short answers, so that a proof takes several.
  return headers.slice(fromHeight - 1, fromHeight - 1 + Math.min(7, maxHeaders)).map(({ height }) => {
    const isChange = toHex(headers[height - 1]!.validatorsHash) !== toHex(headers[height - 1]!.nextValidatorsHash);
    return isChange ? frames[height - 1]! : encodeHeaderFrame(encoded[height - 1]!);
  });
}

const pinAt = ({ encoded }: Chain, height: number) => ({ height, hash: blockHash(encoded[height - 1]!) });
const range = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, place) => from + place);

test('from the genesis a chain without a change of validators proves its block, and every header is kept', async () => {
  const { proof, kept, faults } = await prove(unchanged, 24);
  assert.equal(proof, { kind: 'proven', transactions: 48 });
  assert.equal(kept, range(1, 24));
  assert.equal(faults, []);
});

test('a node with blocks of its own proves from its tip', async () => {
  const { proof, kept } = await prove(unchanged, 24, { tip: pinAt(unchanged, 20) });
  assert.equal(proof, { kind: 'proven', transactions: 8 });
  assert.equal(kept, range(21, 24));
});

test('a certified change of validators asks for an anchor; before the change none is needed', async () => {
  assert.equal((await prove(changed, 24)).proof, { kind: 'anchorNeeded', height: CHANGE_AT });
  assert.is((await prove(changed, CHANGE_AT - 1)).proof.kind, 'proven');
});

test('with a block pinned below, at or above it, the block is proven across the change', async () => {
  for (const at of [1, CHANGE_AT, CHANGE_AT + 1, 23, 24, 25, 30]) {
    const { proof, faults } = await prove(changed, 24, { pin: pinAt(changed, at) });
    assert.equal({ proof, faults }, { proof: { kind: 'proven', transactions: undefined }, faults: [] }, `pin at ${at}`);
  }
});

test('keys that left can not certify another history past a pinned block', async () => {
  const forged = chainOf(oldKeys, () => oldKeys, 1);
  for (const at of [5, 12, 24, 28]) {
    const { proof } = await prove(forged, 24, { pin: pinAt(changed, at) });
    assert.is(proof.kind, 'refused', `pin at ${at}`);
  }
  // Without a pin nothing tells it from the true one: that is why an operator has to pin.
  assert.is((await prove(forged, 24)).proof.kind, 'proven');
});

test('a change of validators that the old ones did not certify counts for nothing', async () => {
  const usurped = chainOf(newKeys, () => newKeys);
  const { proof } = await prove(usurped, 24);
  assert.is(proof.kind, 'refused');
  const pinned = await prove(usurped, 24, { pin: pinAt(usurped, 4) });
  assert.is(pinned.proof.kind, 'refused');
});

test('a wrong certificate, and headers that do not lead to the offer, are refused', async () => {
  const selfMade = chainOf(oldKeys, (height) => (height === 24 ? newKeys : oldKeys));
  assert.equal((await prove(selfMade, 24)).proof, { kind: 'refused', reason: 'certificate/signature' });
  const other = chainOf(oldKeys, () => oldKeys, 5);
  assert.equal((await prove(unchanged, 24, { served: other })).proof, { kind: 'refused', reason: 'previousHash' });
});

test('headers that do not link up are the fault of who served them', async () => {
  const frames = unchanged.frames.with(11, unchanged.frames[12]!);
  const encoded = unchanged.encoded.with(11, unchanged.encoded[12]!);
  const { proof, faults } = await prove(unchanged, 24, { served: { ...unchanged, frames, encoded } });
  assert.equal(proof, { kind: 'refused', reason: 'unavailable' });
  assert.equal(faults, ['headers/malformed']);
});

test.run();
