import { type AccountIdentity, makeAccount } from '../../src/client/keys.ts';
import { compareBytes, equalBytes, toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { verifySignature } from '../../src/crypto/noble-verify.ts';
import { payloadDag } from '../../src/crypto/payload-cid.ts';
import { PAYLOAD_CHUNK_BYTES } from '../../src/crypto/payload-cipher.ts';
import { nobleSigner } from '../../src/crypto/signer.ts';
import type { Account, Role } from '../../src/ledger/account.ts';
import { ACTION_CODES, type ActionKind } from '../../src/ledger/action.ts';
import { isAttachmentOf } from '../../src/ledger/attachment.ts';
import { blockHash, encodeHeader } from '../../src/ledger/block.ts';
import { certificateSchema } from '../../src/ledger/certificate.ts';
import { defaultRequirement } from '../../src/ledger/default-requirements.ts';
import { encodeGenesis, genesisHash } from '../../src/ledger/genesis.ts';
import { DEFAULT_PARAMETERS } from '../../src/ledger/parameters.ts';
import { decodeTransaction, recordIdOf } from '../../src/ledger/transaction.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import type {
  BlockEvent,
  NodePorts,
  RecordQuery,
  StoredBlock,
  StoredRecord,
  Submission,
  SubmissionOutcome,
  TransactionStatus,
} from '../../src/node/ports.ts';

/** A seed of 32 bytes that all hold `n`. */
function seed(n: number): Uint8Array {
  return new Uint8Array(32).fill(n);
}

function identity(n: number): AccountIdentity {
  return makeAccount({ signingSeeds: [seed(n)], sealingSecret: seed(n + 100) });
}

/** The people of the fake ledger. */
export const people = {
  hospital: identity(1),
  otherHospital: identity(2),
  doctor: identity(3),
  otherDoctor: identity(4),
  patient: identity(5),
  otherPatient: identity(6),
  stranger: identity(7),
};

const validatorSigners = [11, 12, 13, 14].map((n) => nobleSigner(seed(n)));
const validators = makeValidatorSet(
  validatorSigners.map(({ publicKey }) => ({ publicKey, organisation: people.hospital.address })),
);

export const genesisDocument = encodeGenesis({
  version: 1,
  ledger: 'fake',
  createdMs: 1_000,
  organisations: [{ name: 'Hospital', keyDocument: people.hospital.keyDocument }],
  regulator: null,
  validators: validators.validators,
  accounts: [],
  parameters: DEFAULT_PARAMETERS,
  requirements: (Object.keys(ACTION_CODES) as ActionKind[]).map((action) => ({
    action,
    requirement: defaultRequirement(action, null),
  })),
});
export const ledgerHash = genesisHash(genesisDocument);

/** A node that commits whatever it takes at once, in a block of its own, and can be told to misbehave. */
export interface FakeNode {
  readonly ports: NodePorts;
  readonly submitted: Submission[];
  readonly queries: RecordQuery[];
  missing: string[];
  /** What the next submissions are answered with, in order; afterwards they are committed. */
  readonly scripted: TransactionStatus[];
  /** Statuses that `waitForTransaction` gives instead of the true one. */
  waitAnswer: TransactionStatus | undefined;
  readonly suspended: Set<string>;
  /** Height from which on it has blocks, as after joining by a snapshot. */
  historyFrom: number;
  commitEmptyBlock(): StoredBlock;
}

export function makeFakeNode(): FakeNode {
  const blocks: StoredBlock[] = [];
  const records = new Map<string, StoredRecord[]>();
  const statuses = new Map<string, TransactionStatus>();
  const attachments = new Map<string, Uint8Array>();
  const payloads = new Map<string, Uint8Array>();
  const nonces = new Set<string>();
  const listeners = new Set<(event: BlockEvent) => void>();

  function commit(transactions: readonly Uint8Array[]): StoredBlock {
    const height = blocks.length + 1;
    const header = encodeHeader({
      version: 1,
      genesisHash: ledgerHash,
      height,
      previousHash: blocks.at(-1)?.hash ?? ledgerHash,
      timestampMs: 1_000 + height,
      proposer: 0,
      txRoot: seed(0),
      indexRoot: seed(0),
      stateRoot: seed(0),
      validatorsHash: validators.hash,
      nextValidatorsHash: validators.hash,
      txCount: transactions.length,
      bodyBytes: 0,
      executionCost: 0,
    });
    const hash = blockHash(header);
    const preimage = votePreimage('COMMIT', ledgerHash, { height, view: 0, blockHash: hash });
    const signatures = [0, 1, 2].map((signer) => {
      const { publicKey } = validators.validators[signer]!;
      const own = validatorSigners.find((candidate) => equalBytes(candidate.publicKey, publicKey))!;
      return { signer, signature: own.sign(preimage) };
    });
    const certificate = encode(certificateSchema, { height, view: 0, blockHash: hash, signatures });
    const block = { height, hash, header, certificate, transactions };
    blocks.push(block);
    for (const listener of [...listeners]) listener({ height, hash, timestampMs: 1_000 + height, txIds: [] });
    return block;
  }

  function submitOne({ encoded, attachment }: Submission): SubmissionOutcome {
    let decoded: ReturnType<typeof decodeTransaction>;
    try {
      decoded = decodeTransaction(ledgerHash, encoded);
    } catch {
      return { txId: null, status: { kind: 'Rejected', code: 'malformed', detail: 'Not one.', retryable: false } };
    }
    const { txId, transaction } = decoded;
    const scripted = node.scripted.shift();
    if (scripted !== undefined) return { txId, status: scripted };
    const known = statuses.get(toHex(txId));
    if (known !== undefined) return { txId, status: known };
    if (transaction.attachment !== null) {
      if (attachment === null || !isAttachmentOf(transaction.attachment, attachment))
        return { txId, status: { kind: 'Rejected', code: 'attachmentMissing', detail: 'None.', retryable: true } };
      attachments.set(toHex(transaction.attachment.hash), attachment);
    }
    const { height } = commit([encoded]);
    const status = { kind: 'Committed', height, index: 0 } as const;
    statuses.set(toHex(txId), status);
    const { action } = transaction;
    if (action.kind === 'record.create') {
      const recordId = recordIdOf(ledgerHash, action.author, transaction.salt);
      const { author, organisation, patient } = action;
      records.set(toHex(recordId), [{ recordId, version: 1, author, organisation, patient, txId, height, index: 0 }]);
    }
    return { txId, status };
  }

  /** Infinity for what was never committed. */
  function heightOf(txId: Uint8Array): number {
    const status = statuses.get(toHex(txId));
    return status?.kind === 'Committed' ? status.height : Number.POSITIVE_INFINITY;
  }

  const node: FakeNode = {
    historyFrom: 1,
    submitted: [],
    queries: [],
    missing: [],
    scripted: [],
    waitAnswer: undefined,
    suspended: new Set(),
    commitEmptyBlock: () => commit([]),
    ports: {
      genesisHash: ledgerHash,
      genesisHashAt: () => ledgerHash,
      genesisDocument,
      consensus: () => ({
        primary: 1,
        primaryName: 'Other',
        quorum: 3,
        proposal: 'none',
        validators: [0, 1].map((validator) => ({
          validator,
          name: ['Hospital', 'Other'][validator]!,
          connected: true,
          prepared: false,
          committed: false,
          viewChange: validator === 0 ? 1 : null,
          voteLagMs: validator === 0 ? null : 12,
          missedHeights: 3,
        })),
        nextTimeoutMs: 900,
        lastCommitAgeMs: null,
        explanation: ['The proposal has not come.'],
      }),
      status: () => ({
        version: '0.0.0',
        ledger: 'fake',
        genesisHash: ledgerHash,
        organisation: { name: 'Hospital', address: people.hospital.address },
        validator: 0,
        validators: 4,
        updateBefore: null,
        height: blocks.length,
        tipHash: blocks.at(-1)?.hash ?? ledgerHash,
        stateRoot: seed(0),
        timestampMs: 1_000 + blocks.length,
        view: 0,
        peers: [{ validator: 1, name: 'Other', connected: true, height: 0, view: 0 }],
        transactionsCommitted: blocks.length,
        transactionsPending: 0,
        indexedHeight: blocks.length,
        historyFrom: node.historyFrom,
        upSinceMs: 0,
      }),
      notReady: () => node.missing,
      metrics: async () => '# TYPE medledger_height gauge\nmedledger_height 1\n',
      async submit(submissions) {
        node.submitted.push(...submissions);
        return submissions.map(submitOne);
      },
      transactionStatus: async (txId) =>
        heightOf(txId) < node.historyFrom ? { kind: 'Unknown' } : (statuses.get(toHex(txId)) ?? { kind: 'Unknown' }),
      waitForTransaction: async (txId) => node.waitAnswer ?? statuses.get(toHex(txId)) ?? { kind: 'Unknown' },
      async transaction(txId) {
        const status = statuses.get(toHex(txId));
        if (status?.kind !== 'Committed' || status.height < node.historyFrom) return undefined;
        const encoded = blocks[status.height - 1]!.transactions[status.index]!;
        return { height: status.height, index: status.index, decoded: decodeTransaction(ledgerHash, encoded) };
      },
      async block(which) {
        const found =
          which === 'latest'
            ? blocks.at(-1)
            : blocks.find(({ height, hash }) =>
                typeof which === 'number' ? height === which : equalBytes(hash, which),
              );
        return found !== undefined && found.height < node.historyFrom ? undefined : found;
      },
      async isBeforeHistory(which) {
        const found = blocks.find(({ height, hash }) =>
          typeof which === 'number' ? height === which : equalBytes(hash, which),
        );
        return found !== undefined && found.height < node.historyFrom;
      },
      wasAppliedBeforeHistory: async (txId) => heightOf(txId) < node.historyFrom,
      account: (address) => accountOf(address, node.suspended),
      validators: async () =>
        validators.validators.map(({ publicKey, organisation }) => ({
          publicKey,
          organisation,
          seat: publicKey,
          addresses: ['/ip4/192.0.2.1/tcp/4001'],
          fromHeight: 1,
          untilHeight: null,
        })),
      parameters: () => ({
        height: blocks.length + 1,
        current: DEFAULT_PARAMETERS,
        scheduled: { ...DEFAULT_PARAMETERS, viewTimeoutMs: 2_000 },
        newestVersion: 1,
      }),
      evidence: async () => [
        {
          accused: validators.validators[3]!.publicKey,
          organisation: people.hospital.address,
          statement: 'COMMIT',
          height: 3,
          view: 1,
          txId: seed(9),
          recordedAt: 4,
        },
      ],
      async record(recordId, version) {
        const versions = records.get(toHex(recordId));
        return version === undefined ? versions?.at(-1) : versions?.find((record) => record.version === version);
      },
      async queryRecords(query) {
        node.queries.push(query);
        const hits = [...records.values()].flat().map((record) => ({ ...record, fields: null }));
        return {
          hits,
          cursor: null,
          indexedFrom: node.historyFrom,
          indexedHeight: blocks.length,
          scope: [people.hospital.address],
        };
      },
      attachment: async (hash) => attachments.get(toHex(hash)),
      async putPayload(cid, bytes) {
        if (bytes.length === 13) return 'full';
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += PAYLOAD_CHUNK_BYTES)
          chunks.push(new Uint8Array(bytes.subarray(at, at + PAYLOAD_CHUNK_BYTES)));
        if (compareBytes((await payloadDag(chunks)).cid, cid) !== 0) return 'cidMismatch';
        payloads.set(toHex(cid), new Uint8Array(bytes));
        return 'stored';
      },
      payload: async (cid) => payloads.get(toHex(cid)),
      verifyAccountSignature(address, keyIndex, message, signature) {
        const key = accountOf(address, node.suspended)?.keyDocument.keys[keyIndex];
        return key !== undefined && verifySignature(signature, message, key.publicKey);
      },
      async useNonce(nonce) {
        const isFresh = !nonces.has(nonce);
        nonces.add(nonce);
        return isFresh;
      },
      onBlock(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  };
  return node;
}

function accountOf(address: Uint8Array, suspended: ReadonlySet<string>): Account | undefined {
  const { hospital, otherHospital, doctor, otherDoctor, patient, otherPatient } = people;
  const known: readonly [AccountIdentity, Role, Uint8Array][] = [
    [hospital, 'organisation', hospital.address],
    [otherHospital, 'organisation', otherHospital.address],
    [doctor, 'doctor', hospital.address],
    [otherDoctor, 'doctor', otherHospital.address],
    [patient, 'patient', hospital.address],
    [otherPatient, 'patient', hospital.address],
  ];
  const found = known.find(([who]) => equalBytes(who.address, address));
  if (found === undefined) return undefined;
  const [who, role, organisation] = found;
  const status = suspended.has(toHex(address)) ? 'suspended' : 'active';
  return { role, organisation, status, control: { kind: 'self' }, keyDocument: who.keyDocument, registeredAt: 0 };
}
