import { toHex } from '../codec/bytes.ts';
import { formatAddress } from '../crypto/address.ts';
import type { Account } from '../ledger/account.ts';
import type { RecordAmend, RecordCreate } from '../ledger/action.ts';
import { decodeHeader } from '../ledger/block.ts';
import { isSameParameters, protocolVersionAt } from '../ledger/parameters.ts';
import { type EvidenceEntry, isInForce } from '../ledger/state.ts';
import type { AttachmentReference } from '../ledger/transaction.ts';
import { faultyMax, quorumSize } from '../ledger/validator-set.ts';
import type {
  ConsensusStatus,
  KeyTenure,
  NodeStatus,
  ParametersInForce,
  RecordPage,
  StoredBlock,
  StoredRecord,
  TransactionStatus,
} from '../node/ports.ts';
import type {
  AccountView,
  BlockView,
  EvidenceListView,
  NodeStatusView,
  ParametersView,
  RecordPageView,
  RecordView,
  TransactionStatusView,
  ValidatorsView,
} from './contract/schemas.ts';
import { formatCid, toBase64url } from './contract/text.ts';

/** The forms in which the API shows what the ports return: hashes and ids as hex, addresses as bech32m. */

/** The view of a node's status; `evidence` counts the entries on the ledger. */
export function nodeStatusView(
  status: NodeStatus,
  consensus: ConsensusStatus,
  evidence: number,
  ready: boolean,
): NodeStatusView {
  return {
    version: status.version,
    ledger: status.ledger,
    genesisHash: toHex(status.genesisHash),
    organisation: { name: status.organisation.name, address: formatAddress(status.organisation.address) },
    validator: status.validator,
    validators: status.validators,
    height: status.height,
    tipHash: toHex(status.tipHash),
    stateRoot: toHex(status.stateRoot),
    timestampMs: status.timestampMs,
    view: status.view,
    peers: status.peers.map(({ validator, name, connected, height, view }) => ({
      validator,
      name,
      connected,
      height,
      view,
    })),
    consensus: {
      ...consensus,
      validators: consensus.validators.map((validator) => ({ ...validator })),
      evidence,
      explanation: [...consensus.explanation],
    },
    transactionsCommitted: status.transactionsCommitted,
    transactionsPending: status.transactionsPending,
    indexedHeight: status.indexedHeight,
    historyFrom: status.historyFrom,
    upSinceMs: status.upSinceMs,
    updateBefore: status.updateBefore,
    ready,
  };
}

/** The view of the parameters. */
export function parametersView(
  { height, current, scheduled, newestVersion }: ParametersInForce,
  updateBefore: number | null,
): ParametersView {
  return {
    height,
    current: { ...current },
    scheduled: isSameParameters(current, scheduled) ? null : { ...scheduled },
    protocolVersion: protocolVersionAt(current, height),
    newestVersion,
    updateBefore,
  };
}

/** The view of the validators of `height` and of every key that ever was one. */
export function validatorsView(height: number, tenures: readonly KeyTenure[]): ValidatorsView {
  const count = tenures.filter((tenure) => isInForce(tenure, height)).length;
  return {
    height,
    count,
    faultyMax: faultyMax(count),
    quorum: quorumSize(count),
    validators: tenures.map(({ publicKey, organisation, seat, addresses, fromHeight, untilHeight }) => ({
      publicKey: toHex(publicKey),
      organisation: formatAddress(organisation),
      seat: toHex(seat),
      addresses: [...addresses],
      fromHeight,
      untilHeight,
    })),
  };
}

/** The view of evidence. */
export function evidenceListView(entries: readonly EvidenceEntry[]): EvidenceListView {
  return {
    evidence: entries.map(({ accused, organisation, statement, height, view, txId, recordedAt }) => ({
      accused: toHex(accused),
      organisation: formatAddress(organisation),
      statement,
      height,
      view,
      txId: toHex(txId),
      recordedAt,
    })),
  };
}

/** The view of a status; only a Rejected one may lack its id. */
export function transactionStatusView(txId: Uint8Array | null, status: TransactionStatus): TransactionStatusView {
  if (status.kind === 'Rejected') {
    const { code, detail, retryable } = status;
    return { txId: txId === null ? null : toHex(txId), status: 'Rejected', code, detail, retryable };
  }
  if (txId === null) throw new Error(`a transaction without an id has the status ${status.kind}`);
  const id = toHex(txId);
  if (status.kind === 'Committed') return { txId: id, status: 'Committed', height: status.height, index: status.index };
  return { txId: id, status: status.kind };
}

/** The view of a block: its canonical bytes, and a few numbers for people. */
export function blockView(block: StoredBlock): BlockView {
  const header = decodeHeader(block.header);
  return {
    height: block.height,
    hash: toHex(block.hash),
    header: toBase64url(block.header),
    certificate: toBase64url(block.certificate),
    previousHash: toHex(header.previousHash),
    timestampMs: header.timestampMs,
    proposer: header.proposer,
    transactions: header.txCount,
  };
}

/** The view of an account. */
export function accountView(address: Uint8Array, account: Account): AccountView {
  const { sealingKey, keys, thresholds } = account.keyDocument;
  return {
    address: formatAddress(address),
    role: account.role,
    organisation: formatAddress(account.organisation),
    status: account.status,
    sealingKey: toHex(sealingKey),
    keys: keys.map(({ algorithm, publicKey, weight, label }) => ({
      algorithm,
      publicKey: toHex(publicKey),
      weight,
      label,
    })),
    thresholds: { routine: thresholds.routine, sensitive: thresholds.sensitive, keys: thresholds.keys },
    registeredAt: account.registeredAt,
  };
}

/** A record version with what its transaction says of payload and attachment. */
export function recordView(
  record: StoredRecord,
  action: RecordCreate | RecordAmend,
  attachment: AttachmentReference | null,
): RecordView {
  return {
    ...recordPlaceView(record),
    class: action.class,
    retainUntilMs: action.retainUntilMs,
    payload: {
      cid: formatCid(action.payload.cid),
      bytes: action.payload.bytes,
      keyCommitment: toHex(action.payload.keyCommitment),
    },
    attachment: attachment === null ? null : { hash: toHex(attachment.hash), bytes: attachment.bytes },
  };
}

/** The view of a page of a search. */
export function recordPageView(page: RecordPage): RecordPageView {
  return {
    records: page.hits.map((hit) => ({
      ...recordPlaceView(hit),
      fields: hit.fields === null ? null : { ...hit.fields, codes: [...hit.fields.codes] },
    })),
    cursor: page.cursor,
    indexedFrom: page.indexedFrom,
    indexedHeight: page.indexedHeight,
    scope: page.scope.map(formatAddress),
  };
}

function recordPlaceView(record: StoredRecord) {
  return {
    recordId: toHex(record.recordId),
    version: record.version,
    txId: toHex(record.txId),
    height: record.height,
    index: record.index,
    patient: formatAddress(record.patient),
    author: formatAddress(record.author),
    organisation: formatAddress(record.organisation),
  };
}
