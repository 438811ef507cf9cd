import type { Stream } from '@libp2p/interface';
import { DecodeError } from '../codec/decode-error.ts';

/** Bytes of the length before each frame: a big-endian unsigned integer that counts what follows it. */
export const LENGTH_BYTES = 4;

/** `frame` with its length in front. Throws a RangeError over `maxBytes`: the receiver would refuse it. */
export function framed(frame: Uint8Array, maxBytes: number): Uint8Array {
  if (frame.length > maxBytes)
    throw new RangeError(`a frame of ${frame.length} bytes, at most ${maxBytes} are allowed`);
  const bytes = new Uint8Array(LENGTH_BYTES + frame.length);
  new DataView(bytes.buffer).setUint32(0, frame.length);
  bytes.set(frame, LENGTH_BYTES);
  return bytes;
}

/** Memory for an incomplete frame starts with this and doubles as its bytes arrive. */
const GROWTH_START_BYTES = 64 * 1024;

/**
 * Cuts a stream of bytes into frames. Holds at most one incomplete frame, in memory that grows with what has arrived
 * of it: neither a large length nor many small pieces make it allocate more than twice that.
 */
export class FrameSplitter {
  readonly #maxBytes: number;
  readonly #onFrame: (frame: Uint8Array) => void;
  /** The first `#held` bytes of the incomplete frame, its length included. */
  #buffer = new Uint8Array(0);
  #held = 0;
  /** Size of the incomplete frame with its length; of the length alone while that is incomplete. */
  #needed = LENGTH_BYTES;
  #framesBegun = 0;

  constructor(maxBytes: number, onFrame: (frame: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  /** The running number of the frame that is incomplete now; undefined between frames. */
  get incompleteFrame(): number | undefined {
    return this.#held === 0 ? undefined : this.#framesBegun;
  }

  /** Takes the next bytes and calls back for each frame they complete. Throws a DecodeError on a length over the cap. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#held === 0) {
        rest = this.#takeWholeFrames(rest);
        if (rest.length === 0) return;
        this.#framesBegun += 1;
      }
      const taken = Math.min(this.#needed - this.#held, rest.length);
      this.#hold(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      if (this.#held === this.#needed) this.#finishPart();
    }
  }

  /** Hands out, without copying, the frames that lie whole in `chunk`; returns what is left. */
  #takeWholeFrames(chunk: Uint8Array): Uint8Array {
    let start = 0;
    while (chunk.length - start >= LENGTH_BYTES) {
      const end = start + LENGTH_BYTES + this.#lengthAt(chunk, start);
      if (end > chunk.length) break;
      this.#onFrame(chunk.subarray(start + LENGTH_BYTES, end));
      start = end;
    }
    return chunk.subarray(start);
  }

  #hold(piece: Uint8Array): void {
    const held = this.#held + piece.length;
    if (held > this.#buffer.length) {
      const room = Math.min(this.#needed, Math.max(GROWTH_START_BYTES, 2 * held));
      const grown = new Uint8Array(room);
      grown.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.#held);
    this.#held = held;
  }

  /** The length is complete, or the frame. */
  #finishPart(): void {
    if (this.#needed === LENGTH_BYTES) {
      this.#needed += this.#lengthAt(this.#buffer, 0);
      if (this.#needed > LENGTH_BYTES) return;
    }
    const frame = this.#buffer.subarray(LENGTH_BYTES, this.#needed);
    this.#buffer = new Uint8Array(0);
    this.#held = 0;
    this.#needed = LENGTH_BYTES;
    this.#onFrame(frame);
  }

  #lengthAt(bytes: Uint8Array, offset: number): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset + offset, LENGTH_BYTES).getUint32(0);
    if (length > this.#maxBytes) throw new DecodeError(`a frame of ${length} bytes, at most ${this.#maxBytes} allowed`);
    return length;
  }
}

/** The chunks of one libp2p message, as plain arrays: a Buffer's `slice` would share memory where a copy is meant. */
export function* chunksOf(data: Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (!(data instanceof Uint8Array)) for (const chunk of data) yield plain(chunk);
  else yield plain(data);
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The first frame that arrives on a stream. Rejects with a DecodeError on a frame over `maxBytes` or one that follows
 * with it; with another error when the stream ends before it is whole; with the signal's reason when that aborts. The
 * caller closes the stream.
 */
export function readFrame(stream: Stream, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let frame: Uint8Array | undefined;
    const splitter = new FrameSplitter(maxBytes, (next) => {
      if (frame !== undefined) throw new DecodeError('a second frame where one was expected');
      frame = next;
    });
    const onMessage = ({ data }: { readonly data: Uint8Array | Iterable<Uint8Array> }) => {
      try {
        for (const chunk of chunksOf(data)) splitter.push(chunk);
      } catch (error) {
        finish(() => reject(error));
        return;
      }
      const whole = frame;
      if (whole !== undefined) finish(() => resolve(whole));
    };
    const onEnd = () => finish(() => reject(new Error('the stream ended within a frame')));
    const onClose = ({ error }: { readonly error?: Error }) =>
      finish(() => reject(error ?? new Error('the stream closed within a frame')));
    const onAbort = () => finish(() => reject(signal.reason));
    const finish = (settle: () => void) => {
      stream.removeEventListener('message', onMessage);
      stream.removeEventListener('end', onEnd);
      stream.removeEventListener('close', onClose);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    if (signal.aborted) return reject(signal.reason);
    stream.addEventListener('message', onMessage);
    stream.addEventListener('end', onEnd);
    stream.addEventListener('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (stream.readableEnded) onEnd();
  });
}
