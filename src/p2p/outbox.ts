import type { Stream } from '@libp2p/interface';
import type { Counters } from './counters.ts';
import { LENGTH_BYTES } from './frame.ts';
import { CHANNEL, FRAME_CLASSES, type FrameClass, OUTBOX } from './protocols.ts';

/** Frames that wait together are written together up to about this size: each write costs an encryption. */
const WRITE_BYTES = 60 * 1024;
/** Length and class before each payload. */
const HEADER_BYTES = LENGTH_BYTES + 1;

interface Queue {
  readonly frameClass: FrameClass;
  readonly frames: Uint8Array[];
  bytes: number;
}

/**
 * What waits for one peer, most urgent first, and the stream that it leaves by. Bounded by class: a block
 * announcement or transaction batch without room is dropped, since it can be asked for; a consensus message without
 * room, or a peer that takes nothing for a while, ends the connection (consensus.md retransmits after it).
 */
export class Outbox {
  readonly #stream: Stream;
  readonly #counters: Counters;
  readonly #onStalled: (reason: string) => void;
  readonly #queues: readonly Queue[];
  #queuedBytes = 0;
  #flushIsDue = false;
  #stallTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Takes over the writing end of a negotiated channel stream. `onStalled` must cut the peer. */
  constructor(stream: Stream, counters: Counters, onStalled: (reason: string) => void) {
    this.#stream = stream;
    this.#counters = counters;
    this.#onStalled = onStalled;
    this.#queues = Object.keys(FRAME_CLASSES).map((name) => ({
      frameClass: name as FrameClass,
      frames: [],
      bytes: 0,
    }));
    stream.addEventListener('drain', () => {
      clearTimeout(this.#stallTimer);
      this.#stallTimer = undefined;
      this.#scheduleFlush();
    });
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues a frame; false when it was dropped. Throws a RangeError over the frame cap. */
  push(frameClass: FrameClass, frame: Uint8Array): boolean {
    if (frame.length >= CHANNEL.frameBytesMax)
      throw new RangeError(`a frame of ${frame.length} bytes, at most ${CHANNEL.frameBytesMax - 1} are allowed`);
    if (this.#isClosed) return false;
    const queue = this.#queues[FRAME_CLASSES[frameClass] - 1]!;
    const isFull =
      queue.bytes + frame.length > OUTBOX.bytesMax[frameClass] || queue.frames.length >= OUTBOX.framesMax[frameClass];
    if (isFull) {
      this.#counters.drop(frameClass === 'consensus' ? 'slowPeer' : 'outboxFull');
      if (frameClass === 'consensus') this.#onStalled('its queue of consensus messages is full');
      return false;
    }
    queue.frames.push(frame);
    queue.bytes += frame.length;
    this.#queuedBytes += frame.length;
    this.#scheduleFlush();
    return true;
  }

  /** Forgets what waits. The stream is the caller's to close. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#stallTimer);
    this.#queuedBytes = 0;
    for (const queue of this.#queues) queue.frames.length = 0;
  }

  /** After the current run of code, so that what is sent in one go is written in one go. */
  #scheduleFlush(): void {
    if (this.#stream.writableNeedsDrain) this.#awaitDrain();
    else if (!this.#flushIsDue) this.#flushSoon();
  }

  #flushSoon(): void {
    this.#flushIsDue = true;
    queueMicrotask(() => {
      this.#flushIsDue = false;
      if (!this.#isClosed) this.#flush();
    });
  }

  #flush(): void {
    while (this.#stream.writeStatus === 'writable' && !this.#stream.writableNeedsDrain) {
      const bytes = this.#nextWrite();
      if (bytes.length === 0) return;
      this.#counters.sent(CHANNEL.id, bytes.length);
      this.#stream.send(bytes);
    }
    if (this.#stream.writableNeedsDrain) this.#awaitDrain();
  }

  /** The next frames by urgency, as bytes for the stream; none when nothing waits. */
  #nextWrite(): Uint8Array {
    const taken: (readonly [number, Uint8Array])[] = [];
    let size = 0;
    for (const queue of this.#queues) {
      for (let frame = queue.frames[0]; frame !== undefined; frame = queue.frames[0]) {
        if (size > 0 && size + frame.length > WRITE_BYTES) return joinFrames(taken, size);
        queue.frames.shift();
        queue.bytes -= frame.length;
        this.#queuedBytes -= frame.length;
        this.#counters.sentFrame(queue.frameClass);
        taken.push([FRAME_CLASSES[queue.frameClass], frame]);
        size += HEADER_BYTES + frame.length;
      }
    }
    return joinFrames(taken, size);
  }

  #awaitDrain(): void {
    this.#stallTimer ??= setTimeout(() => {
      this.#counters.drop('slowPeer');
      this.#onStalled(`it took nothing for ${OUTBOX.stalledAfterMs} ms`);
    }, OUTBOX.stalledAfterMs);
  }
}

function joinFrames(frames: readonly (readonly [number, Uint8Array])[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [code, frame] of frames) {
    view.setUint32(offset, frame.length + 1);
    bytes[offset + LENGTH_BYTES] = code;
    bytes.set(frame, offset + HEADER_BYTES);
    offset += HEADER_BYTES + frame.length;
  }
  return bytes;
}
