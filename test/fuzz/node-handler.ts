import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import type { Submission } from '../../src/node/ports.ts';
import { readServedBlock, servedBlockFault } from '../../src/node/served-block.ts';
import { decodeBatch } from '../../src/p2p/batch.ts';
import { type CaseSource, runAsyncCases, runCases } from './cases.ts';
import { type Counts, counter } from './counts.ts';
import { attachments, grown, transactions } from './ledger-corpus.ts';
import { signedAnew } from './ledger-handler.ts';
import { type NodeFixture, openNodeFixture } from './node-fixture.ts';
import { encodeBatch } from './wire-encoders.ts';

const submissions = transactions.map(({ encoded, transaction }) => ({
  encoded,
  attachment: transaction.attachment === null ? null : attachments[1]!,
}));
const BATCHES: CaseSource = {
  name: 'intake',
  form: 'fields',
  corpus: [...submissions.map((submission) => encodeBatch([submission])), encodeBatch(submissions.slice(0, 3))],
};
const [firstBlock, ...laterBlocks] = grown.blocks.map(({ frame }) => frame);
const FRAMES: CaseSource = {
  name: 'catch-up',
  form: 'fields',
  corpus: [firstBlock!, firstBlock!, firstBlock!, firstBlock!, ...laterBlocks],
};

/** What must stay as it is while things are refused. */
function place({ chain, mempool, store }: NodeFixture): string {
  return `${store.tip()?.height} ${toHex(chain.stateRoot)} ${mempool.size} ${mempool.bytes}`;
}

/** Changed batches of a peer and submissions of a client; what is refused leaves pool and state as they were. */
export async function fuzzIntake(seed: number, cases: number): Promise<Counts> {
  const counts = counter();
  const node = await openNodeFixture();
  const empty = place(node);
  await runAsyncCases(BATCHES, seed, cases, async (changed, _, { other, steps }) => {
    const batch = readBatch(node, changed, steps[0]![1] % 2 === 0);
    if (batch === undefined) {
      counts.add('malformed');
      return;
    }
    if (other % 2 === 0) {
      await node.intake.receive(batch);
      counts.add(node.mempool.size > 0 ? 'received' : 'dropped');
    } else {
      const outcomes = await node.intake.submit(batch);
      const kinds = outcomes.map(({ status }) => (status.kind === 'Rejected' ? status.code : status.kind));
      if (kinds.length !== batch.length) throw new Error('not an outcome for each');
      if (!kinds.includes('Pending') && place(node) !== empty) throw new Error(`${kinds} left something behind`);
      for (const kind of kinds) counts.add(kind);
    }
    for (const { decoded } of [...node.mempool.entries()]) node.mempool.remove(toHex(decoded.txId));
    if (place(node) !== empty) throw new Error('the state or the pool is not what it was');
  });
  await node.close();
  return counts.all;
}

function readBatch(node: NodeFixture, bytes: Uint8Array, signs: boolean): readonly Submission[] | undefined {
  try {
    const batch = decodeBatch(bytes);
    return signs ? batch.map((submission) => signedSubmission(node, submission)) : batch;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function signedSubmission({ chain }: NodeFixture, { encoded, attachment }: Submission): Submission {
  try {
    return { encoded: signedAnew(chain.genesisHash, encoded), attachment };
  } catch (error) {
    if (error instanceof DecodeError) return { encoded, attachment };
    throw error;
  }
}

/** Changed blocks served to a node that is behind: what passes its checks is what a quorum has certified. */
export async function fuzzServedBlocks(seed: number, cases: number): Promise<Counts> {
  const counts = counter();
  const node = await openNodeFixture();
  const before = place(node);
  const genuine = grown.blocks[0]!.executed;
  runCases(FRAMES, seed, cases, (changed) => {
    const served = readServedBlock(changed);
    const fault = served === undefined ? 'malformed' : servedBlockFault(served, node.chain);
    counts.add(fault ?? 'taken');
    if (fault !== undefined || served === undefined) return;
    const hashes = genuine.transactions.map(({ txHash }) => toHex(txHash));
    if (!equalBytes(served.frame.header, genuine.encodedHeader)) throw new Error('takes what nobody certified');
    if (served.txHashes.map(toHex).join() !== hashes.join()) throw new Error('takes other transactions');
  });
  if (place(node) !== before) throw new Error('the chain has moved');
  await node.close();
  return counts.all;
}
