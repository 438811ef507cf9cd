import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import { readEventStream } from '../../src/client/event-stream.ts';
import { utf8 } from '../../src/codec/bytes.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { readPayload } from '../../src/node/payload-dag.ts';
import { makePrng } from '../simulation/prng.ts';
import { type CaseSource, runAsyncCases } from './cases.ts';
import { type Counts, counter } from './counts.ts';
import { hospitalAddresses, madeUp } from './ledger-corpus.ts';

const events = [1, 2, 3].map(
  (height) =>
    `id: ${height}\nevent: block\ndata: {"height":${height},"by":"${formatAddress(hospitalAddresses[0]!)}"}\n\n`,
);
const EVENTS: CaseSource = {
  name: 'event stream',
  form: 'text',
  corpus: [events.join(': comment\n\n'), events.join('').replaceAll('\n', '\r\n')].map(utf8),
};

/** Changed event streams in pieces of any size: events with text, and no other error than that one is too long. */
export async function fuzzEventStream(seed: number, cases: number): Promise<Counts> {
  const counts = counter();
  await runAsyncCases(EVENTS, seed, cases, async (changed, _, { other }) => {
    const prng = makePrng(other);
    async function* body() {
      for (let at = 0; at < changed.length; ) {
        const end = at + prng.between(1, prng.pick([3, 100, 10_000]));
        yield changed.subarray(at, end);
        at = end;
      }
    }
    let read = 0;
    for await (const event of readEventStream(body())) {
      if (typeof event.data !== 'string' || typeof event.id !== 'string') throw new Error('an event without text');
      read += 1;
    }
    counts.add(read > 0 ? 'events' : 'nothing');
  });
  return counts.all;
}

const leaf = CID.decode(Uint8Array.of(1, 0x55, 0x12, 0x20, ...madeUp('leaf', 32)));
const NODES: CaseSource = {
  name: 'payload DAG',
  form: 'bytes',
  corpus: [1, 2, 5].map((links) =>
    dagPb.encode({
      Data: madeUp('unixfs', 12),
      Links: Array.from({ length: links }, () => ({ Hash: leaf, Name: '', Tsize: 9 })),
    }),
  ),
};
const root = Uint8Array.of(1, 0x70, 0x12, 0x20, ...madeUp('root', 32));

/** A payload whose root block is any bytes, as whoever names its CID may choose them: it is read or is not there. */
export async function fuzzPayloadDag(seed: number, cases: number): Promise<Counts> {
  const counts = counter();
  await runAsyncCases(NODES, seed, cases, async (changed) => {
    let blocks = 0;
    const payload = await readPayload(root, async (cid) => {
      blocks += 1;
      return cid[1] === 0x55 ? Uint8Array.of(7) : changed;
    });
    if (blocks > 1024) throw new Error('more blocks than a payload has');
    counts.add(payload === undefined ? 'absent' : 'read');
  });
  return counts.all;
}
