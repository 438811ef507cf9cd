import { BlockProofError, trustedLedger, verifyBlock } from '../../src/client/verify-block.ts';
import { compareBytes, equalBytes, fromHex } from '../../src/codec/bytes.ts';
import { decode, encode } from '../../src/codec/cbor.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import type { Schema } from '../../src/codec/schema.ts';
import { decodeMessage, encodeMessage } from '../../src/consensus/messages.ts';
import { INDEX_PROOF_BYTES_MAX, indexProofSchema } from '../../src/index/inner/proof.ts';
import { proveEntry, proveKey } from '../../src/index/inner/prove.ts';
import { entryProofFault, verifyKeyProof } from '../../src/index/inner/verify.ts';
import {
  decodeAttachment,
  decodeRecordFields,
  encodeAttachment,
  encodeRecordFields,
} from '../../src/ledger/attachment.ts';
import { decodeHeader, encodeHeader } from '../../src/ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, certificateSchema } from '../../src/ledger/certificate.ts';
import { readTransaction } from '../../src/ledger/execution.ts';
import { decodeGenesis, encodeGenesis, genesisHash } from '../../src/ledger/genesis.ts';
import { readLedgerStart } from '../../src/ledger/ledger-start.ts';
import { decodePatientLogEntry, encodePatientLogEntry } from '../../src/ledger/patient-log.ts';
import { decodeRestart, encodeRestart } from '../../src/ledger/restart.ts';
import { makeStateChunks, readStateChunk } from '../../src/ledger/state-chunk.ts';
import {
  MAP_PROOF_BYTES_MAX,
  mapPath,
  mapProofSchema,
  proveInMap,
  rootHash,
  verifyMapProof,
} from '../../src/ledger/state-map.ts';
import { decodeTransaction, transactionSchema } from '../../src/ledger/transaction.ts';
import { announcementOf, readAnnouncement } from '../../src/node/block-announcement.ts';
import { decodeBlockFrame, encodeBlockFrame } from '../../src/node/block-frame.ts';
import { encodeHeaderFrame, readHeaderFrame } from '../../src/node/linked-header.ts';
import { readServedBlock } from '../../src/node/served-block.ts';
import { decodeBatch, type TransactionEnvelope } from '../../src/p2p/batch.ts';
import { REQUESTS, type RequestProtocol } from '../../src/p2p/protocols.ts';
import restartVectors from '../ledger/restart.vectors.json' with { type: 'json' };
import { messages } from './consensus-corpus.ts';
import { Refused } from './decoder-run.ts';
import type { TableEntry } from './decoders.ts';
import {
  attachments,
  genesis,
  grown,
  heights,
  hospitalAddresses,
  indexes,
  madeUp,
  recordFields,
  transactions,
} from './ledger-corpus.ts';
import { encodeBatch } from './wire-encoders.ts';

const { blocks, ledger } = grown;
const { genesisHash: ledgerHash } = ledger;
const encodedTransactions = transactions.map(({ encoded }) => encoded);
const CBOR = { form: 'cbor', refusals: [DecodeError] } as const;

/** The state of the ledger in chunks small enough that there are many. */
const stateEntries = ledger.state
  .entries()
  .flatMap(({ key, value }) => (value === undefined ? [] : [{ path: mapPath(key), key, value }]))
  .sort((a, b) => compareBytes(a.path, b.path));
const wholeState = { from: new Uint8Array(32), depth: 0 };
const stateChunks = Array.from(makeStateChunks(ledger.map, wholeState, stateEntries, 2_000), ({ encoded }) => encoded);

const envelopes: readonly TransactionEnvelope[] = encodedTransactions.map((encoded, i) => ({
  encoded,
  attachment: i % 2 === 0 ? attachments[i % attachments.length]! : null,
}));

function schemaEntry<T>(
  name: string,
  covers: readonly string[],
  schema: Schema<T>,
  bytesMax: number,
  values: readonly T[],
): TableEntry {
  return {
    ...CBOR,
    name,
    covers,
    corpus: values.map((value) => encode(schema, value)),
    decode: (bytes) => encode(schema, decode(schema, bytes, bytesMax)),
  };
}

function protocolEntries<Q>(name: string, protocol: RequestProtocol<Q>, requests: readonly Q[]): readonly TableEntry[] {
  const answers: readonly (readonly (Uint8Array | null)[])[] =
    name === 'block' || name === 'payload'
      ? [[blocks[0]!.frame], [null]]
      : [[], [null, attachments[0]!, encodedTransactions[0]!], encodedTransactions];
  const { request, requestBytesMax, response, responseBytesMax } = protocol;
  return [
    schemaEntry(`request ${name}`, ['src/p2p/answer.ts#decode'], request, requestBytesMax, requests),
    schemaEntry(`reply ${name}`, ['src/p2p/request.ts#decode'], response, responseBytesMax, answers),
  ];
}

const proofs = indexes.flatMap(({ keys, pages, root }) =>
  keys.slice(0, 6).flatMap((key) => [
    { root, encoded: proveKey(pages, key.family, key.key) },
    { root, encoded: proveEntry(pages, key)! },
    { root, encoded: proveKey(pages, key.family, madeUp('absent', 32)) },
  ]),
);
const encodedGenesis = encodeGenesis(genesis);
const trusted = trustedLedger(encodedGenesis, genesisHash(encodedGenesis));
const restartFile = fromHex(restartVectors.file);
const restartOf = (genesisFile: Uint8Array, height: number) => {
  const restart = decodeRestart(restartFile);
  return encodeRestart({ ...restart, origin: { ...restart.origin, genesis: genesisFile, height } });
};
const paths = hospitalAddresses.map((address) => mapPath(Uint8Array.of(1, ...address)));

/** What peers and nodes send: messages, blocks, transactions, requests, replies and proofs. */
export const wireDecoders: readonly TableEntry[] = [
  {
    ...CBOR,
    name: 'consensus message',
    covers: ['src/consensus/messages.ts#decodeMessage', 'src/consensus/messages.ts#decode'],
    corpus: messages,
    decode: (bytes) => encodeMessage(decodeMessage(bytes)),
  },
  {
    ...CBOR,
    name: 'header',
    covers: ['src/ledger/block.ts#decodeHeader', 'src/ledger/block.ts#decode'],
    corpus: blocks.map(({ executed }) => executed.encodedHeader),
    decode: (bytes) => encodeHeader(decodeHeader(bytes)),
  },
  schemaEntry(
    'certificate',
    ['src/node/consensus-host.ts#decode', 'src/node/verify-data.ts#decode'],
    certificateSchema,
    CERTIFICATE_BYTES_MAX,
    blocks.map(({ certificate }) => certificate),
  ),
  {
    ...CBOR,
    name: 'block frame',
    covers: ['src/node/block-frame.ts#decodeBlockFrame', 'src/node/block-frame.ts#decode'],
    corpus: blocks.flatMap(({ frame, executed: { encodedHeader: header } }) => [
      frame,
      encodeBlockFrame({ header, certificate: new Uint8Array(0), transactions: [] }),
    ]),
    decode: (bytes) => encodeBlockFrame(decodeBlockFrame(bytes)),
  },
  {
    ...CBOR,
    name: 'block proof of a client',
    covers: ['src/client/verify-block.ts#decode'],
    corpus: blocks.map(({ frame }) => frame),
    refusals: [DecodeError, BlockProofError],
    decode(bytes) {
      const frame = decodeBlockFrame(bytes);
      verifyBlock(frame, trusted);
      return encodeBlockFrame(frame);
    },
  },
  {
    ...CBOR,
    name: 'transaction',
    covers: [
      'src/ledger/transaction.ts#decodeTransaction',
      'src/ledger/transaction.ts#decode',
      'src/ledger/execution.ts#readTransaction',
    ],
    corpus: encodedTransactions,
    decode(bytes) {
      if (readTransaction(ledgerHash, bytes).kind === 'rejected') throw new DecodeError('as decodeTransaction says');
      return encode(transactionSchema, decodeTransaction(ledgerHash, bytes).transaction);
    },
  },
  {
    ...CBOR,
    name: 'attachment',
    covers: ['src/ledger/attachment.ts#decodeAttachment', 'src/ledger/attachment.ts#decode'],
    corpus: attachments,
    // The blind comes first and is no CBOR: the mutators of structure fall back to bytes.
    decode: (bytes) => encodeAttachment(decodeAttachment(bytes)),
  },
  {
    ...CBOR,
    name: 'attachment content',
    covers: [],
    corpus: attachments.map((attachment) => attachment.slice(32)),
    decode(content) {
      const whole = new Uint8Array(32 + content.length);
      whole.set(content, 32);
      return encodeAttachment(decodeAttachment(whole)).subarray(32);
    },
  },
  {
    ...CBOR,
    name: 'search fields',
    covers: ['src/ledger/attachment.ts#decodeRecordFields'],
    corpus: recordFields,
    decode: (bytes) => encodeRecordFields(decodeRecordFields(bytes)),
  },
  {
    ...CBOR,
    name: 'batch',
    covers: ['src/p2p/batch.ts#decodeBatch', 'src/p2p/batch.ts#decode'],
    corpus: [envelopes, envelopes.slice(0, 1), envelopes.slice(1, 3)].map(encodeBatch),
    decode: (bytes) => encodeBatch(decodeBatch(bytes)),
  },
  ...protocolEntries('blocks', REQUESTS.blocks, [{ fromHeight: 1, maxBlocks: 64, maxBytes: 2 ** 21 }]),
  ...protocolEntries('block', REQUESTS.block, [blocks[0]!.executed.hash]),
  ...protocolEntries('bodies', REQUESTS.bodies, [transactions.map(({ txHash }) => txHash), []]),
  ...protocolEntries('attachments', REQUESTS.attachments, [transactions.map(({ txHash }) => txHash), []]),
  ...protocolEntries('payload', REQUESTS.payload, [Uint8Array.of(1, 0x55, 0x12, 0x20, ...madeUp('payload', 32))]),
  {
    ...CBOR,
    name: 'genesis document',
    covers: ['src/ledger/genesis.ts#decodeGenesis', 'src/ledger/genesis.ts#decode'],
    corpus: [encodedGenesis],
    decode: (bytes) => encodeGenesis(decodeGenesis(bytes)),
  },
  {
    ...CBOR,
    name: 'genesis file of a restart',
    covers: [
      'src/ledger/ledger-start.ts#readLedgerStart',
      'src/ledger/restart.ts#decodeRestart',
      'src/ledger/restart.ts#decode',
    ],
    corpus: [restartFile, restartOf(restartFile, 8), restartOf(encodedGenesis, 9)],
    decode(bytes) {
      const { restart, founding } = readLedgerStart(bytes);
      return restart === undefined ? encodeGenesis(founding) : encodeRestart(restart);
    },
  },
  {
    name: 'patient log entry',
    form: 'bytes',
    refusals: [DecodeError],
    covers: ['src/ledger/patient-log.ts#decodePatientLogEntry'],
    corpus: heights.map((height) =>
      encodePatientLogEntry({
        height,
        index: height % 4096,
        txId: madeUp('id', 32),
        action: 'record.amend',
        organisation: madeUp('organisation', 32),
      }),
    ),
    decode: (bytes) => encodePatientLogEntry(decodePatientLogEntry(bytes)),
  },
  {
    ...CBOR,
    name: 'index proof',
    covers: ['src/index/inner/verify.ts#decode'],
    corpus: proofs.map(({ encoded }) => encoded),
    decode(bytes) {
      for (const { keys, root } of indexes) {
        const [key] = keys;
        if (key === undefined) continue;
        verifyKeyProof(bytes, root, key.family, key.key);
        entryProofFault(bytes, root, key);
      }
      return encode(indexProofSchema, decode(indexProofSchema, bytes, INDEX_PROOF_BYTES_MAX));
    },
  },
  {
    ...CBOR,
    name: 'state proof',
    covers: [],
    corpus: paths.map((path) => encode(mapProofSchema, proveInMap(ledger.map, path))),
    decode(bytes) {
      const proof = decode(mapProofSchema, bytes, MAP_PROOF_BYTES_MAX);
      if (typeof verifyMapProof(madeUp('root', 32), paths[0]!, null, proof) !== 'boolean') throw new Refused();
      return encode(mapProofSchema, proof);
    },
  },
  {
    ...CBOR,
    name: 'chunk of the state',
    covers: ['src/ledger/state-chunk.ts#decode', 'src/ledger/state-chunk.ts#readStateChunk'],
    corpus: stateChunks,
    decode(bytes) {
      const chunk = readStateChunk(rootHash(ledger.map), bytes);
      if (typeof chunk === 'string') throw new Refused();
      if (!stateChunks.some((genuine) => equalBytes(genuine, bytes))) throw new Error('takes what is not the state');
      return bytes;
    },
    refusals: [Refused],
  },
  {
    ...CBOR,
    name: 'announcement of a block',
    covers: ['src/node/block-announcement.ts#decode', 'src/node/block-announcement.ts#readAnnouncement'],
    corpus: blocks.map(({ executed, certificate }) => announcementOf(executed, certificate)),
    decode: (bytes) => (readAnnouncement(bytes).height >= 0 ? encodeBlockFrame(decodeBlockFrame(bytes)) : undefined),
  },
  {
    ...CBOR,
    name: 'header with its certificate',
    covers: ['src/node/linked-header.ts#decode', 'src/node/linked-header.ts#readHeaderFrame'],
    corpus: blocks.flatMap(({ executed, encodedCertificate }) => [
      encodeHeaderFrame(executed.encodedHeader),
      encodeHeaderFrame(executed.encodedHeader, encodedCertificate),
    ]),
    decode(bytes) {
      const served = readHeaderFrame(bytes);
      if (served === undefined) throw new Refused();
      return encodeHeaderFrame(served.encoded, served.encodedCertificate);
    },
    refusals: [Refused],
  },
  {
    ...CBOR,
    name: 'block served to one who is behind',
    covers: ['src/node/served-block.ts#decode', 'src/node/served-block.ts#readServedBlock'],
    corpus: blocks.map(({ frame }) => frame),
    decode(bytes) {
      const served = readServedBlock(bytes);
      if (served === undefined) throw new Refused();
      return encodeBlockFrame(served.frame);
    },
    refusals: [Refused],
  },
];
