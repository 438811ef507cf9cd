import { equalBytes, toHex } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { signingKeyFault } from '../crypto/node/key-admission.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { indexRootOf } from '../index/inner/build.ts';
import { blockHash, decodeHeader } from '../ledger/block.ts';
import { checkBlock } from '../ledger/block-check.ts';
import { type ExecutedBlock, type ExecutionParts, type ParentBlock, validatorSets } from '../ledger/block-execution.ts';
import { CERTIFICATE_BYTES_MAX, certificateFault, certificateSchema } from '../ledger/certificate.ts';
import { genesisState } from '../ledger/genesis.ts';
import { genesisFault } from '../ledger/genesis-check.ts';
import { type LedgerStart, ledgerLine, readLedgerStart } from '../ledger/ledger-start.ts';
import { MemoryState } from '../ledger/memory-state.ts';
import { restartFault } from '../ledger/restart-check.ts';
import { restartState } from '../ledger/restart-state.ts';
import { rootHash, type StateMap } from '../ledger/state-map.ts';
import { StateOverlay } from '../ledger/state-overlay.ts';
import { decodeTransaction } from '../ledger/transaction.ts';
import type { Store } from '../storage/block-store.ts';
import { checkDataFolder } from '../storage/data-folder.ts';
import { lockFolder } from '../storage/folder-lock.ts';
import { openLedger } from '../storage/open-ledger.ts';
import { readGenesisFile } from './identity.ts';
import { refuseHalfDone } from './pending-restart.ts';
import { SIGNATURE_CHECKS } from './signature-checks.ts';
import { blockNamedBy, damageText, present } from './stored-item.ts';
import { verifyRecent } from './verify-recent.ts';
import type { VerifyResult } from './verify-result.ts';

/**
 * Checks the ledger in a node's data folder against nothing but its genesis document: links, certificates, transactions
 * and roots of every block, by executing each again, and what is stored beside the blocks. The node must be stopped.
 * Where the node joined by a snapshot, the blocks before it are not there, nor is the state of that time: then links,
 * certificates and bodies are checked from there on, and the state against the root of the last block.
 * `onBlock` hears of every height done. Rejects with a StorageError when the folder can not be used at all.
 */
export async function verifyData(
  folder: string,
  onBlock: (height: number, tipHeight: number) => void,
): Promise<VerifyResult> {
  const data = await checkDataFolder(folder);
  const lock = lockFolder(data.root);
  try {
    refuseHalfDone(data);
    const genesis = readGenesisFile(data.genesis);
    let store: Store | undefined;
    try {
      const start = readLedgerStart(genesis);
      const fault = genesisFault(start.founding, signingKeyFault);
      if (fault !== undefined) return { kind: 'damaged', height: 0, detail: `no ledger can start so: ${fault}` };
      store = await openLedger(data.ledger, start);
      return await verifyStore(store, start, onBlock);
    } catch (error) {
      const detail = damageText(error);
      if (detail === undefined) throw error;
      const isGenesis = store === undefined && error instanceof DecodeError;
      return { kind: 'damaged', height: isGenesis ? 0 : blockNamedBy(error), detail };
    } finally {
      await store?.close();
    }
  } finally {
    lock.release();
  }
}

/** Checks an open store; as `verifyData`. */
async function verifyStore(
  store: Store,
  start: LedgerStart,
  onBlock: (height: number, tipHeight: number) => void,
): Promise<VerifyResult> {
  if (store.historyFrom > 1) return verifyRecent(store, start, onBlock);
  const replay = new Replay(store, start);
  const tip = store.tip() ?? { height: 0, hash: replay.parent.hash };
  for (let height = 1; height <= tip.height; height += 1) {
    try {
      const fault = await replay.next();
      if (fault !== undefined) return { kind: 'damaged', height, detail: fault };
    } catch (error) {
      const detail = damageText(error);
      if (detail === undefined) throw error;
      return { kind: 'damaged', height, detail };
    }
    onBlock(height, tip.height);
  }
  const restartProblem = replay.restartFault();
  if (restartProblem !== undefined) return { kind: 'damaged', height: tip.height, detail: restartProblem };
  if (!equalBytes(tip.hash, replay.parent.hash))
    return { kind: 'damaged', height: tip.height, detail: `the store names ${toHex(tip.hash)} as its last block` };
  const stateFault = store.tip() === undefined ? undefined : await replay.storedStateFault();
  if (stateFault !== undefined) return { kind: 'damaged', height: null, detail: stateFault };
  const { transactions, attachments, attachmentsMissing, stateRoot } = replay;
  return {
    kind: 'sound',
    fromHeight: 1,
    height: tip.height,
    transactions,
    attachments,
    attachmentsMissing,
    tipHash: tip.hash,
    stateRoot,
  };
}

/** The ledger executed again from its founding genesis, block by block and through each restart, beside the store. */
class Replay {
  parent: ParentBlock;
  transactions = 0;
  attachments = 0;
  attachmentsMissing = 0;
  readonly #store: Store;
  readonly #state = new MemoryState();
  /** The ledger that the next block belongs to. */
  #start: LedgerStart;
  /** Those that go on from it, the next first. */
  readonly #later: LedgerStart[];
  #map: StateMap;

  constructor(store: Store, start: LedgerStart) {
    this.#store = store;
    const [founding, ...later] = ledgerLine(start);
    this.#start = founding!;
    this.#later = later;
    this.parent = founding!.parent;
    const { changes, map } = genesisState(start.founding);
    this.#state.apply(changes);
    this.#map = map;
  }

  get stateRoot(): Uint8Array {
    return rootHash(this.#map);
  }

  /** Goes through the restarts that follow the block arrived at; says why one of them does not hold, if any. */
  restartFault(): string | undefined {
    for (let next = this.#later[0]; next?.parent.height === this.parent.height; next = this.#later[0]) {
      const state = { reader: this.#state, map: this.#map };
      const fault = restartFault(next, { start: this.#start, tip: this.parent, state }, SIGNATURE_CHECKS);
      if (fault !== undefined) return `the restart after it does not hold: ${fault}`;
      const { changes, map } = restartState(state, next.restart!);
      this.#state.apply(changes);
      this.#map = map;
      this.#start = next;
      this.parent = next.parent;
      this.#later.shift();
    }
    return undefined;
  }

  /** Checks the next block and takes over what it changes; says what is wrong with it, if anything. */
  async next(): Promise<string | undefined> {
    const restartProblem = this.restartFault();
    if (restartProblem !== undefined) return restartProblem;
    const height = this.parent.height + 1;
    const header = present(await this.#store.header(height), 'header');
    const certificate = present(await this.#store.certificate(height), 'certificate');
    const bodies = present(await this.#store.bodies(height), 'transactions');
    const { genesisHash } = this.#start;
    const hash = blockHash(header);
    const certificateProblem = this.#certificateFault(certificate, height, hash);
    if (certificateProblem !== undefined) return certificateProblem;
    const transactions = bodies.map((encoded) => decodeTransaction(genesisHash, encoded));
    const state = { reader: this.#state, map: this.#map };
    const parts: ExecutionParts = { genesisHash, indexOf: indexRootOf, checks: SIGNATURE_CHECKS };
    const check = checkBlock(state, this.parent, decodeHeader(header), transactions, { kind: 'catchUp' }, parts);
    if (check.kind === 'invalid') return `${check.fault.code}: ${check.fault.detail}`;
    const storedProblem = await this.#besidesFault(check.block);
    if (storedProblem !== undefined) return storedProblem;

    this.#state.apply(check.block.changes);
    this.#map = check.block.map;
    this.parent = { height, hash, timestampMs: check.block.header.timestampMs };
    this.transactions += transactions.length;
    return undefined;
  }

  /** Compares the state on disk with the one arrived at. */
  async storedStateFault(): Promise<string | undefined> {
    let stored = 0;
    for await (const { key, value } of this.#store.allState()) {
      const expected = this.#state.get(key);
      if (expected === undefined) return `the stored state has a value at ${toHex(key)} that no block put there`;
      if (!equalBytes(expected, value))
        return `the stored state has another value at ${toHex(key)} than the blocks give`;
      stored += 1;
    }
    const expected = this.#state.entries().length;
    return stored === expected ? undefined : `the stored state has ${stored} values, the blocks give ${expected}`;
  }

  #certificateFault(encoded: Uint8Array, height: number, hash: Uint8Array): string | undefined {
    const certificate = decode(certificateSchema, encoded, CERTIFICATE_BYTES_MAX);
    if (certificate.height !== height || !equalBytes(certificate.blockHash, hash))
      return `the commit certificate is for block ${certificate.height}, ${toHex(certificate.blockHash)}, not for this one`;
    const { current } = validatorSets(new StateOverlay(this.#state));
    const fault = certificateFault('COMMIT', certificate, current, this.#start.genesisHash, verifySignature);
    return fault === undefined ? undefined : `the commit certificate proves no commit (${fault})`;
  }

  /** What is stored beside a block and follows from it: index pages, places of hashes and ids, attachments. */
  async #besidesFault({ header, hash, index, transactions }: ExecutedBlock): Promise<string | undefined> {
    const { height } = header;
    const pages = present(await this.#store.indexPages(height), 'index pages');
    if (!equalBytes(pages, index.pages)) return 'the stored index pages are not those of its transactions';
    if ((await this.#store.heightOfHash(hash)) !== height) return 'it is not found by its hash';
    for (const [place, { txId, transaction }] of transactions.entries()) {
      const location = await this.#store.locate(txId);
      if (location?.height !== height || location.index !== place)
        return `transaction ${place} (${toHex(txId)}) is not found by its id`;
      if (transaction.attachment === null) continue;
      const attachment = await this.#store.attachment(transaction.attachment.hash);
      if (attachment === undefined) this.attachmentsMissing += 1;
      else if (attachment.length !== transaction.attachment.bytes)
        return `the attachment of transaction ${place} has ${attachment.length} bytes, not ${transaction.attachment.bytes}`;
      else this.attachments += 1;
    }
    return undefined;
  }
}
