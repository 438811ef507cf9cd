import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decodeLog, encodeFrame, encodeLogHeader } from '../../src/cli/load/load-log-format.ts';
import { PeopleList } from '../../src/cli/people-list.ts';
import { readReadyFile } from '../../src/cli/ready-file.ts';
import { concatBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import type { Schema } from '../../src/codec/schema.ts';
import { decodeJournalRecord, encodeJournalRecord } from '../../src/consensus/journal-record.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import {
  KeyFileError,
  readAccountKey,
  readValidatorKey,
  writeAccountKey,
  writeValidatorKey,
} from '../../src/crypto/node/keystore.ts';
import { pagesMatchRoot } from '../../src/index/inner/build.ts';
import { lookup } from '../../src/index/inner/lookup.ts';
import { entriesOf, readPages, writePages } from '../../src/index/inner/pages.ts';
import { proveEntry, proveKey } from '../../src/index/inner/prove.ts';
import { decodeStateValue, FAMILIES, type Family } from '../../src/ledger/state.ts';
import { decodeJournalEntry, encodeBodies as encodeBodyEntry, encodeRecord } from '../../src/node/journal-entry.ts';
import { readJournalContent } from '../../src/node/journal-keeper.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { bodyAt, decodeBodies, encodeBodies } from '../../src/storage/block-bodies.ts';
import { decodeJournal, encodeGroup, encodeJournalFile } from '../../src/storage/journal-format.ts';
import {
  decodeFormat,
  decodeInstall,
  decodeLocation,
  decodeRanges,
  decodeTip,
  decodeU64,
  encodeFormat,
  encodeInstall,
  encodeLocation,
  encodeRanges,
  encodeTip,
  encodeU64,
  heightKey,
  openValue,
  PREFIX,
  sealValue,
} from '../../src/storage/schema.ts';
import { decodeLastBlock, encodeLastBlock } from '../../src/storage/start-state-file.ts';
import { journalRecords } from './consensus-corpus.ts';
import { Refused } from './decoder-run.ts';
import type { TableEntry } from './decoders.ts';
import {
  attachments,
  grown,
  heights,
  hospitalAddresses,
  indexes,
  madeUp,
  stateValues,
  transactions,
} from './ledger-corpus.ts';

const CBOR = { form: 'cbor', refusals: [DecodeError] } as const;
const STORED = { form: 'bytes', refusals: [Refused] } as const;
const { blocks } = grown;

const entries = [
  ...journalRecords.map((record) => encodeRecord(encodeJournalRecord(record))),
  ...blocks.map(({ executed: { hash, transactions } }) =>
    encodeBodyEntry(hash, { transactions: transactions.map(({ encoded }) => encoded), attachments: [attachments[0]!] }),
  ),
];

function journalFile(count: number): Uint8Array {
  const salt = madeUp(`salt ${count}`, 16);
  let file = encodeJournalFile({ salt, firstSequence: count }, entries.slice(0, 1));
  for (let i = 1; i <= count; i += 1)
    file = concatBytes(file, encodeGroup(salt, file.length, count + i, entries.slice(i, i + 1)));
  return file;
}

function loadLog(): Uint8Array {
  const salt = madeUp('log', 8);
  const mark = madeUp('mark', 32);
  const { txId, encoded } = transactions[0]!;
  return concatBytes(
    encodeLogHeader(salt, madeUp('genesis', 32)),
    encodeFrame(salt, [
      { kind: 'Registered', address: madeUp('address', 32) },
      { kind: 'Signed', mark, txId, validUntilMs: 5, encoded, attachment: attachments[0]! },
    ]),
    encodeFrame(salt, [{ kind: 'Committed', mark, height: 3, index: 1 }]),
    encodeFrame(salt, [{ kind: 'Dropped', mark }]),
  );
}

function familyEntry<T>(name: string, family: Family<T>, more: readonly T[] = []): TableEntry {
  const schema: Schema<T> = family.schema;
  return {
    ...CBOR,
    name: `state value ${name}`,
    covers: ['ledger/state.ts#decodeStateValue', 'ledger/state.ts#decode', 'node/chain.ts#decode'].map(
      (of) => `src/${of}`,
    ),
    corpus: [...(stateValues.get(family.code) ?? []), ...more.map((value) => encode(schema, value))],
    decode: (bytes) => encode(schema, decodeStateValue(family, bytes)),
  };
}

function fixedEntry<T>(
  name: string,
  decode: (bytes: Uint8Array) => T | undefined,
  encodeValue: (value: T) => Uint8Array,
  values: readonly T[],
): TableEntry {
  return {
    ...STORED,
    name: `stored ${name}`,
    covers: [`src/storage/schema.ts#${decode.name}`],
    corpus: values.map(encodeValue),
    decode: (bytes) => encodeValue(taken(decode(bytes))),
  };
}

function taken<T>(value: T | undefined | 'damaged'): T {
  if (value === undefined || value === 'damaged') throw new Refused();
  return value as T;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'medledger-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const changedFile = path.join(folder, 'changed');
const keyFiles = {
  account: path.join(folder, 'account.json'),
  validator: path.join(folder, 'validator.json'),
};
writeAccountKey(keyFiles.account, {
  name: 'Klinikum Süd',
  role: 'organisation',
  address: formatAddress(hospitalAddresses[0]!),
  signingSeed: madeUp('signing', 32),
  sealingSecret: madeUp('sealing', 32),
});
writeValidatorKey(keyFiles.validator, { name: 'hospital-1', signingSeed: madeUp('validator', 32) });

function fileEntry(name: string, covers: string, corpus: readonly Uint8Array[], read: () => unknown): TableEntry {
  return {
    name,
    form: 'text',
    refusals: [KeyFileError, OperatorError],
    covers: [covers],
    corpus,
    decode(bytes) {
      writeFileSync(changedFile, bytes, { mode: 0o600 });
      read();
      return undefined;
    },
  };
}

const people = ['Ada', 'Zoë "Z" Ł', 'x'].map((name, i) =>
  JSON.stringify({
    role: ['patient', 'doctor', 'researcher'][i],
    name,
    organisation: formatAddress(hospitalAddresses[i]!),
    address: formatAddress(hospitalAddresses[i + 1]!),
  }),
);
const ready = { genesisHash: grown.ledger.genesisHash, publicKey: madeUp('candidate', 32) };
const readyFile = utf8(
  JSON.stringify({
    type: 'medledger-ready',
    genesisHash: toHex(ready.genesisHash),
    publicKey: toHex(ready.publicKey),
    organisation: formatAddress(hospitalAddresses[0]!),
    replaces: null,
    addresses: ['/ip4/127.0.0.1/tcp/1'],
    height: 3,
    signature: toHex(madeUp('ready', 64)),
  }),
);
const bodiesKey = heightKey(PREFIX.bodies, 7);
const tips = heights.map((height) => ({
  tip: { height, hash: madeUp('tip', 32) },
  transactions: height,
}));

/** What a node and its operator's tools read back from disk. */
export const storedDecoders: readonly TableEntry[] = [
  {
    ...CBOR,
    name: 'journal record',
    covers: ['src/consensus/journal-record.ts#decodeJournalRecord', 'src/consensus/journal-record.ts#decode'],
    corpus: journalRecords.map(encodeJournalRecord),
    decode: (bytes) => encodeJournalRecord(decodeJournalRecord(bytes)),
  },
  {
    ...CBOR,
    name: 'last block before a restart',
    covers: ['src/storage/start-state-file.ts#decodeLastBlock', 'src/storage/start-state-file.ts#decode'],
    corpus: blocks.map(({ executed, encodedCertificate }) =>
      encodeLastBlock({
        header: executed.encodedHeader,
        certificate: encodedCertificate,
        validators: madeUp('validators', 260),
      }),
    ),
    decode: (bytes) => encodeLastBlock(decodeLastBlock(bytes)),
  },
  {
    ...CBOR,
    name: 'journal entry',
    covers: [
      'src/node/journal-entry.ts#decodeJournalEntry',
      'src/node/journal-entry.ts#decode',
      'src/node/journal-keeper.ts#readJournalContent',
    ],
    corpus: entries,
    decode(bytes) {
      const entry = decodeJournalEntry(bytes);
      readJournalContent([bytes]);
      return entry.kind === 'Record' ? encodeRecord(entry.record) : encodeBodyEntry(entry.blockHash, entry);
    },
  },
  {
    ...STORED,
    name: 'journal file',
    covers: ['src/storage/journal-format.ts#decodeJournal'],
    corpus: [1, 3, 40].map(journalFile),
    decode(bytes) {
      const content = decodeJournal(bytes);
      if (content.kind === 'damaged') throw new Refused();
      if (content.length > bytes.length) throw new Error('more bytes count than there are');
      return undefined;
    },
  },
  {
    ...STORED,
    name: 'load log',
    covers: ['src/cli/load/load-log-format.ts#decodeLog', 'src/cli/load/load-log-format.ts#decode'],
    corpus: [loadLog()],
    decode(bytes) {
      taken(decodeLog(bytes));
      return undefined;
    },
  },
  {
    ...STORED,
    name: 'stored bodies',
    covers: ['src/storage/block-bodies.ts#decodeBodies'],
    corpus: blocks.map(({ executed }) =>
      encodeBodies(
        bodiesKey,
        executed.transactions.map(({ encoded }) => encoded),
      ),
    ),
    decode(bytes) {
      bodyAt(bodiesKey, bytes, 1);
      return encodeBodies(bodiesKey, taken(decodeBodies(bodiesKey, bytes)));
    },
  },
  {
    ...STORED,
    name: 'sealed value',
    covers: [],
    corpus: blocks.map(({ executed }) => sealValue(bodiesKey, executed.encodedHeader)),
    decode: (bytes) => sealValue(bodiesKey, taken(openValue(bodiesKey, bytes))),
  },
  fixedEntry('format', decodeFormat, ({ version, genesisHash }) => encodeFormat(version, genesisHash), [
    { version: 1, genesisHash: madeUp('genesis', 32) },
  ]),
  fixedEntry('tip', decodeTip, encodeTip, tips),
  fixedEntry(
    'location',
    decodeLocation,
    encodeLocation,
    heights.map((height) => ({ height, index: 4095 })),
  ),
  fixedEntry('number', decodeU64, encodeU64, heights),
  fixedEntry('ranges of heights', decodeRanges, encodeRanges, [
    [],
    heights.map((height) => ({ from: height, through: height })),
  ]),
  fixedEntry(
    'installation',
    decodeInstall,
    encodeInstall,
    tips.map((tip) => ({ ...tip, gapFrom: 1 })),
  ),
  {
    name: 'index pages',
    form: 'bytes',
    refusals: [DecodeError, RangeError],
    covers: ['src/index/inner/pages.ts#readPages'],
    corpus: indexes.map(({ pages }) => pages),
    decode(bytes) {
      const pages = readPages(bytes);
      for (const { keys, root } of indexes) {
        const [key] = keys;
        if (key === undefined) continue;
        lookup(bytes, key.family, key.key);
        proveEntry(bytes, key);
        proveKey(bytes, key.family, key.key);
        pagesMatchRoot(bytes, root);
      }
      // Directories are not checked: a wrong one leads to no answer, and never to a wrong one.
      return writePages(entriesOf(pages)).bytes.length === bytes.length ? undefined : new Uint8Array(0);
    },
  },
  familyEntry('account', FAMILIES.account),
  familyEntry('tenure', FAMILIES.tenure),
  familyEntry('evidence', FAMILIES.evidence),
  familyEntry('record', FAMILIES.record),
  familyEntry('recent ids', FAMILIES.recentIds),
  familyEntry('patient log', FAMILIES.patientLog, [{ count: 3, peaks: [madeUp('a', 32), madeUp('b', 32)] }]),
  familyEntry('parameters', FAMILIES.parameters),
  familyEntry('validators', FAMILIES.validators),
  familyEntry('skip table', FAMILIES.skip, [[{ publicKey: madeUp('k', 32), misses: 3, skippedUntil: 90 }]]),
  familyEntry('requirement', FAMILIES.requirement),
  familyEntry('organisation', FAMILIES.organisation),
  familyEntry('members', FAMILIES.members),
  fileEntry(
    'account key file',
    'src/crypto/node/keystore.ts#readAccountKey',
    [new Uint8Array(readFileSync(keyFiles.account))],
    () => readAccountKey(changedFile),
  ),
  fileEntry(
    'validator key file',
    'src/crypto/node/keystore.ts#readValidatorKey',
    [new Uint8Array(readFileSync(keyFiles.validator))],
    () => readValidatorKey(changedFile),
  ),
  fileEntry('statement of readiness', 'src/cli/ready-file.ts#readReadyFile', [readyFile], () =>
    readReadyFile(changedFile, ready.genesisHash),
  ),
  fileEntry(
    'list of people',
    'src/cli/people-list.ts#PeopleList',
    [utf8(`${people.join('\n')}\n`), utf8(`${people[0]}\n${people[1]!.slice(0, 20)}`)],
    () => new PeopleList(changedFile),
  ),
];
