import type { Socket } from 'node:net';
import { CLEAR_LINE, type LineShape } from './network.ts';

/** What a connection may have under way in one direction before its sender has to wait. */
const WINDOW_BYTES = 256 * 1024;
/** How long a lost packet is missing before TCP sends it again: Linux waits at least this long. */
const RESEND_MS = 200;

/** One direction between two nodes: what all their connections do with the bytes of one of them. */
export class FaultLine {
  isBlocked = false;
  shape: LineShape = CLEAR_LINE;
  readonly pipes = new Set<Pipe>();

  /** Moves what may go. */
  pump(): void {
    for (const pipe of this.pipes) pipe.pump();
  }
}

type Item = { readonly dueMs: number; readonly what: Buffer | 'end' | 'reset' };

/**
 * Bytes of one connection on a line, in order. An end or a reset of the sender waits its turn like bytes: behind a
 * blocked line nobody hears that a peer died.
 */
export class Pipe {
  readonly #line: FaultLine;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #random: () => number;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #sinkIsFull = false;

  /** `random`: uniform in [0, 1), for jitter and losses. */
  constructor(line: FaultLine, source: Socket, sink: Socket, random: () => number) {
    this.#line = line;
    this.#source = source;
    this.#sink = sink;
    this.#random = random;
    line.pipes.add(this);
    source.on('data', (chunk: Buffer) => this.#push(chunk));
    source.on('end', () => this.#push('end'));
    // Without an end before it, the sender was reset, could not be reached, or died.
    source.on('close', () => {
      if (!source.readableEnded) this.#push('reset');
    });
    sink.on('drain', () => {
      this.#sinkIsFull = false;
      this.pump();
    });
    source.resume();
  }

  /** Sends on what is due, unless the line is blocked or the receiver takes nothing. */
  pump(): void {
    clearTimeout(this.#timer);
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (this.#line.isBlocked || this.#sinkIsFull || this.#sink.destroyed) break;
      const waitMs = head.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs));
        break;
      }
      this.#queue.shift();
      this.#send(head.what);
    }
    if (this.#queuedBytes >= WINDOW_BYTES) this.#source.pause();
    else if (this.#source.isPaused()) this.#source.resume();
  }

  /** Forgets what waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#line.pipes.delete(this);
    this.#queue.length = 0;
  }

  #push(what: Item['what']): void {
    const bytes = typeof what === 'string' ? 0 : what.length;
    this.#queuedBytes += bytes;
    this.#lastDueMs = this.#dueMs(bytes);
    this.#queue.push({ dueMs: this.#lastDueMs, what });
    this.pump();
  }

  #send(what: Item['what']): void {
    if (what === 'end') this.#sink.end();
    else if (what === 'reset') this.#sink.resetAndDestroy();
    else {
      this.#queuedBytes -= what.length;
      this.#sinkIsFull = !this.#sink.write(what);
    }
  }

  /** When these bytes arrive: never before those ahead of them, so that a lost packet holds up what follows. */
  #dueMs(bytes: number): number {
    const { delayMs, jitterMs, loss, bytesPerSecond } = this.#line.shape;
    let travelMs = delayMs + jitterMs * this.#random();
    for (let resendMs = RESEND_MS; this.#random() < loss; resendMs *= 2) travelMs += resendMs;
    const sendingMs = bytesPerSecond === null ? 0 : (bytes * 1_000) / bytesPerSecond;
    const nowMs = performance.now();
    return Math.max(nowMs + travelMs, Math.max(nowMs, this.#lastDueMs) + sendingMs);
  }
}
