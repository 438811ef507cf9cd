import { toHex } from '../../src/codec/bytes.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import { encodeMessage, type Message } from '../../src/consensus/messages.ts';
import { Bench } from '../consensus/bench.ts';
import { calmPlan } from '../simulation/calm.ts';
import { makePlan } from '../simulation/plan.ts';
import { World } from '../simulation/world.ts';

/** Messages of every kind that the validators of the bench could send, correctly signed, in the words of `forge`. */
const FORGED: readonly (readonly [as: number, words: string])[] = [
  [1, 'PrePrepare view=0 block=A'],
  [1, 'Prepare view=0 block=A'],
  [2, 'Prepare view=1 block=A'],
  [2, 'Commit view=0 block=A'],
  [3, 'Commit view=2 block=B'],
  [1, 'ViewChange view=1'],
  [2, 'ViewChange view=1 prepared=0/A signers=0,1,2'],
  [3, 'ViewChange view=4 prepared=2/A signers=1,2,3'],
  [2, 'PrePrepare view=1 block=A parts=1,2,3 prepared=0/A signers=0,1,2'],
  [3, 'PrePrepare view=2 block=A parts=0,1,3'],
  [0, 'PrePrepare view=3 block=A parts=0,1,2 prepared=1/A signers=1,2,3'],
  [2, 'PrePrepare view=0 block=A height=2'],
  [3, 'Prepare view=0 block=A height=2'],
  [2, 'ViewChange view=1 height=2'],
  [2, 'Commit view=0 block=A height=9'],
];

/** Runs of the simulator whose traffic is taken: calm, and with liars and a bad network. */
const PLANS = [calmPlan(4, 7), makePlan(11, 4), makePlan(23, 7)];

/** What nodes said and wrote in runs of the simulator, each encoding once, and at most so many of a kind in a run. */
const PER_KIND_MAX = 25;

function gather(): { readonly messages: readonly Uint8Array[]; readonly records: readonly JournalRecord[] } {
  const messages = new Map<string, Uint8Array>();
  const records: JournalRecord[] = [];
  for (const plan of PLANS) {
    const kinds = new Map<string, number>();
    const isWanted = (kind: string) => {
      const before = kinds.get(kind) ?? 0;
      kinds.set(kind, before + 1);
      return before < PER_KIND_MAX;
    };
    const world = new World({ plan });
    const { invariants } = world;
    const onSend = invariants.onSend.bind(invariants);
    invariants.onSend = (node: number, message: Message, own: number | null) => {
      const encoded = encodeMessage(message);
      const name = toHex(encoded);
      if (!messages.has(name) && isWanted(message.kind)) messages.set(name, encoded);
      onSend(node, message, own);
    };
    const onDurable = invariants.onDurable.bind(invariants);
    invariants.onDurable = (node: number, durable: readonly JournalRecord[]) => {
      for (const record of durable) if (isWanted(`record ${record.kind}`)) records.push(record);
      onDurable(node, durable);
    };
    world.run();
  }
  return { messages: [...messages.values()], records };
}

const gathered = gather();
const bench = new Bench({ n: 4 });

/** Encodings of messages of every kind, view changes with certificates and justified proposals among them. */
export const messages: readonly Uint8Array[] = [
  ...FORGED.map(([as, words]) => encodeMessage(bench.forge(as, words))),
  ...gathered.messages,
];

/** Journal records of every kind. */
export const journalRecords: readonly JournalRecord[] = [
  { kind: 'Birth' },
  { kind: 'Amnesia' },
  { kind: 'Truncated', height: 2 ** 40, blockHash: bench.context.previousHash },
  ...gathered.records,
];
