// What consensus asks for is carried out in its order: on disk first, then sent; and what fails stops the node.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../src/codec/bytes.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import { encodeJournalRecord, type JournalRecord } from '../../src/consensus/journal-record.ts';
import type { PrePrepare, Prepare } from '../../src/consensus/messages.ts';
import { type BlockWork, EffectRunner } from '../../src/node/effect-runner.ts';
import { decodeJournalEntry } from '../../src/node/journal-entry.ts';
import { Bench } from '../consensus/bench.ts';

const bench = new Bench({ n: 4 });
const proposal = bench.forge(1, 'PrePrepare view=0 block=A') as PrePrepare;
const prepare = bench.forge(0, 'Prepare view=0 block=A') as Prepare;
const bodies = { transactions: [utf8('transaction')], attachments: [utf8('attachment of the transaction')] };
const records: readonly JournalRecord[] = [
  { kind: 'Proposal', message: proposal, fresh: true },
  { kind: 'Vote', message: prepare },
];

/** A runner of a core that answers each input as told, and what came of it. */
function runnerOf(answer: (input: Input) => readonly Effect[], append: () => Promise<void>) {
  const told: string[] = [];
  const observed: string[] = [];
  const entries: Uint8Array[] = [];
  const runner = new EffectRunner({
    step(input) {
      told.push(input.kind);
      return answer(input);
    },
    work: { bodiesOf: () => bodies, hasPending: () => false } as unknown as BlockWork,
    journal: {
      append(_, appended) {
        told.push('append');
        entries.push(...appended);
        return append();
      },
      truncate: () => told.push('truncate'),
    },
    network: { broadcast: () => told.push('broadcast'), send: () => told.push('send') },
    observe: ({ kind }) => observed.push(kind),
    onReport: () => undefined,
    onEvidence: () => undefined,
    onFatal: (error) => told.push(`fatal: ${(error as Error).message}`),
  });
  return { runner, told, observed, entries };
}

const begin: Input = { kind: 'PendingChanged', height: 1, applicable: true };
const persistThenSend = (input: Input): readonly Effect[] => {
  if (input.kind === 'Synced') return [{ kind: 'Broadcast', message: prepare }];
  return input.kind === 'PendingChanged' ? [{ kind: 'Persist', token: 1, records }] : [];
};

test('before PREPARE leaves, the vote, the full block and its attachments are on disk', async () => {
  let sync: () => void = () => undefined;
  const { runner, told, entries } = runnerOf(persistThenSend, () => new Promise((resolve) => (sync = resolve)));
  runner.deliver(begin);
  await Promise.resolve();
  assert.equal(told, ['PendingChanged', 'append']);
  const [block, blockBodies, vote, ...more] = entries.map(decodeJournalEntry);
  assert.ok(block?.kind === 'Record' && vote?.kind === 'Record' && more.length === 0);
  assert.equal([block.record, vote.record], records.map(encodeJournalRecord));
  assert.equal(blockBodies, { kind: 'Bodies', blockHash: proposal.blockHash, ...bodies });
  sync();
  await new Promise(setImmediate);
  assert.equal(told.slice(2), ['Synced', 'broadcast']);
});

test('a journal that can not be written stops the node, and nothing more is sent', async () => {
  const { runner, told } = runnerOf(persistThenSend, () => Promise.reject(new Error('disk full')));
  runner.deliver(begin);
  await new Promise(setImmediate);
  assert.equal(told, ['PendingChanged', 'append', 'fatal: disk full']);
  runner.deliver(begin);
  runner.deliver({ kind: 'Synced', token: 1 });
  assert.is(told.length, 3);
});

test('inputs are taken one at a time, one that comes while another is handled after it', () => {
  const { runner, told } = runnerOf(
    (input) => {
      if (input.kind !== 'PendingChanged') return [];
      runner.deliver({ kind: 'Connected', peer: prepare.blockHash });
      return [{ kind: 'Broadcast', message: prepare }];
    },
    () => Promise.resolve(),
  );
  runner.deliver(begin);
  assert.equal(told, ['PendingChanged', 'broadcast', 'Connected']);
});

test('each effect is seen before it is carried out, also one that fails', () => {
  const { runner, observed } = runnerOf(persistThenSend, () => {
    observed.push('append');
    return Promise.reject(new Error('disk full'));
  });
  runner.deliver(begin);
  assert.equal(observed, ['Persist', 'append']);
});

test.run();
