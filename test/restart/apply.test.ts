// Applying a signed restart to a stopped node's folder: refused, cut off after each step, done twice, and for one who
// has lost the state.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, toHex } from '../../src/codec/bytes.ts';
import { encodeJournalRecord, type JournalRecord } from '../../src/consensus/journal-record.ts';
import { validatorSets } from '../../src/ledger/block-execution.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { encodeGenesis } from '../../src/ledger/genesis.ts';
import { type LedgerStart, readLedgerStart } from '../../src/ledger/ledger-start.ts';
import { encodeRestart, type RestartDocument, restartPreimage } from '../../src/ledger/restart.ts';
import { proposeRestart } from '../../src/ledger/restart-proposal.ts';
import { StateOverlay } from '../../src/ledger/state-overlay.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import { validatorIndex } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import type { Chain } from '../../src/node/chain.ts';
import { encodeRecord } from '../../src/node/journal-entry.ts';
import { readJournalContent } from '../../src/node/journal-keeper.ts';
import { openNodeData } from '../../src/node/node-data.ts';
import { openChain } from '../../src/node/open-chain.ts';
import { applyRestart, type RestartStep, withEndedLedger } from '../../src/node/restart-data.ts';
import { SignatureCache } from '../../src/node/signature-cache.ts';
import { SIGNATURE_CHECKS } from '../../src/node/signature-checks.ts';
import { verifyData } from '../../src/node/verify-data.ts';
import { createDataFolder, dataFolder } from '../../src/storage/data-folder.ts';
import { createJournal, openJournal } from '../../src/storage/journal.ts';
import { openLedger } from '../../src/storage/open-ledger.ts';
import {
  createAction,
  doctor,
  east,
  genesisDocument,
  hospitals,
  north,
  type Person,
  regulator,
  SampleLedger,
  validatorSigners,
} from '../ledger/sample-ledger.ts';

const temporary = mkdtempSync(path.join(os.tmpdir(), 'medledger-restart-'));
const genesisFile = encodeGenesis(genesisDocument());
const founding = readLedgerStart(genesisFile);
const log = pino({ level: 'silent' });
const GIB = 2 ** 30;
const STEPS: readonly RestartStep[] = [
  'journalPrepared',
  'accepted',
  'storeRestarted',
  'stateKept',
  'journalReplaced',
  'genesisReplaced',
];

/** A folder of the name with these files of a stopped node's folder. */
async function folderWith(name: string, genesis: Uint8Array, journal: JournalRecord | undefined): Promise<string> {
  const folder = await createDataFolder(path.join(temporary, name));
  writeFileSync(folder.genesis, genesis);
  if (journal === undefined) return folder.root;
  await (await createJournal(folder.journal, encodeRecord(encodeJournalRecord(journal)))).close();
  return folder.root;
}

async function withChain<T>(root: string, start: LedgerStart, act: (chain: Chain) => Promise<T>): Promise<T> {
  const store = await openLedger(dataFolder(root).ledger, start);
  try {
    return await act(await openChain(store, start, new SignatureCache()));
  } finally {
    await store.close();
  }
}

/** The next block, certified by those of the validators in force whose numbers are given. */
async function advance(chain: Chain, by: readonly number[], candidates: readonly DecodedTransaction[] = []) {
  const [proposer] = chain.heightContext().eligible;
  const { block, refused } = chain.build(candidates, proposer!, chain.tip.timestampMs + 1_000);
  assert.equal(refused, []);
  const vote = { height: block.header.height, view: 0, blockHash: block.hash };
  const preimage = votePreimage('COMMIT', chain.genesisHash, vote);
  const { current } = validatorSets(new StateOverlay(chain.state.reader));
  const signatures = by
    .map((number) => validatorSigners[number]!)
    .map((key) => ({ signer: validatorIndex(current, key.publicKey)!, signature: key.sign(preimage) }));
  const certificate: Certificate = { ...vote, signatures: signatures.sort((a, b) => a.signer - b.signer) };
  await chain.commit([{ block, certificate, attachments: [] }]);
}

/** A stopped node's folder with three blocks, and a journal that was cut at the last. */
async function stoppedNode(): Promise<string> {
  const root = await folderWith('stopped', genesisFile, undefined);
  const { height, hash } = await withChain(root, founding, async (chain) => {
    const record = new SampleLedger().transaction(createAction(), [doctor, north]);
    await advance(chain, [0, 1, 2], [record]);
    await advance(chain, [0, 1, 2, 3]);
    await advance(chain, [1, 2, 3]);
    return chain.tip;
  });
  const cut = { kind: 'Truncated', height, blockHash: hash } as const;
  await (await createJournal(dataFolder(root).journal, encodeRecord(encodeJournalRecord(cut)))).close();
  return root;
}

const stopped = await stoppedNode();
let copies = 0;
function copyOf(root: string): string {
  copies += 1;
  const copy = path.join(temporary, `copy ${copies}`);
  cpSync(root, copy, { recursive: true });
  for (const folder of [copy, dataFolder(copy).keys]) chmodSync(folder, 0o700);
  return copy;
}

function signed(document: RestartDocument, people: readonly Person[]): Uint8Array {
  const preimage = restartPreimage(readLedgerStart(document.origin.genesis).genesisHash, document);
  const signatures = people.map(({ address, signers: [signer] }) => ({
    account: address,
    keyIndex: 0,
    bytes: signer!.sign(preimage),
  }));
  return encodeRestart({ ...document, signatures: signatures.sort((a, b) => compareBytes(a.account, b.account)) });
}

/** What the members sign, from where a node stands: two of the four validators go on. */
function proposal(root: string): Promise<RestartDocument> {
  return withEndedLedger(root, (ended, genesis) => {
    const validators = [0, 1].map((number) => ({
      publicKey: validatorSigners[number]!.publicKey,
      organisation: hospitals[number]!.address,
      addresses: [],
    }));
    const suspended = hospitals.slice(2).map(({ address }) => address);
    const made = proposeRestart(ended, genesis, { validators, suspended, createdMs: 0 }, SIGNATURE_CHECKS);
    if (made.kind === 'fault') throw new Error(made.fault);
    return made.document;
  });
}

const document = await proposal(stopped);
const enough = [north, east, hospitals[2]!, regulator];
const file = signed(document, enough);
const restarted = readLedgerStart(file);

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

async function soundHeight(root: string): Promise<number> {
  const result = await verifyData(root, () => undefined);
  if (result.kind === 'damaged') throw new Error(`block ${result.height}: ${result.detail}`);
  return result.height;
}

async function journalKinds(root: string): Promise<readonly string[]> {
  const journal = await openJournal(dataFolder(root).journal);
  const { records } = readJournalContent(journal.records);
  await journal.close();
  return records.map(({ kind }) => kind);
}

/** That the folder is whole and of the new ledger, with nothing left over, and that it grows. */
async function goesOn(root: string): Promise<void> {
  assert.equal(new Uint8Array(readFileSync(dataFolder(root).genesis)), file);
  assert.equal(await journalKinds(root), ['Birth']);
  for (const left of ['restart.cbor', 'journal.restart', 'start-state.new', 'start-state.sort'])
    assert.not.ok(existsSync(path.join(root, left)), left);
  assert.is(statSync(dataFolder(root).startState).mode & 0o777, 0o600);
  assert.is(await soundHeight(root), 3);
  await withChain(root, restarted, async (chain) => {
    assert.equal(chain.tip, { height: 3, hash: restarted.genesisHash, timestampMs: document.createdMs });
    await advance(chain, [0, 1]);
  });
  assert.is(await soundHeight(root), 4);
}

test('a restart is applied once, and applying it again says so', async () => {
  const root = copyOf(stopped);
  assert.equal(await applyRestart(root, file), { wasApplied: false, maySign: true });
  assert.equal(await applyRestart(root, file), { wasApplied: true, maySign: true });
  await goesOn(root);
});

for (const step of STEPS)
  test(`cut off after ${step}: nothing else uses the folder, and applying again finishes`, async () => {
    const root = copyOf(stopped);
    const cut = applyRestart(root, file, (done) => {
      if (done === step) throw new Error('cut off');
    });
    assert.is(await refusal(cut), 'cut off');
    const use = await refusal(openNodeData(dataFolder(root), founding, GIB, log).then((data) => data.close()));
    const look = await refusal(verifyData(root, () => undefined));
    // Before the document is accepted the folder is still of the old ledger.
    const expected = step === 'journalPrepared' ? /^none$/ : /A restart was begun .* and not finished: run "medledger/;
    for (const message of [use, look]) assert.match(message, expected);
    assert.equal(await applyRestart(root, file), { wasApplied: false, maySign: true });
    await goesOn(root);
  });

test('a restart that was begun is finished before another', async () => {
  const root = copyOf(stopped);
  const cut = applyRestart(root, file, (done) => {
    if (done === 'accepted') throw new Error('cut off');
  });
  assert.is(await refusal(cut), 'cut off');
  const other = signed({ ...document, createdMs: document.createdMs + 1 }, enough);
  assert.match(await refusal(applyRestart(root, other)), /Another restart was begun in .*apply .*restart\.cbor first/);
  await applyRestart(root, readFileSync(dataFolder(root).restart));
  await goesOn(root);
});

test('what does not fit where the node stands is refused, and nothing is changed', async () => {
  const lower = copyOf(stopped);
  const higher = copyOf(stopped);
  await withChain(higher, founding, (chain) => advance(chain, [0, 1, 2]));
  assert.match(await refusal(applyRestart(higher, file)), /holds certified blocks up to 4.*propose the restart again/);
  const from4 = signed(await proposal(higher), enough);
  assert.match(await refusal(applyRestart(lower, from4)), /stands at height 3.*goes on from 4.*let it catch up/);
  const block = new Uint8Array(32).fill(7);
  const elsewhere = signed({ ...document, origin: { ...document.origin, blockHash: block } }, enough);
  assert.match(await refusal(applyRestart(lower, elsewhere)), new RegExp(`the restart names ${toHex(block)}`));
  const few = signed(document, enough.slice(1));
  assert.match(await refusal(applyRestart(lower, few)), /can not be applied: missing/);
  assert.match(await refusal(applyRestart(lower, file.slice(1))), /no genesis document/);
  assert.is(await soundHeight(lower), 3);
  assert.equal(await journalKinds(lower), ['Truncated']);
});

test('without a sound journal of the old ledger the node stays silent', async () => {
  const without = copyOf(stopped);
  rmSync(dataFolder(without).journal);
  const behind = copyOf(stopped);
  rmSync(dataFolder(behind).journal);
  const old = { kind: 'Truncated', height: 1, blockHash: new Uint8Array(32) } as const;
  await (await createJournal(dataFolder(behind).journal, encodeRecord(encodeJournalRecord(old)))).close();
  for (const root of [without, behind]) {
    assert.equal(await applyRestart(root, file), { wasApplied: false, maySign: false });
    assert.equal(await journalKinds(root), ['Amnesia']);
    assert.is(await soundHeight(root), 3);
  }
});

test('a ledger that was restarted is restarted again', async () => {
  const root = copyOf(stopped);
  await applyRestart(root, file);
  await withChain(root, restarted, (chain) => advance(chain, [0, 1]));
  const again = signed(await proposalOfOne(root), [north, east, regulator]);
  assert.equal(await applyRestart(root, again), { wasApplied: false, maySign: false });
  assert.is(await soundHeight(root), 4);
  await withChain(root, readLedgerStart(again), (chain) => advance(chain, [0]));
  assert.is(await soundHeight(root), 5);
});

/** One of the two is lost too. */
function proposalOfOne(root: string): Promise<RestartDocument> {
  return withEndedLedger(root, (ended, genesis) => {
    const validators = [{ publicKey: validatorSigners[0]!.publicKey, organisation: north.address, addresses: [] }];
    const terms = { validators, suspended: [], createdMs: 0 };
    const made = proposeRestart(ended, genesis, terms, SIGNATURE_CHECKS);
    if (made.kind === 'fault') throw new Error(made.fault);
    return made.document;
  });
}

test('who has lost the state, or comes later, takes it from a file of another member', async () => {
  const member = copyOf(stopped);
  await applyRestart(member, file);
  await withChain(member, restarted, (chain) => advance(chain, [0, 1]));
  const root = await folderWith('newcomer', file, { kind: 'Birth' });
  const open = async () => {
    const data = await openNodeData(dataFolder(root), restarted, GIB, log);
    const { historyFrom } = data.store;
    const tip = data.store.tip();
    await data.close();
    return { historyFrom, tip };
  };
  assert.match(await refusal(open()), /there is no .*start-state\. Copy the file "start-state" from/);
  const whole = readFileSync(dataFolder(member).startState);
  const place = dataFolder(root).startState;
  const wrong: readonly (readonly [RegExp, Buffer])[] = [
    [/ends too early/, whole.subarray(0, 0)],
    [/ends too early/, whole.subarray(0, 100)],
    [/ends too early/, whole.subarray(0, -1)],
    [/has 4294967295 bytes/, Buffer.from('ffffffff', 'hex')],
    [/not of the state \(root\)/, Buffer.concat([whole.subarray(0, -1), Buffer.from([whole.at(-1)! ^ 1])])],
  ];
  for (const [message, bytes] of wrong) {
    writeFileSync(place, bytes);
    assert.match(await refusal(open()), message);
  }
  // Every byte of it counts, wherever one is changed.
  for (let at = 0; at < whole.length; at += 1 + Math.floor(whole.length / 150)) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1 << (at % 8);
    writeFileSync(place, changed);
    assert.match(await refusal(open()), /can not be read from .* Copy the file "start-state"/, `byte ${at}`);
  }
  writeFileSync(place, whole);
  const expected = { historyFrom: 4, tip: { height: 3, hash: restarted.genesisHash } };
  assert.equal(await open(), expected);
  // From now on the file is not needed.
  truncateSync(place);
  assert.equal(await open(), expected);
  assert.is(await soundHeight(root), 3);
  await withChain(root, restarted, async (chain) => {
    await advance(chain, [0, 1]);
    const same = await withChain(member, restarted, async (other) => other.stateRoot);
    assert.equal(chain.stateRoot, same);
  });
  assert.is(await soundHeight(root), 4);
});

test.after(() => rmSync(temporary, { recursive: true, force: true }));
test.run();
