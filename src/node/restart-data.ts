import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { encodeJournalRecord } from '../consensus/journal-record.ts';
import { journalVerdict } from '../consensus/recovery.ts';
import { decodeHeader, type Header } from '../ledger/block.ts';
import { validatorSets } from '../ledger/block-execution.ts';
import { type LedgerStart, ledgerLine } from '../ledger/ledger-start.ts';
import { type EndedLedger, restartFault } from '../ledger/restart-check.ts';
import { restartState } from '../ledger/restart-state.ts';
import { StateOverlay } from '../ledger/state-overlay.ts';
import { makeValidatorSet, validatorListSchema } from '../ledger/validator-set.ts';
import type { Store } from '../storage/block-store.ts';
import { checkDataFolder, type DataFolder } from '../storage/data-folder.ts';
import { replaceFile, syncFolder } from '../storage/durable-file.ts';
import { lockFolder } from '../storage/folder-lock.ts';
import { openJournal } from '../storage/journal.ts';
import { openLedger } from '../storage/open-ledger.ts';
import { adoptJournal, isRestarted, prepareJournal, restartStore } from '../storage/restart-store.ts';
import { writeStartState } from '../storage/start-state-file.ts';
import { StorageError } from '../storage/storage-error.ts';
import { readGenesisFile, readStart } from './identity.ts';
import { encodeRecord } from './journal-entry.ts';
import { readJournalContent } from './journal-keeper.ts';
import { openChain } from './open-chain.ts';
import { OperatorError } from './operator-error.ts';
import { refuseHalfDone } from './pending-restart.ts';
import { SignatureCache } from './signature-cache.ts';
import { SIGNATURE_CHECKS } from './signature-checks.ts';
import { present } from './stored-item.ts';

/** What applying a restart does one after the other; each is on disk before the next begins. */
export type RestartStep =
  | 'journalPrepared'
  | 'accepted'
  | 'storeRestarted'
  | 'stateKept'
  | 'journalReplaced'
  | 'genesisReplaced';

/** What came of applying a restart. */
export interface AppliedRestart {
  /** The folder was of the new ledger already. */
  readonly wasApplied: boolean;
  /** False where no sound journal of the old ledger was there: the node signs nothing before the others moved on. */
  readonly maySign: boolean;
}

/**
 * Lets `work` look at the ledger of a stopped node as it stands. Rejects with a StorageError or an OperatorError when
 * the folder can not be used.
 */
export async function withEndedLedger<T>(
  root: string,
  work: (ended: EndedLedger, genesisFile: Uint8Array) => T | Promise<T>,
): Promise<T> {
  const folder = await checkDataFolder(root);
  const lock = lockFolder(folder.root);
  try {
    refuseHalfDone(folder);
    const genesisFile = readGenesisFile(folder.genesis);
    return await withStore(folder, readStart(genesisFile, folder.genesis), (ended) => work(ended, genesisFile));
  } finally {
    lock.release();
  }
}

/**
 * Lets the ledger in a stopped node's folder go on as the restart `file` says (consensus.md §10). Refuses one that does
 * not fit where the node stands, or that too few signed. Cut off at any instruction, the folder is of the old ledger,
 * or half done: then nothing uses it before the same call has finished. `onStep` hears of each step done.
 */
export async function applyRestart(
  root: string,
  file: Uint8Array,
  onStep: (step: RestartStep) => void = () => undefined,
): Promise<AppliedRestart> {
  const folder = await checkDataFolder(root);
  const restarted = readStart(file, 'The restart file');
  const lock = lockFolder(folder.root);
  try {
    if (existsSync(folder.restart)) {
      const begun = readStart(readGenesisFile(folder.restart), folder.restart);
      if (!equalBytes(begun.genesisHash, restarted.genesisHash))
        throw new OperatorError(`Another restart was begun in ${folder.root}: apply ${folder.restart} first.`);
    } else {
      const current = readStart(readGenesisFile(folder.genesis), folder.genesis);
      if (equalBytes(current.genesisHash, restarted.genesisHash)) return { wasApplied: true, maySign: true };
      const { tip } = await withStore(folder, current, (ended) => judged(restarted, ended));
      await prepareJournal(folder.journal, await firstRecord(folder.journal, tip.height, current.parent.height));
      onStep('journalPrepared');
      await replaceFile(folder.restart, `${folder.restart}.new`, file);
      onStep('accepted');
    }
    await finish(folder, onStep);
    const { height } = restarted.parent;
    return { wasApplied: false, maySign: await isJournalSound(folder.journal, height, height) };
  } finally {
    lock.release();
  }
}

/** From here on everything may be done twice. */
async function finish(folder: DataFolder, onStep: (step: RestartStep) => void): Promise<void> {
  const file = readGenesisFile(folder.restart);
  const restarted = readStart(file, folder.restart);
  const before = restarted.before!;
  if (!(await isRestarted(folder.ledger, before.genesisHash, restarted.genesisHash)))
    await restartStoreOf(folder, before, restarted);
  onStep('storeRestarted');
  await keepStartState(folder, restarted);
  onStep('stateKept');
  await adoptJournal(folder.journal);
  onStep('journalReplaced');
  await replaceFile(folder.genesis, `${folder.genesis}.new`, file);
  onStep('genesisReplaced');
  await rm(folder.restart);
  await syncFolder(folder.root);
}

async function restartStoreOf(folder: DataFolder, before: LedgerStart, restarted: LedgerStart): Promise<void> {
  const document = restarted.restart!;
  const { changes, sets } = await withStore(folder, before, ({ state }) => {
    const { current, scheduled } = validatorSets(new StateOverlay(state.reader));
    const { changes: stateChanges } = restartState(state, document);
    return { changes: stateChanges, sets: [current, scheduled, makeValidatorSet(restarted.validators)] };
  });
  await restartStore(folder.ledger, {
    oldGenesisHash: before.genesisHash,
    newGenesisHash: restarted.genesisHash,
    height: restarted.parent.height,
    stateChanges: changes.map(({ key, value }) => ({ key, value: value ?? null })),
    validatorLists: sets.map(({ hash, validators }) => ({ hash, encoded: encode(validatorListSchema, validators) })),
  });
}

/** So that a member that has lost its disk, or comes later, can have the state from this one. */
async function keepStartState(folder: DataFolder, restarted: LedgerStart): Promise<void> {
  const store = await openLedger(folder.ledger, restarted);
  try {
    const { state, tip } = await openChain(store, restarted, new SignatureCache());
    const header = present(await store.header(tip.height), 'header');
    const certificate = present(await store.certificate(tip.height), 'certificate');
    const validators = await validatorsOf(store, restarted, decodeHeader(header));
    const whole = { map: state.map, entries: () => store.allState() };
    await writeStartState(folder.startState, { header, certificate, validators }, whole);
  } finally {
    await store.close();
  }
}

/** The list that a header names: that of a start, or one that a block put in force. */
async function validatorsOf(store: Store, start: LedgerStart, { validatorsHash }: Header): Promise<Uint8Array> {
  const sets = ledgerLine(start).map(({ validators }) => makeValidatorSet(validators));
  const known = sets.find(({ hash }) => equalBytes(hash, validatorsHash));
  if (known !== undefined) return encode(validatorListSchema, known.validators);
  return present(await store.validatorList(validatorsHash), 'validators');
}

/** The ledger as it stands, when the restart fits it. Throws an OperatorError that says what to do otherwise. */
function judged(restarted: LedgerStart, ended: EndedLedger): EndedLedger {
  const { restart, before } = restarted;
  const isThis = before !== undefined && equalBytes(before.genesisHash, ended.start.genesisHash);
  if (isThis && restart !== undefined) {
    const { height, blockHash } = restart.origin;
    if (ended.tip.height < height)
      throw new OperatorError(
        `This node stands at height ${ended.tip.height}, the restart goes on from ${height}: start the node as it is, ` +
          'let it catch up with a node that has not applied the restart, stop it, and apply again.',
      );
    if (ended.tip.height > height)
      throw new OperatorError(
        `This node holds certified blocks up to ${ended.tip.height}, the restart would forget those above ${height}: ` +
          'propose the restart again from the highest tip among the members.',
      );
    if (!equalBytes(ended.tip.hash, blockHash))
      throw new OperatorError(
        `Block ${height} of this node is ${toHex(ended.tip.hash)}, the restart names ${toHex(blockHash)}: two blocks of ` +
          'one height are certified, or the file is wrong. Compare with the other members before anything else.',
      );
  }
  const fault = restartFault(restarted, ended, SIGNATURE_CHECKS);
  if (fault !== undefined) throw new OperatorError(`The restart can not be applied: ${fault}.`);
  return ended;
}

/**
 * A sound journal of the old ledger shows that this folder is the live one of its key, which so has signed nothing
 * under the new genesis hash. Without one the folder may be a copy, and the key have signed there already.
 */
async function firstRecord(file: string, tipHeight: number, startHeight: number): Promise<Uint8Array> {
  const isSound = await isJournalSound(file, tipHeight, startHeight);
  return encodeRecord(encodeJournalRecord({ kind: isSound ? 'Birth' : 'Amnesia' }));
}

async function isJournalSound(file: string, tipHeight: number, startHeight: number): Promise<boolean> {
  try {
    const journal = await openJournal(file);
    try {
      return journalVerdict(readJournalContent(journal.records).records, tipHeight, startHeight) !== 'amnesia';
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof DecodeError) return false;
    if (error instanceof StorageError && (error.code === 'JournalMissing' || error.code === 'JournalDamaged'))
      return false;
    throw error;
  }
}

async function withStore<T>(
  folder: DataFolder,
  start: LedgerStart,
  work: (ended: EndedLedger) => T | Promise<T>,
): Promise<T> {
  const store = await openLedger(folder.ledger, start);
  try {
    const chain = await openChain(store, start, new SignatureCache());
    return await work({ start, tip: chain.tip, state: chain.state });
  } finally {
    await store.close();
  }
}
