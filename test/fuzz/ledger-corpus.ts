import { concatBytes, fromHex, utf8 } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { nobleSigner } from '../../src/crypto/signer.ts';
import { indexRootOf } from '../../src/index/inner/build.ts';
import { attachmentReference, encodeAttachment, encodeRecordFields } from '../../src/ledger/attachment.ts';
import type { ExecutedBlock } from '../../src/ledger/block-execution.ts';
import { type Certificate, certificateSchema } from '../../src/ledger/certificate.ts';
import { genesisState } from '../../src/ledger/genesis.ts';
import { indexKeys } from '../../src/ledger/index-keys.ts';
import { type DecodedTransaction, decodeTransaction } from '../../src/ledger/transaction.ts';
import { validatorIndex } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { encodeBlockFrame } from '../../src/node/block-frame.ts';
import vectors from '../ledger/ledger.vectors.json' with { type: 'json' };
import {
  amendAction,
  child,
  createAction,
  doctor,
  genesisDocument,
  hospitals,
  infant,
  north,
  parent,
  patient,
  person,
  registerAction,
  SampleLedger,
} from '../ledger/sample-ledger.ts';

/** Any number of bytes that follow from a name. */
export function madeUp(name: string, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(utf8(`${name} ${i}`)));
  return concatBytes(...blocks).slice(0, length);
}

const fields = (n: number) => ({
  kind: 'Observation',
  codes: Array.from({ length: n }, (_, i) => `http://loinc.org|${4548 + i}-4`),
  date: n % 2 === 0 ? '' : `2026-03-0${1 + (n % 9)}T09:30:00Z`,
  department: 'Endokrinologie',
  region: 'DE-BE',
  title: 'Hämoglobin A1c',
});

/** Search fields of records: none, one and many codes. */
export const recordFields: readonly Uint8Array[] = [0, 1, 5, 32].map((n) => encodeRecordFields(fields(n)));

/** Attachments without and with fields, and with many wraps. */
export const attachments: readonly Uint8Array[] = [0, 2, 6, 64].map((wraps) =>
  encodeAttachment({
    blind: madeUp(`blind ${wraps}`, 32),
    fields: madeUp('fields', wraps * 20),
    wraps: Array.from({ length: wraps }, (_, i) => ({
      recipient: madeUp(`recipient ${i}`, 32),
      secret: i % 2 === 0 ? 's' : 'kNode',
      wrap: madeUp(`wrap ${i}`, 80),
    })),
  }),
);

/** A decided block of the sample ledger, as the nodes keep and send it. */
export interface CorpusBlock {
  readonly executed: ExecutedBlock;
  readonly certificate: Certificate;
  readonly encodedCertificate: Uint8Array;
  readonly frame: Uint8Array;
}

const signers = [0, 1, 2, 3].map((i) => nobleSigner(sha256(utf8(`validator ${i}`))));

function certify(genesisHash: Uint8Array, { header, hash, validators }: ExecutedBlock): Certificate {
  const vote = { height: header.height, view: 0, blockHash: hash };
  const preimage = votePreimage('COMMIT', genesisHash, vote);
  const signatures = signers
    .flatMap((key) => {
      const signer = validatorIndex(validators, key.publicKey);
      return signer === undefined ? [] : [{ signer, signature: key.sign(preimage) }];
    })
    .sort((a, b) => a.signer - b.signer);
  return { ...vote, signatures: signatures.slice(0, header.height % 2 === 0 ? 3 : 4) };
}

/** Moves the ledger on by a block of these transactions, and certifies it. */
export function growBlock(ledger: SampleLedger, transactions: readonly DecodedTransaction[]): CorpusBlock {
  const executed = ledger.advance(transactions);
  const certificate = certify(ledger.genesisHash, executed);
  const encodedCertificate = encode(certificateSchema, certificate);
  const frame = encodeBlockFrame({
    header: executed.encodedHeader,
    certificate: encodedCertificate,
    transactions: executed.transactions.map(({ encoded }) => encoded),
  });
  return { executed, certificate, encodedCertificate, frame };
}

/** The genesis of the sample ledger. */
export const genesis = genesisDocument();

/** What a ledger of every action leaves: its blocks, the transactions of each, and the state at the end. */
function growLedger(): { readonly ledger: SampleLedger; readonly blocks: readonly CorpusBlock[] } {
  const ledger = new SampleLedger(genesis, indexRootOf);
  const blocks = transactionsByBlock(ledger).map((transactions) => growBlock(ledger, transactions()));
  return { ledger, blocks };
}

/** Transactions of every action and kind of control, a block after the other; made when their block is due. */
function transactionsByBlock(ledger: SampleLedger): readonly (() => DecodedTransaction[])[] {
  const newcomer = person('newcomer', 3);
  const ward = person('ward');
  const attachment = attachmentReference(attachments[1]!);
  const id = ledger.recordId(doctor);
  return [
    () => [
      ledger.transaction(registerAction(newcomer), [newcomer, north], { salt: 'a' }),
      ledger.transaction(
        registerAction(ward, {
          control: { kind: 'guardian', account: parent.address, untilMs: genesis.createdMs * 2 },
        }),
        [ward, north],
        { salt: 'b' },
      ),
      ledger.transaction(createAction(), [doctor, north], { attachment }),
    ],
    () => [
      ledger.transaction(amendAction(id), [doctor, patient], { salt: 'c', attachment }),
      ledger.transaction(createAction({ patient: child.address, class: 8 }), [doctor, north], { salt: 'd' }),
      ledger.transaction(createAction({ patient: infant.address }), [doctor, north], { salt: 'e' }),
    ],
    () => [],
    () => [ledger.transaction(amendAction(id, { expectedVersion: 2 }), [doctor, patient], { salt: 'f' })],
  ];
}

/** The grown ledger that the whole folder uses; nobody changes it. */
export const grown = growLedger();

/** Every transaction of its blocks, and those of the published vectors: actions of every kind. */
export const transactions: readonly DecodedTransaction[] = [
  ...grown.blocks.flatMap(({ executed }) => executed.transactions),
  ...vectors.seats.transactions.map(({ encoded }) => decodeTransaction(grown.ledger.genesisHash, fromHex(encoded))),
];

/** The index of each of its blocks by the node's own function, and one of several pages. */
export const indexes = [
  ...grown.blocks.map(({ executed }) =>
    executed.receipts.flatMap((receipt, place) => indexKeys(place, executed.transactions[place]!.txId, receipt)),
  ),
  Array.from({ length: 300 }, (_, i) => ({ family: 'txId', key: madeUp(`key ${i % 280}`, 32), txIndex: i }) as const),
].map((keys) => ({ keys, ...indexRootOf(keys) }));

/** Entries of the state by the code of their family, the genesis among them. */
export const stateValues: ReadonlyMap<number, readonly Uint8Array[]> = (() => {
  const byFamily = new Map<number, Uint8Array[]>();
  const published = [vectors.seats.tenure, vectors.seats.evidence];
  const more = published.map(({ key, value }) => ({ key: fromHex(key), value: fromHex(value) }));
  for (const { key, value } of [...grown.ledger.state.entries(), ...genesisState(genesis).changes, ...more])
    if (value !== undefined) byFamily.set(key[0]!, [...(byFamily.get(key[0]!) ?? []), value]);
  return byFamily;
})();

/** A number as a stored or signed height. */
export const heights: readonly number[] = [0, 1, 255, 2 ** 32, 2 ** 53 - 1];
export const hospitalAddresses: readonly Uint8Array[] = hospitals.map(({ address }) => address);
