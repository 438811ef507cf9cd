import { type Static, type TSchema, Type } from 'typebox';
import { PARAMETER_BOUNDS, type Parameters } from '../../ledger/parameters.ts';

/** An object that takes no member beyond those listed. */
function closed<T extends Record<string, TSchema>>(members: T) {
  return Type.Object(members, { additionalProperties: false });
}

const hash = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description: `${description}, hex` });
const blob = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]*$', description: `${description}, base64url without padding` });
const count = (description: string) => Type.Integer({ minimum: 0, description });

/** A 32-byte hash as 64 lower-case hexadecimal digits. */
export const hashText = hash('SHA-256 hash');

/** An account address: bech32m with the prefix `med`. */
export const addressText = Type.String({
  pattern: '^med1[02-9ac-hj-np-z]{58}$',
  description: 'account address, bech32m',
});

/** A record id as 32 lower-case hexadecimal digits. */
export const recordIdText = Type.String({ pattern: '^[0-9a-f]{32}$', description: 'record id, hex' });

/** A binary CIDv1 of 36 bytes (raw or dag-pb, SHA-256) in multibase base32, as IPFS tools print it. */
export const cidText = Type.String({ pattern: '^b[a-z2-7]{58}$', description: 'CIDv1, multibase base32' });

/** An error answer (RFC 9457). */
export const problemSchema = closed({
  type: Type.String({ description: 'where the code is explained: /v1/problems#code' }),
  code: Type.String({ description: 'stable name of the problem, from a closed list' }),
  title: Type.String({ description: 'what the code means' }),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: 'what happened here and the next step' }),
  requestId: Type.String({ description: 'finds the request in the log of the node' }),
  retryable: Type.Boolean({ description: 'whether the same request may succeed later' }),
});
/** The body of every error (RFC 9457). */
export type Problem = Static<typeof problemSchema>;

/** The closed list of problems. */
export const problemListSchema = closed({
  problems: Type.Array(
    closed({
      code: Type.String(),
      status: Type.Integer(),
      meaning: Type.String(),
      remedy: Type.String({ description: 'what an operator or client does about it' }),
      retryable: Type.Boolean(),
    }),
  ),
});

const milliseconds = (description: string) => Type.Union([count(`${description}, milliseconds`), Type.Null()]);

/** Where the agreement on the next block stands. */
const consensusSchema = closed({
  primary: count('index of the validator that proposes in this view'),
  primaryName: Type.String(),
  quorum: count('how many validators agree on a block'),
  proposal: Type.Union(
    [
      Type.Literal('none'),
      Type.Literal('validating'),
      Type.Literal('valid'),
      Type.Literal('refused'),
      Type.Literal('invalid'),
    ],
    { description: 'what this node holds of the proposal of the view' },
  ),
  validators: Type.Array(
    closed({
      validator: count('index in the validator set'),
      name: Type.String(),
      connected: Type.Boolean({ description: 'whether this node reaches it; true for itself' }),
      prepared: Type.Boolean({ description: 'whether its PREPARE for this view is here' }),
      committed: Type.Boolean({ description: 'whether its COMMIT for this view is here' }),
      viewChange: Type.Union([count('highest view that it asked to change to'), Type.Null()]),
      voteLagMs: milliseconds('median time by which its COMMITs of the last heights came after the quorum'),
      missedHeights: count('how many of the last heights it did not vote at'),
    }),
  ),
  nextTimeoutMs: milliseconds('until the view runs out; null when no timer runs'),
  lastCommitAgeMs: milliseconds('since the newest commit of this process; null before the first'),
  evidence: count('entries of evidence on the ledger'),
  explanation: Type.Array(Type.String(), { description: 'why nothing is committed now; empty when all is well' }),
});

/** Where a node stands. */
export const nodeStatusSchema = closed({
  version: Type.String(),
  ledger: Type.String({ description: 'name of the ledger' }),
  genesisHash: hash('hash of the genesis document'),
  organisation: closed({ name: Type.String(), address: addressText }),
  validator: Type.Union([count('index of this node in the validator set'), Type.Null()]),
  validators: count('size of the validator set'),
  height: count('height of the newest committed block'),
  tipHash: hash('hash of that block'),
  stateRoot: hash('state root of that block'),
  timestampMs: count('its timestamp, milliseconds since the Unix epoch'),
  view: count('current view of the agreement'),
  peers: Type.Array(
    closed({
      validator: count('index in the validator set'),
      name: Type.String(),
      connected: Type.Boolean(),
      height: count('newest height it reported'),
      view: count('view it reported'),
    }),
  ),
  consensus: consensusSchema,
  transactionsCommitted: count('transactions in all committed blocks'),
  transactionsPending: count('transactions waiting for a block'),
  indexedHeight: count('height up to which searches have seen every block'),
  historyFrom: count('height from which on the node holds whole blocks; 1 unless it joined by a snapshot'),
  upSinceMs: count('start of this process, milliseconds since the Unix epoch'),
  updateBefore: Type.Union([count('first height of a protocol version that this node does not know'), Type.Null()], {
    description: 'update the node before that height: it stops there; null while every version announced is known',
  }),
  ready: Type.Boolean({ description: 'whether the node takes transactions now' }),
});
/** The status of a node as clients see it. */
export type NodeStatusView = Static<typeof nodeStatusSchema>;

/** The node can be used. */
export const readinessSchema = closed({ ready: Type.Literal(true) });
/** The process answers. */
export const livenessSchema = closed({ live: Type.Literal(true) });

/** The ledger that a node belongs to. */
export const genesisSchema = closed({
  genesisHash: hash('names the ledger'),
  document: blob('canonical bytes of the genesis document'),
});

/** The validators of the next block, and every key that is or was one. */
export const validatorsSchema = closed({
  height: count('height of the next block, whose validators are counted'),
  count: count('validators of that height'),
  faultyMax: count('how many of them may be faulty'),
  quorum: count('how many agree'),
  validators: Type.Array(
    closed({
      publicKey: hash('Ed25519 validator key'),
      organisation: addressText,
      seat: hash('first key of the seat'),
      addresses: Type.Array(Type.String({ description: 'multiaddress that it published' })),
      fromHeight: count('first height at which the key is a validator’s'),
      untilHeight: Type.Union([count('first height at which it is none any more'), Type.Null()]),
    }),
  ),
});
/** The validators of a ledger as clients see them. */
export type ValidatorsView = Static<typeof validatorsSchema>;

const parameterValues = Object.fromEntries(
  Object.entries(PARAMETER_BOUNDS).map(([name, [minimum, , maximum]]) => [name, Type.Integer({ minimum, maximum })]),
) as Record<keyof Parameters, ReturnType<typeof Type.Integer>>;

/** By what the next blocks are made. */
export const parametersSchema = closed({
  height: count('height of the next block, at which `current` is in force'),
  current: closed(parameterValues),
  scheduled: Type.Union([closed(parameterValues), Type.Null()], {
    description: 'in force from the height after it; null while no change is in flight',
  }),
  protocolVersion: count('protocol version of the next block'),
  newestVersion: count('newest protocol version that this node knows'),
  updateBefore: Type.Union([count('first height of a version that it does not know'), Type.Null()]),
});
/** The parameters of a ledger as clients see them. */
export type ParametersView = Static<typeof parametersSchema>;

const txId = hash('transaction id');

/** What the ledger holds against validators. */
export const evidenceListSchema = closed({
  evidence: Type.Array(
    closed({
      accused: hash('key that signed twice'),
      organisation: addressText,
      statement: Type.Union([
        Type.Literal('PREPREPARE'),
        Type.Literal('PREPARE'),
        Type.Literal('COMMIT'),
        Type.Literal('VIEWCHANGE'),
      ]),
      height: count('height of the slot'),
      view: count('view of the slot; of a VIEWCHANGE the view asked for'),
      txId,
      recordedAt: count('height of the block that holds it'),
    }),
  ),
});
/** Evidence as clients see it. */
export type EvidenceListView = Static<typeof evidenceListSchema>;

const committed = {
  status: Type.Literal('Committed'),
  height: count('block height'),
  index: count('place in the block'),
};
const rejected = {
  status: Type.Literal('Rejected'),
  code: Type.String({ description: 'why, from the list at /v1/problems' }),
  detail: Type.String(),
  retryable: Type.Boolean({ description: 'whether the same transaction may be applied later' }),
};

/** What became of one transaction. */
export const transactionStatusSchema = Type.Union([
  closed({ txId, status: Type.Literal('Unknown') }),
  closed({ txId, status: Type.Literal('Pending') }),
  closed({ txId, ...committed }),
  closed({ txId: Type.Union([txId, Type.Null()]), ...rejected }),
  closed({ txId, status: Type.Literal('Expired') }),
]);
/** Status of one transaction; txId is null only for a Rejected one that could not be decoded. */
export type TransactionStatusView = Static<typeof transactionStatusSchema>;

/** Answer to a submission. */
export const submissionOutcomesSchema = closed({
  outcomes: Type.Array(transactionStatusSchema, { description: 'one per transaction, in the order they were sent' }),
});

/** A submission in JSON; CBOR is smaller. */
export const submissionBodySchema = closed({
  encoding: Type.Optional(
    Type.Union([Type.Literal('base64url'), Type.Literal('hex')], { description: 'of the texts below; base64url' }),
  ),
  transactions: Type.Array(
    closed({
      encoded: Type.String({ description: 'canonical encoding of the signed transaction' }),
      attachment: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'blind and bytes' })),
    }),
    { minItems: 1 },
  ),
});
/** A submission in JSON, as parsed. */
export type SubmissionBody = Static<typeof submissionBodySchema>;

/** A block with its certificate: all that proves it. */
export const blockSchema = closed({
  height: count('block height'),
  hash: hash('block hash'),
  header: blob('canonical bytes of the header'),
  certificate: blob('canonical bytes of the commit certificate'),
  previousHash: hash('hash of the block before'),
  timestampMs: count('milliseconds since the Unix epoch'),
  proposer: count('index of the proposing validator'),
  transactions: count('number of transactions'),
});
/** A block as clients see it. */
export type BlockView = Static<typeof blockSchema>;

/** One transaction of a block. */
export const blockTransactionSchema = closed({
  height: count('block height'),
  index: count('place in the block'),
  txId,
  encoded: blob('canonical encoding of the transaction'),
});
/** A transaction of a block as clients see it. */
export type BlockTransactionView = Static<typeof blockTransactionSchema>;

/** An account without its guardian link, which concerns its parties alone. */
export const accountSchema = closed({
  address: addressText,
  role: Type.Union([
    Type.Literal('patient'),
    Type.Literal('doctor'),
    Type.Literal('researcher'),
    Type.Literal('organisation'),
    Type.Literal('regulator'),
  ]),
  organisation: addressText,
  status: Type.Union([Type.Literal('active'), Type.Literal('suspended')]),
  sealingKey: hash('X25519 public key for sealing to this account'),
  keys: Type.Array(
    closed({
      algorithm: Type.Literal('ed25519'),
      publicKey: hash('Ed25519 public key'),
      weight: Type.Integer({ minimum: 1, maximum: 255 }),
      label: Type.String(),
    }),
  ),
  thresholds: closed({ routine: Type.Integer(), sensitive: Type.Integer(), keys: Type.Integer() }),
  registeredAt: count('height at which it was registered; 0 for genesis'),
});
/** An account as clients see it. */
export type AccountView = Static<typeof accountSchema>;

const recordPlace = {
  recordId: recordIdText,
  version: Type.Integer({ minimum: 1 }),
  txId,
  height: count('block height'),
  index: count('place in the block'),
  patient: addressText,
  author: addressText,
  organisation: addressText,
};

/** One version of a record, without anything readable of its content. */
export const recordSchema = closed({
  ...recordPlace,
  class: count('class of the record, known to its organisation'),
  retainUntilMs: count('end of the retention period, milliseconds since the Unix epoch'),
  payload: closed({
    cid: Type.String({ pattern: '^b[a-z2-7]{0,64}$', description: 'CIDv1, multibase base32' }),
    bytes: count('padded size of the ciphertext'),
    keyCommitment: hash('HMAC-SHA256 of the data key'),
  }),
  attachment: Type.Union([closed({ hash: hash('attachment hash'), bytes: count('its size') }), Type.Null()]),
});
/** A record version as its parties see it. */
export type RecordView = Static<typeof recordSchema>;

const fieldsSchema = closed({
  kind: Type.String(),
  codes: Type.Array(Type.String(), { description: 'system|code' }),
  date: Type.String({ description: 'ISO 8601; empty when the source has none' }),
  department: Type.String(),
  region: Type.String(),
  title: Type.String(),
});

/** One page of a search. */
export const recordPageSchema = closed({
  records: Type.Array(closed({ ...recordPlace, fields: Type.Union([fieldsSchema, Type.Null()]) })),
  cursor: Type.Union([Type.String(), Type.Null()], { description: 'for the next page; null on the last' }),
  indexedFrom: count('height from which on the index has seen every block; 1 unless the node joined by a snapshot'),
  indexedHeight: count('height up to which the index has seen every block'),
  scope: Type.Array(addressText, { description: 'organisations whose clinical fields the search covered' }),
});
/** A page of a search as clients see it. */
export type RecordPageView = Static<typeof recordPageSchema>;

/** What the event stream says of a block. */
export const blockEventSchema = closed({
  height: count('block height'),
  hash: hash('block hash'),
  timestampMs: count('milliseconds since the Unix epoch'),
  transactions: count('number of transactions'),
});
/** A block event as clients see it. */
export type BlockEventView = Static<typeof blockEventSchema>;
