import { compareBytes, concatBytes, toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { merkleRoot } from '../../src/crypto/merkle.ts';
import { indexRootOf } from '../../src/index/inner/build.ts';
import { decodeHeader, encodeHeader, type Header } from '../../src/ledger/block.ts';
import { BLOCK_FAULTS } from '../../src/ledger/block-check.ts';
import { blockContext } from '../../src/ledger/block-execution.ts';
import { executeTransaction, readTransaction } from '../../src/ledger/execution.ts';
import { REJECTIONS } from '../../src/ledger/rejection.ts';
import { type DecodedTransaction, decodeTransaction, transactionSchema } from '../../src/ledger/transaction.ts';
import { decodeBlockFrame } from '../../src/node/block-frame.ts';
import * as sample from '../ledger/sample-ledger.ts';
import { SampleLedger } from '../ledger/sample-ledger.ts';
import { type CaseSource, runCases } from './cases.ts';
import { type Counts, counter } from './counts.ts';
import { genesis, grown, transactions } from './ledger-corpus.ts';

const TRANSACTIONS: CaseSource = {
  name: 'ledger execution',
  form: 'fields',
  corpus: transactions.map(({ encoded }) => encoded),
};
const [first, ...later] = grown.blocks.map(({ frame }) => frame);
/** Of the first block more than of the others, which do not follow the genesis. */
const BLOCKS: CaseSource = { name: 'block check', form: 'fields', corpus: [first!, first!, first!, first!, ...later] };

const { doctor, colleague, stranger, researcher, patient, parent, child, infant, foreigner, hospitals, regulator } =
  sample;
const people = new Map(
  [...hospitals, regulator, doctor, colleague, stranger, researcher, patient, parent, child, infant, foreigner].map(
    (who) => [toHex(who.address), who],
  ),
);

/** The encoding with right signatures of all signers that the sample ledger knows. Throws a DecodeError. */
export function signedAnew(genesisHash: Uint8Array, encoded: Uint8Array): Uint8Array {
  const { transaction, preimage } = decodeTransaction(genesisHash, encoded);
  const signatures = transaction.signatures.map(({ account, keyIndex, bytes }) => {
    const signer = people.get(toHex(account))?.signers[keyIndex];
    return { account, keyIndex, bytes: signer?.sign(preimage) ?? bytes };
  });
  return encode(transactionSchema, { ...transaction, signatures });
}

/** Two ledgers of one genesis: with nothing on it, and with records. */
const ledgers = [new SampleLedger(genesis, indexRootOf), grown.ledger];

function stateHash(ledger: SampleLedger): string {
  const entries = ledger.state.entries().map(({ key, value }) => concatBytes(key, value ?? new Uint8Array(0)));
  return toHex(sha256(concatBytes(...entries.sort(compareBytes))));
}

/** Executes changed transactions, every other one signed anew; what is refused leaves the overlay as it was. */
export function fuzzExecution(seed: number, cases: number): Counts {
  const counts = counter();
  const before = ledgers.map(stateHash);
  runCases(TRANSACTIONS, seed, cases, (changed, _, { other, steps }) => {
    const ledger = ledgers[other % 2]!;
    const read = readTransaction(ledger.genesisHash, changed);
    if (read.kind === 'rejected') {
      counts.add(read.rejection.code);
      return;
    }
    const encoded = steps[0]![1] % 2 === 0 ? signedAnew(ledger.genesisHash, changed) : changed;
    const decoded = decodeTransaction(ledger.genesisHash, encoded);
    const overlay = ledger.view;
    const proposal = { parent: ledger.parent, timestampMs: ledger.parent.timestampMs + 1_000 };
    const context = blockContext(overlay, proposal, ledger.genesisHash);
    const outcome = executeTransaction(overlay, decoded, 0, context, ledger.parts.checks);
    const changes = overlay.changes().length;
    if (outcome.kind === 'applied') {
      if (changes === 0) throw new Error('an applied transaction left no trace');
      counts.add('applied');
      return;
    }
    const { code } = outcome.rejection;
    if (changes > 0) throw new Error(`refused as ${code}, and ${changes} entries were written`);
    if (!(code in REJECTIONS)) throw new Error(`${code} is no code of the list`);
    counts.add(code);
  });
  if (ledgers.map(stateHash).join() !== before.join()) throw new Error('the committed state has changed');
  return counts.all;
}

/** Checks changed blocks on the genesis, every other one with the sums of its header right again. */
export function fuzzBlockCheck(seed: number, cases: number): Counts {
  const counts = counter();
  const [ledger] = ledgers as [SampleLedger, SampleLedger];
  const before = stateHash(ledger);
  runCases(BLOCKS, seed, cases, (changed, _, { other, steps }) => {
    const block = readBlock(ledger.genesisHash, changed);
    if (block === undefined) {
      counts.add('malformed');
      return;
    }
    const header = steps[0]![1] % 2 === 0 ? withRightSums(block.header, block.transactions) : block.header;
    const occasion =
      other % 2 === 0 ? ({ kind: 'catchUp' } as const) : { kind: 'fresh' as const, view: 0, nowMs: header.timestampMs };
    const executed = grown.blocks[0]!.executed;
    const check = ledger.check({ ...executed, header, transactions: block.transactions }, {}, occasion);
    if (check.kind === 'valid') {
      if (compareBytes(check.block.encodedHeader, encodeHeader(header)) !== 0)
        throw new Error('found another block valid');
      counts.add('valid');
    } else if (check.fault.code in BLOCK_FAULTS) counts.add(check.fault.code);
    else throw new Error(`${check.fault.code} is no code of the list`);
  });
  if (stateHash(ledger) !== before) throw new Error('the committed state has changed');
  return counts.all;
}

function readBlock(genesisHash: Uint8Array, bytes: Uint8Array) {
  try {
    const frame = decodeBlockFrame(bytes);
    const decoded = frame.transactions.map((encoded) => decodeTransaction(genesisHash, encoded));
    return { header: decodeHeader(frame.header), transactions: decoded };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function withRightSums(header: Header, decoded: readonly DecodedTransaction[]): Header {
  return {
    ...header,
    txCount: decoded.length,
    txRoot: merkleRoot(decoded.map(({ txHash }) => txHash)),
    bodyBytes: decoded.reduce((sum, { encoded }) => sum + encoded.length, 0),
  };
}
