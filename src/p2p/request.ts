import type { Connection, Stream } from '@libp2p/interface';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { Counters } from './counters.ts';
import { framed, LENGTH_BYTES, readFrame } from './frame.ts';
import { REPLY, type RequestProtocol } from './protocols.ts';

/** How long a caller waits. */
export interface RequestOptions {
  /** Milliseconds for the whole exchange; the protocol's deadline when absent or longer. */
  readonly timeoutMs?: number;
  /** Ends the exchange early. */
  readonly signal?: AbortSignal;
}

/** Why a request has no answer. */
export type RequestFailure =
  /** No open channel to the peer. */
  | 'notConnected'
  /** No complete reply in time. */
  | 'deadline'
  /** The caller's signal ended it. */
  | 'aborted'
  /** We are over the peer's budget: ask another, or later. */
  | 'busy'
  /** The peer could not answer, or the connection ended. */
  | 'failed'
  /** The reply was malformed; the peer has been cut for it. */
  | 'malformed';

/** A request without an answer; another peer may have one. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly kind: RequestFailure;

  constructor(kind: RequestFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Sends one request on a stream of its own and returns the items of the reply. Rejects with a RequestError. */
export async function sendRequest<Q>(
  connection: Connection,
  protocol: RequestProtocol<Q>,
  request: Q,
  options: RequestOptions,
  counters: Counters,
): Promise<readonly (Uint8Array | null)[]> {
  const frame = framed(encode(protocol.request, request), protocol.requestBytesMax);
  const deadline = AbortSignal.timeout(Math.min(options.timeoutMs ?? protocol.deadlineMs, protocol.deadlineMs));
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  let stream: Stream | undefined;
  try {
    stream = await connection.newStream(protocol.id, { signal });
    counters.sent(protocol.id, frame.length);
    stream.send(frame);
    const reply = await readFrame(stream, protocol.responseBytesMax + 1, signal);
    counters.received(protocol.id, LENGTH_BYTES + reply.length);
    const items = readReply(protocol, reply);
    await stream.close({ signal });
    return items;
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)));
    throw asRequestError(protocol.id, error, deadline, options.signal);
  }
}

function readReply<Q>(protocol: RequestProtocol<Q>, reply: Uint8Array): readonly (Uint8Array | null)[] {
  switch (reply[0]) {
    case REPLY.answer:
      return decode(protocol.response, reply.subarray(1), protocol.responseBytesMax);
    case REPLY.busy:
      throw new RequestError('busy', `${protocol.id}: the peer's budget for us is used up`);
    case REPLY.failed:
      throw new RequestError('failed', `${protocol.id}: the peer could not answer`);
    default:
      throw new DecodeError('a reply of unknown status');
  }
}

function asRequestError(id: string, error: unknown, deadline: AbortSignal, caller?: AbortSignal): RequestError {
  if (error instanceof RequestError) return error;
  if (caller?.aborted) return new RequestError('aborted', `${id}: given up by the caller`, error);
  if (deadline.aborted) return new RequestError('deadline', `${id}: no complete reply in time`, error);
  if (error instanceof DecodeError) return new RequestError('malformed', `${id}: ${error.message}`, error);
  return new RequestError('failed', `${id}: ${error instanceof Error ? error.message : String(error)}`, error);
}
