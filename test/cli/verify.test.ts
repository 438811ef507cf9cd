import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Level } from 'level';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, utf8 } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { nobleSigner } from '../../src/crypto/signer.ts';
import { indexRootOf } from '../../src/index/inner/build.ts';
import { attachmentReference, encodeAttachment } from '../../src/ledger/attachment.ts';
import { decodeHeader, encodeHeader } from '../../src/ledger/block.ts';
import { buildBlock } from '../../src/ledger/block-execution.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, certificateSchema } from '../../src/ledger/certificate.ts';
import { encodeGenesis, genesisState } from '../../src/ledger/genesis.ts';
import { eligiblePrimaries } from '../../src/ledger/proposer-skip.ts';
import { FAMILIES, SINGLE_KEY, stateKey } from '../../src/ledger/state.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { blockCommit } from '../../src/node/decided-block.ts';
import { verifyData } from '../../src/node/verify-data.ts';
import type { VerifyResult } from '../../src/node/verify-result.ts';
import { encodeBodies } from '../../src/storage/block-bodies.ts';
import { openStore, type Store } from '../../src/storage/block-store.ts';
import { createDataFolder, dataFolder } from '../../src/storage/data-folder.ts';
import { lockFolder } from '../../src/storage/folder-lock.ts';
import { heightKey, PREFIX, prefixed, sealValue } from '../../src/storage/schema.ts';
import { createAction, doctor, genesisDocument, north, SampleLedger } from '../ledger/sample-ledger.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-verify-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const document = genesisDocument();
const validators = makeValidatorSet(document.validators);
const signers = [0, 1, 2, 3].map((i) => nobleSigner(sha256(utf8(`validator ${i}`))));
const attachment = encodeAttachment({ blind: new Uint8Array(32).fill(3), fields: utf8('sealed'), wraps: [] });

function certificate(ledger: SampleLedger, height: number, blockHash: Uint8Array, signatures = 3): Certificate {
  const preimage = votePreimage('COMMIT', ledger.genesisHash, { height, view: 0, blockHash });
  const entries = validators.validators.slice(0, signatures).map(({ publicKey }, signer) => ({
    signer,
    signature: signers.find((candidate) => equalBytes(candidate.publicKey, publicKey))!.sign(preimage),
  }));
  return { height, view: 0, blockHash, signatures: entries };
}

/** Executes a block and stores it as a node does. */
async function commit(ledger: SampleLedger, store: Store, transactions: readonly DecodedTransaction[]): Promise<void> {
  const height = ledger.parent.height + 1;
  const proposer = eligiblePrimaries(ledger.view, height)[0]!;
  const proposal = { parent: ledger.parent, timestampMs: ledger.parent.timestampMs + 1_000, proposer };
  const parts = { ...ledger.parts, indexOf: indexRootOf };
  const { block, refused } = buildBlock(ledger.ledgerState, proposal, transactions, parts);
  assert.equal(refused, []);
  const decided = { block, certificate: certificate(ledger, height, block.hash), attachments: [attachment] };
  await store.commitBlocks([blockCommit(decided)]);
  ledger.commit(block);
}

const ledger = new SampleLedger(document);
const sound = path.join(root, 'sound');
{
  const folder = await createDataFolder(sound);
  await writeFile(folder.genesis, encodeGenesis(document));
  const store = await openStore(folder.ledger, { genesisHash: ledger.genesisHash });
  await store.commitGenesis(genesisState(document).changes.map(({ key, value }) => ({ key, value: value! })));
  const create = (salt: string) =>
    ledger.transaction(createAction(), [doctor, north], { salt, attachment: attachmentReference(attachment) });
  await commit(ledger, store, [create('a'), create('b')]);
  await commit(ledger, store, []);
  await commit(ledger, store, [create('c')]);
  await store.close();
}

let copies = 0;
/** A copy of the sound folder, closed to others as that one is. */
function copySound(): string {
  copies += 1;
  const copy = path.join(root, `copy-${copies}`);
  cpSync(sound, copy, { recursive: true });
  for (const folder of [copy, dataFolder(copy).keys]) chmodSync(folder, 0o700);
  return copy;
}

/** The result for a copy of the sound folder after a change to its store. */
async function verifyAfter(change: (level: Level<Uint8Array, Uint8Array>) => Promise<void>): Promise<VerifyResult> {
  const copy = copySound();
  const level = new Level<Uint8Array, Uint8Array>(dataFolder(copy).ledger, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await change(level);
  await level.close();
  return verifyData(copy, () => undefined);
}

/** Puts a value with the right checksum, as someone would who wants to deceive. */
function put(level: Level<Uint8Array, Uint8Array>, key: Uint8Array, payload: Uint8Array): Promise<void> {
  return level.put(key, sealValue(key, payload));
}

async function payloadOf(level: Level<Uint8Array, Uint8Array>, key: Uint8Array): Promise<Uint8Array> {
  return Uint8Array.from((await level.get(key))!.subarray(4));
}

function assertDamaged(result: VerifyResult, height: number | null, detail: RegExp): void {
  assert.is(result.kind, 'damaged');
  if (result.kind !== 'damaged') return;
  assert.is(result.height, height);
  assert.match(result.detail, detail);
}

test('a sound ledger is counted, and its last roots are told', async () => {
  const heights: number[] = [];
  const result = await verifyData(sound, (height) => heights.push(height));
  assert.equal(heights, [1, 2, 3]);
  assert.is(result.kind, 'sound');
  if (result.kind !== 'sound') return;
  const { height, transactions, attachments, attachmentsMissing } = result;
  assert.equal(
    { height, transactions, attachments, attachmentsMissing },
    {
      height: 3,
      transactions: 3,
      attachments: 3,
      attachmentsMissing: 0,
    },
  );
  assert.equal(result.tipHash, ledger.parent.hash);
});

test('a header that says something else, checksum and all, is found at its block', async () => {
  const key = heightKey(PREFIX.header, 2);
  const result = await verifyAfter(async (level) => {
    const header = decodeHeader(await payloadOf(level, key));
    await put(level, key, encodeHeader({ ...header, timestampMs: header.timestampMs + 1 }));
  });
  assertDamaged(result, 2, /certificate is for block 2/);
});

test('a certificate of fewer than a quorum, or with a forged signature, is found', async () => {
  const key = heightKey(PREFIX.certificate, 1);
  const changed = (change: (sound: Certificate) => Certificate) =>
    verifyAfter(async (level) => {
      const held = decode(certificateSchema, await payloadOf(level, key), CERTIFICATE_BYTES_MAX);
      await put(level, key, encode(certificateSchema, change(held)));
    });
  const fewer = await changed((held) => ({ ...held, signatures: held.signatures.slice(1) }));
  assertDamaged(fewer, 1, /proves no commit \(quorum\)/);
  const forged = await changed((held) => ({
    ...held,
    signatures: held.signatures.map(({ signer }) => ({ signer, signature: new Uint8Array(64).fill(9) })),
  }));
  assertDamaged(forged, 1, /proves no commit \(signature\)/);
});

test('a transaction exchanged for another valid one is found', async () => {
  const key = heightKey(PREFIX.bodies, 3);
  const fresh = new SampleLedger(document);
  const other = fresh.transaction(createAction(), [doctor, north], { salt: 'other' });
  const result = await verifyAfter((level) => level.put(key, encodeBodies(key, [other.encoded])));
  assertDamaged(result, 3, /txRoot/);
});

test('index pages, places of ids and attachments beside the blocks are checked', async () => {
  const pages = heightKey(PREFIX.indexPages, 1);
  assertDamaged(await verifyAfter((level) => put(level, pages, new Uint8Array(8))), 1, /index pages/);
  const create = new SampleLedger(document).transaction(createAction(), [doctor, north], {
    salt: 'a',
    attachment: attachmentReference(attachment),
  });
  const place = prefixed(PREFIX.location, create.txId);
  assertDamaged(await verifyAfter((level) => level.del(place)), 1, /not found by its id/);
  const held = prefixed(PREFIX.attachment, attachmentReference(attachment).hash);
  assertDamaged(await verifyAfter((level) => level.put(held, attachment.slice(1))), 1, /does not have its hash/);
  const missing = await verifyAfter((level) => level.del(held));
  assert.is(missing.kind, 'sound');
  if (missing.kind === 'sound') assert.is(missing.attachmentsMissing, 3);
});

test('a state on disk that the blocks do not give is found', async () => {
  const members = stateKey(FAMILIES.members, SINGLE_KEY);
  const known = prefixed(PREFIX.state, members);
  assertDamaged(await verifyAfter((level) => put(level, known, Uint8Array.of(0x80))), null, /another value at/);
  assertDamaged(await verifyAfter((level) => level.del(known)), null, /the blocks give/);
  const unknown = prefixed(PREFIX.state, Uint8Array.of(1, 2, 3));
  assertDamaged(await verifyAfter((level) => put(level, unknown, Uint8Array.of(1))), null, /no block put there/);
});

test('bytes that rotted are named by their block', async () => {
  const key = heightKey(PREFIX.header, 3);
  const rotted = await verifyAfter(async (level) => {
    const value = Uint8Array.from((await level.get(key))!);
    value[20]! ^= 1;
    await level.put(key, value);
  });
  assertDamaged(rotted, 3, /header of block 3/);
  const second = heightKey(PREFIX.header, 2);
  assertDamaged(await verifyAfter((level) => level.del(second)), 2, /header of block 2/);
});

test('a genesis document that was changed is found', async () => {
  const copy = copySound();
  await writeFile(dataFolder(copy).genesis, encodeGenesis({ ...document, ledger: '' }));
  assertDamaged(await verifyData(copy, () => undefined), 0, /no ledger can start so/);
  await writeFile(dataFolder(copy).genesis, utf8('nothing'));
  assertDamaged(await verifyData(copy, () => undefined), 0, /not in the format/);
});

test('the folder of a running node is refused', async () => {
  const lock = lockFolder(sound);
  try {
    await verifyData(sound, () => undefined);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /is in use by process/);
  } finally {
    lock.release();
  }
});

test.run();
