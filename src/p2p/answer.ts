import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { Counters } from './counters.ts';
import { framed, LENGTH_BYTES, readFrame } from './frame.ts';
import type { Gate, KnownPeer } from './gate.ts';
import {
  type BlocksRequest,
  FRAME_BYTES_MAX,
  type HistoryRequest,
  REPLY,
  REQUESTS,
  type RequestProtocol,
} from './protocols.ts';
import { RateLimit } from './rate.ts';

/** What a node answers to its peers. Sizes are checked here; whether `from` may have it is the handler's to judge. */
export interface RequestHandlers {
  /** Encoded blocks with their certificates, consecutive from `fromHeight`; empty when there are none. */
  blocks(request: BlocksRequest, from: Uint8Array): Promise<readonly Uint8Array[]>;
  /** The encoded block with this hash, undecided or committed. */
  block(hash: Uint8Array, from: Uint8Array): Promise<Uint8Array | null>;
  bodies(hashes: readonly Uint8Array[], from: Uint8Array): Promise<readonly (Uint8Array | null)[]>;
  attachments(hashes: readonly Uint8Array[], from: Uint8Array): Promise<readonly (Uint8Array | null)[]>;
  /** The DAG block of a CID, at most 2 MiB. */
  payload(cid: Uint8Array, from: Uint8Array): Promise<Uint8Array | null>;
  /** What is asked of the past, each item at most 1 MiB; empty when it is not here. */
  history(request: HistoryRequest, from: Uint8Array): Promise<readonly Uint8Array[]>;
}

/** What answering needs of its node. */
export interface AnswerDependencies {
  readonly libp2p: Libp2p;
  readonly gate: Gate;
  readonly counters: Counters;
  readonly handlers: RequestHandlers;
  readonly onFault: (from: KnownPeer, reason: string) => void;
  readonly onFailed: (from: KnownPeer, protocol: string, error: unknown) => void;
}

/** Registers every request protocol. */
export async function answerRequests(dependencies: AnswerDependencies): Promise<void> {
  const { handlers } = dependencies;
  await Promise.all([
    serve(dependencies, REQUESTS.blocks, (request, from) => handlers.blocks(request, from)),
    serve(dependencies, REQUESTS.block, async (hash, from) => [await handlers.block(hash, from)]),
    serve(dependencies, REQUESTS.bodies, (hashes, from) => handlers.bodies(hashes, from)),
    serve(dependencies, REQUESTS.attachments, (hashes, from) => handlers.attachments(hashes, from)),
    serve(dependencies, REQUESTS.payload, async (cid, from) => [await handlers.payload(cid, from)]),
    serve(dependencies, REQUESTS.history, (request, from) => handlers.history(request, from)),
  ]);
}

/** What one peer has used of its budget for one protocol. */
interface Budget {
  readonly requests: RateLimit;
  readonly replyBytes: RateLimit;
  running: number;
}

type Answer<Q> = (request: Q, from: Uint8Array) => Promise<readonly (Uint8Array | null)[]>;

async function serve<Q>(dependencies: AnswerDependencies, protocol: RequestProtocol<Q>, answer: Answer<Q>) {
  const { libp2p, gate, counters } = dependencies;
  const budgets = new WeakMap<KnownPeer, Budget>();
  const handler = async (stream: Stream, connection: Connection) => {
    const from = gate.peerBehind(connection.remotePeer);
    if (from === undefined) {
      stream.abort(new Error('not an admitted peer'));
      return;
    }
    const budget = budgets.get(from) ?? newBudget(protocol);
    budgets.set(from, budget);
    const signal = AbortSignal.timeout(protocol.deadlineMs);
    try {
      await exchange(dependencies, protocol, answer, { stream, from, budget, signal });
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)));
      if (signal.aborted) counters.drop('slowFrame');
      if (error instanceof DecodeError) dependencies.onFault(from, `${protocol.id}: ${error.message}`);
    }
  };
  // Those over the budget must still get their refusal; libp2p resets what is over its own limit.
  await libp2p.handle(protocol.id, (stream, connection) => void handler(stream, connection), {
    maxInboundStreams: 4 * protocol.concurrentMax,
  });
}

interface Exchange {
  readonly stream: Stream;
  readonly from: KnownPeer;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

async function exchange<Q>(
  { counters, onFailed }: AnswerDependencies,
  protocol: RequestProtocol<Q>,
  answer: Answer<Q>,
  { stream, from, budget, signal }: Exchange,
): Promise<void> {
  const frame = await readFrame(stream, protocol.requestBytesMax, signal);
  counters.received(protocol.id, LENGTH_BYTES + frame.length);
  const request = decode(protocol.request, frame, protocol.requestBytesMax);
  let reply: Uint8Array;
  if (budget.running >= protocol.concurrentMax || !budget.replyBytes.take(0) || !budget.requests.take(1)) {
    counters.drop('overBudget');
    reply = Uint8Array.of(REPLY.busy);
  } else {
    budget.running += 1;
    try {
      reply = encodeAnswer(protocol, await answer(request, from.publicKey));
    } catch (error) {
      onFailed(from, protocol.id, error);
      reply = Uint8Array.of(REPLY.failed);
    } finally {
      budget.running -= 1;
    }
    budget.replyBytes.charge(reply.length);
  }
  if (stream.writeStatus !== 'writable') return;
  counters.sent(protocol.id, LENGTH_BYTES + reply.length);
  stream.send(framed(reply, FRAME_BYTES_MAX));
  await stream.close({ signal });
}

/** The reply with as many items as fit, in order. */
function encodeAnswer<Q>(protocol: RequestProtocol<Q>, items: readonly (Uint8Array | null)[]): Uint8Array {
  let room = protocol.responseBytesMax - 8 - items.length;
  const fitting: (Uint8Array | null)[] = [];
  for (const item of items) {
    const size = item === null ? 0 : item.length + 5;
    if (size > room && protocol.overflow === 'cut') break;
    fitting.push(size > room ? null : item);
    if (size <= room) room -= size;
  }
  const body = encode(protocol.response, fitting);
  const reply = new Uint8Array(1 + body.length);
  reply[0] = REPLY.answer;
  reply.set(body, 1);
  return reply;
}

function newBudget<Q>({ requestsPerSecond, replyBytesPerSecond }: RequestProtocol<Q>): Budget {
  const now = () => performance.now();
  return {
    requests: new RateLimit(requestsPerSecond, 2 * requestsPerSecond, now),
    replyBytes: new RateLimit(replyBytesPerSecond, 2 * replyBytesPerSecond, now),
    running: 0,
  };
}
