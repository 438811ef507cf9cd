import { equalBytes } from '../codec/bytes.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { cidText } from '../crypto/payload-cid.ts';
import { lookup } from '../index/inner/lookup.ts';
import type { OuterIndex } from '../index/outer/outer-index.ts';
import { OuterIndexError } from '../index/outer/outer-index-error.ts';
import type { RecordRow } from '../index/outer/rows.ts';
import { isRecordVersion, type RecordAmend, type RecordCreate } from '../ledger/action.ts';
import { blockHash } from '../ledger/block.ts';
import { decodeTransaction, recordIdOf } from '../ledger/transaction.ts';
import type { Store } from '../storage/block-store.ts';
import type { PayloadStore } from '../storage/payload-store.ts';
import type { Chain } from './chain.ts';
import { OperatorError } from './operator-error.ts';
import { putPayload, readPayload } from './payload-dag.ts';
import {
  type BlockEvent,
  type ConsensusStatus,
  type NodePorts,
  type NodeStatus,
  type RecordHit,
  RecordQueryError,
  type StoredBlock,
  type StoredRecord,
} from './ports.ts';
import type { TransactionIntake } from './transaction-intake.ts';
import type { TransactionTracker } from './transaction-tracker.ts';

/** The parts of the node that its ports show. */
export interface PortDependencies {
  readonly genesisDocument: Uint8Array;
  readonly chain: Chain;
  readonly store: Store;
  readonly intake: TransactionIntake;
  readonly tracker: TransactionTracker;
  readonly index: OuterIndex;
  readonly payloads: PayloadStore;
  /** Address of the organisation whose records this node opens; undefined when it runs for none. */
  readonly organisation: Uint8Array | undefined;
  readonly status: () => NodeStatus;
  readonly consensus: () => ConsensusStatus;
  readonly notReady: () => readonly string[];
  readonly metrics: () => Promise<string>;
  /** Asks members for a payload block that is not here. */
  readonly fetchPayload: (cid: Uint8Array) => Promise<Uint8Array | undefined>;
  /** An attachment of a committed block, from here or from a member. */
  readonly attachment: (hash: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly nowMs: () => number;
}

/** The node as the HTTP interface sees it, and the function that tells its listeners of a commit. */
export function createNodePorts(dependencies: PortDependencies): {
  readonly ports: NodePorts;
  readonly announce: (event: BlockEvent) => void;
} {
  const { chain, store, intake, tracker, index, payloads, organisation } = dependencies;
  const listeners = new Set<(event: BlockEvent) => void>();

  async function storedBlock(height: number): Promise<StoredBlock | undefined> {
    const [header, certificate, transactions] = await Promise.all([
      store.header(height),
      store.certificate(height),
      store.bodies(height),
    ]);
    if (header === undefined || certificate === undefined || transactions === undefined) return undefined;
    return { height, hash: blockHash(header), header, certificate, transactions };
  }

  /** A hit of the index counts only when the transaction at its position says the same. */
  async function confirmed(row: RecordRow): Promise<boolean> {
    const encoded = await store.transaction(row.height, row.index);
    if (encoded === undefined) return false;
    const genesisHash = chain.genesisHashAt(row.height);
    const { transaction, txId } = decodeTransaction(genesisHash, encoded);
    const { action } = transaction;
    if (!equalBytes(txId, row.txId)) return false;
    if (action.kind === 'record.amend')
      return equalBytes(action.recordId, row.recordId) && action.expectedVersion + 1 === row.version;
    return (
      action.kind === 'record.create' &&
      row.version === 1 &&
      equalBytes(recordIdOf(genesisHash, action.author, transaction.salt), row.recordId) &&
      equalBytes(action.patient, row.patient)
    );
  }

  /** The outer index names the block, the block's own index the transaction in it. */
  async function olderVersion(recordId: Uint8Array, version: number) {
    const position = (await index.recordPositions(recordId)).find((candidate) => candidate.version === version);
    if (position === undefined) return undefined;
    const pages = await store.indexPages(position.height);
    for (const place of pages === undefined ? [] : lookup(pages, 'record', recordId)) {
      const encoded = await store.transaction(position.height, place);
      if (encoded === undefined) continue;
      const { transaction, txId } = decodeTransaction(chain.genesisHashAt(position.height), encoded);
      const { action } = transaction;
      if (!isRecordVersion(action) || versionMade(action) !== version) continue;
      return { author: action.author, txId, height: position.height, index: place };
    }
    return undefined;
  }

  const ports: NodePorts = {
    genesisHash: chain.genesisHash,
    genesisHashAt: (height) => chain.genesisHashAt(height),
    genesisDocument: dependencies.genesisDocument,
    status: dependencies.status,
    consensus: dependencies.consensus,
    notReady: dependencies.notReady,
    metrics: dependencies.metrics,
    submit: (submissions) => intake.submit(submissions),
    transactionStatus: (txId) => tracker.status(txId),
    waitForTransaction: (txId, timeoutMs) => tracker.wait(txId, timeoutMs),
    async transaction(txId) {
      const location = await store.locate(txId);
      if (location === undefined) return undefined;
      const encoded = await store.transaction(location.height, location.index);
      return encoded === undefined
        ? undefined
        : { ...location, decoded: decodeTransaction(chain.genesisHashAt(location.height), encoded) };
    },
    async block(which) {
      if (which === 'latest') return storedBlock(chain.tip.height);
      const height = typeof which === 'number' ? which : await store.heightOfHash(which);
      return height === undefined ? undefined : storedBlock(height);
    },
    async isBeforeHistory(which) {
      const height = typeof which === 'number' ? which : await store.heightOfHash(which);
      return height !== undefined && store.isInGap(height);
    },
    wasAppliedBeforeHistory: async (txId) => chain.isRecent(txId) && (await store.locate(txId)) === undefined,
    account: (address) => chain.account(address),
    validators: () => chain.tenures(),
    parameters: () => ({
      height: chain.tip.height + 1,
      ...chain.parameterSlots,
      newestVersion: chain.newestVersion,
    }),
    evidence: () => chain.evidence(),
    async record(recordId, version): Promise<StoredRecord | undefined> {
      const record = chain.record(recordId);
      if (record === undefined || (version !== undefined && version > record.version)) return undefined;
      if (version === undefined || version === record.version) return { recordId, ...record };
      const older = await olderVersion(recordId, version);
      return older && { recordId, organisation: record.organisation, patient: record.patient, version, ...older };
    },
    async queryRecords(query) {
      const page = await index.query(query).catch(throwQueryError);
      const checks = await Promise.all(page.hits.map(confirmed));
      const wrong = page.hits.find((_, place) => checks[place] !== true);
      if (wrong !== undefined)
        throw new OperatorError(
          `The search index does not agree with block ${wrong.height}: stop the node and run "medledger reindex".`,
        );
      return {
        hits: page.hits.map(asHit),
        cursor: page.cursor,
        indexedFrom: store.historyFrom,
        indexedHeight: page.indexedHeight,
        scope: organisation === undefined ? [] : [organisation],
      };
    },
    attachment: dependencies.attachment,
    putPayload: (cid, bytes) => putPayload(payloads, cid, bytes),
    payload: (cid) =>
      readPayload(cid, async (block) => (await payloads.get(cidText(block))) ?? dependencies.fetchPayload(block)),
    verifyAccountSignature(address, keyIndex, message, signature) {
      const account = chain.account(address);
      const key = account?.status === 'active' ? account.keyDocument.keys[keyIndex] : undefined;
      return key !== undefined && verifySignature(signature, message, key.publicKey);
    },
    useNonce: (nonce, expiresMs) => store.useNonce(nonce, expiresMs, dependencies.nowMs()),
    onBlock(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    ports,
    announce(event) {
      for (const listener of listeners) listener(event);
    },
  };
}

function versionMade(action: RecordCreate | RecordAmend): number {
  return action.kind === 'record.create' ? 1 : action.expectedVersion + 1;
}

function asHit({
  recordId,
  version,
  txId,
  height,
  index,
  patient,
  author,
  organisation,
  fields,
}: RecordRow): RecordHit {
  return { recordId, version, txId, height, index, patient, author, organisation, fields };
}

/** What the index says of the query itself is for whoever asked; the rest is for the operator. */
function throwQueryError(error: unknown): never {
  if (error instanceof OuterIndexError) {
    const { code, message } = error;
    if (code === 'query' || code === 'cursor') throw new RecordQueryError('refused', message);
    if (code === 'busy') throw new RecordQueryError('busy', message);
  }
  throw error;
}
