import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { concatBytes } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { HeldBlocks } from '../../src/node/held-blocks.ts';
import { createHistoryServer } from '../../src/node/history-server.ts';
import { createRequestServer } from '../../src/node/request-server.ts';
import { answerRequests } from '../../src/p2p/answer.ts';
import { decodeBatch } from '../../src/p2p/batch.ts';
import { readChannel } from '../../src/p2p/channel.ts';
import { Counters } from '../../src/p2p/counters.ts';
import { framed, LENGTH_BYTES } from '../../src/p2p/frame.ts';
import type { Gate, KnownPeer } from '../../src/p2p/gate.ts';
import { CHANNEL, FRAME_CLASSES, type FrameClass, REPLY, REQUESTS } from '../../src/p2p/protocols.ts';
import type { PayloadStore } from '../../src/storage/payload-store.ts';
import type { SnapshotStore } from '../../src/storage/snapshot-store.ts';
import { makePrng } from '../simulation/prng.ts';
import { type CaseSource, runAsyncCases, runCases } from './cases.ts';
import { messages } from './consensus-corpus.ts';
import { type Counts, counter } from './counts.ts';
import { grown, madeUp, transactions } from './ledger-corpus.ts';
import { openNodeFixture } from './node-fixture.ts';
import { encodeBatch } from './wire-encoders.ts';

/** The parts of a libp2p stream that channel and requests use, fed by the test. */
class FedStream extends EventTarget {
  readonly sent: Uint8Array[] = [];
  readonly ended: Promise<void>;
  readStatus = 'readable';
  writeStatus = 'writable';
  readableEnded = false;
  #end: () => void = () => undefined;

  constructor() {
    super();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  receive(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  /** The other side says no more. */
  finish(): void {
    this.readableEnded = true;
    this.dispatchEvent(new Event('end'));
  }

  send(bytes: Uint8Array): boolean {
    this.sent.push(bytes);
    return true;
  }

  async close(): Promise<void> {
    this.#end();
  }

  abort(): void {
    this.#end();
  }

  pause(): void {
    this.readStatus = 'paused';
  }

  resume(): void {
    this.readStatus = 'readable';
  }

  asStream(): Stream {
    return this as unknown as Stream;
  }
}

function frameOf(frameClass: FrameClass, payload: Uint8Array): Uint8Array {
  return framed(concatBytes(Uint8Array.of(FRAME_CLASSES[frameClass]), payload), CHANNEL.frameBytesMax);
}

const batch = encodeBatch([{ encoded: transactions[0]!.encoded, attachment: null }]);
const CHANNEL_BYTES: CaseSource = {
  name: 'channel',
  form: 'bytes',
  corpus: [
    concatBytes(...messages.slice(0, 5).map((message) => frameOf('consensus', message))),
    concatBytes(
      frameOf('transactions', batch),
      frameOf('consensus', messages[0]!),
      frameOf('block', grown.blocks[0]!.frame),
    ),
    frameOf('transactions', batch),
  ],
};

/** Changed bytes of a channel in pieces of any size: frames come out whole or the peer is at fault, and no other error. */
export function fuzzChannel(seed: number, cases: number): Counts {
  const counts = counter();
  runCases(CHANNEL_BYTES, seed, cases, (changed, _, { other }) => {
    const prng = makePrng(other);
    const stream = new FedStream();
    let faults = 0;
    let bytes = 0;
    readChannel(stream.asStream(), new Counters(), {
      onFrame(frameClass, payload) {
        if (faults > 0) throw new Error('a frame after the fault');
        bytes += LENGTH_BYTES + 1 + payload.length;
        if (frameClass === 'transactions') decodeBatch(payload);
      },
      onFault: () => {
        faults += 1;
      },
    });
    for (let at = 0; at < changed.length; ) {
      const end = at + prng.between(1, prng.pick([3, 100, 100_000]));
      stream.receive(changed.subarray(at, end));
      at = end;
    }
    stream.dispatchEvent(new Event('close'));
    if (faults > 1) throw new Error('more than one fault of one stream');
    if (bytes > changed.length) throw new Error('more bytes came out than went in');
    counts.add(faults > 0 ? 'fault' : bytes === changed.length ? 'whole' : 'incomplete');
  });
  return counts.all;
}

const hashes = transactions.map(({ txHash }) => txHash);
const requests: readonly (readonly [id: string, bytes: Uint8Array])[] = [
  [REQUESTS.blocks.id, encode(REQUESTS.blocks.request, { fromHeight: 1, maxBlocks: 4, maxBytes: 9_000 })],
  [REQUESTS.block.id, encode(REQUESTS.block.request, grown.blocks[0]!.executed.hash)],
  [REQUESTS.bodies.id, encode(REQUESTS.bodies.request, hashes)],
  [REQUESTS.attachments.id, encode(REQUESTS.attachments.request, hashes)],
  [REQUESTS.history.id, encode(REQUESTS.history.request, { kind: 'tip' })],
  [REQUESTS.history.id, encode(REQUESTS.history.request, { kind: 'headers', fromHeight: 1, maxHeaders: 9 })],
  [REQUESTS.payload.id, encode(REQUESTS.payload.request, Uint8Array.of(1, 0x55, 0x12, 0x20, ...madeUp('p', 32)))],
];

const noSnapshots = { heights: () => [], chunk: async () => undefined } as unknown as SnapshotStore;
const noPayloads = { get: async () => undefined } as unknown as PayloadStore;

/** Changed requests to the server of a node: each stream ends with a reply, or is cut with a fault of the peer. */
export async function fuzzRequests(seed: number, cases: number): Promise<Counts> {
  const counts = counter();
  const node = await openNodeFixture();
  const handlers = new Map<string, (stream: Stream, connection: Connection) => void>();
  let peer: KnownPeer = { name: 'peer', publicKey: madeUp('peer', 32) } as KnownPeer;
  let failure: unknown;
  let faults = 0;
  const onDamaged = (error: unknown) => {
    failure ??= error;
  };
  const server = createRequestServer({ ...node, held: new HeldBlocks(), payloads: noPayloads, onDamaged });
  const history = createHistoryServer({
    store: node.store,
    startHeight: 0,
    snapshots: noSnapshots,
    knownSets: () => [node.chain.validators],
    block: (hash) => server.block(hash),
  });
  await answerRequests({
    libp2p: {
      handle: async (id: string, handler: (stream: Stream, connection: Connection) => void) =>
        handlers.set(id, handler),
    } as unknown as Libp2p,
    gate: { peerBehind: () => peer } as unknown as Gate,
    counters: new Counters(),
    handlers: { ...server, history },
    onFault: () => {
      faults += 1;
    },
    onFailed: (_, __, error) => {
      failure = error;
    },
  });
  for (const [place, [id, request]] of requests.entries()) {
    const source: CaseSource = { name: `request ${id}`, form: 'cbor', corpus: [request] };
    await runAsyncCases(source, seed + place, Math.ceil(cases / requests.length), async (changed, _, { other }) => {
      // A peer of its own has a budget of its own.
      peer = { ...peer };
      [failure, faults] = [undefined, 0];
      const stream = new FedStream();
      handlers.get(id)!(stream.asStream(), {} as Connection);
      stream.receive(other % 4 === 0 ? changed : framed(changed, 2 ** 30));
      stream.finish();
      await stream.ended;
      if (failure instanceof DecodeError || failure !== undefined) throw failure;
      const [reply] = stream.sent;
      if (reply !== undefined && reply[LENGTH_BYTES] !== REPLY.answer) throw new Error(`status ${reply[LENGTH_BYTES]}`);
      counts.add(reply !== undefined ? 'answered' : faults > 0 ? 'fault' : 'incomplete');
    });
  }
  await node.close();
  return counts.all;
}
