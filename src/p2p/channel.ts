import type { Stream } from '@libp2p/interface';
import { DecodeError } from '../codec/decode-error.ts';
import type { Counters } from './counters.ts';
import { chunksOf, FrameSplitter } from './frame.ts';
import { CHANNEL, FRAME_CLASSES, type FrameClass } from './protocols.ts';
import { RateLimit } from './rate.ts';

const CLASS_OF_CODE = new Map<number, FrameClass>(
  Object.entries(FRAME_CLASSES).map(([name, code]) => [code, name as FrameClass]),
);

/** What reading a channel stream reports. */
export interface ChannelReader {
  /** A frame in order of sending; may throw a DecodeError when its content is malformed. */
  onFrame(frameClass: FrameClass, payload: Uint8Array): void;
  /** The peer broke the protocol; nothing more is read. */
  onFault(reason: string): void;
}

/**
 * Reads the frames of a peer's channel stream until it closes. Over the rate cap it stops reading for as long as the
 * debt lasts, so that the sender's outbox fills and not our memory.
 */
export function readChannel(stream: Stream, counters: Counters, reader: ChannelReader): void {
  const now = () => performance.now();
  const byteRate = new RateLimit(CHANNEL.bytesPerSecond, CHANNEL.bytesBurst, now);
  const frameRate = new RateLimit(CHANNEL.framesPerSecond, CHANNEL.framesBurst, now);
  let frames = 0;
  let isBroken = false;
  let pauseTimer: NodeJS.Timeout | undefined;
  let deadlineTimer: NodeJS.Timeout | undefined;

  const splitter = new FrameSplitter(CHANNEL.frameBytesMax, (frame) => {
    frames += 1;
    const frameClass = frame.length === 0 ? undefined : CLASS_OF_CODE.get(frame[0]!);
    if (frameClass === undefined) throw new DecodeError('a frame of no known class');
    counters.receivedFrame(frameClass);
    reader.onFrame(frameClass, frame.subarray(1));
  });
  const fail = (reason: string) => {
    isBroken = true;
    reader.onFault(reason);
  };
  const watchIncompleteFrame = () => {
    const incomplete = splitter.incompleteFrame;
    if (incomplete === undefined || deadlineTimer !== undefined) return;
    deadlineTimer = setTimeout(() => {
      deadlineTimer = undefined;
      if (splitter.incompleteFrame === incomplete && pauseTimer === undefined) {
        counters.drop('slowFrame');
        fail(`a frame took longer than ${CHANNEL.frameDeadlineMs} ms`);
      } else watchIncompleteFrame();
    }, CHANNEL.frameDeadlineMs);
  };
  const pauseFor = (waitMs: number) => {
    stream.pause();
    pauseTimer = setTimeout(() => {
      pauseTimer = undefined;
      if (stream.readStatus === 'paused') stream.resume();
    }, waitMs);
  };

  stream.addEventListener('message', ({ data }) => {
    if (isBroken) return;
    const framesBefore = frames;
    counters.received(CHANNEL.id, data.byteLength);
    try {
      for (const chunk of chunksOf(data)) splitter.push(chunk);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      fail(error.message);
      return;
    }
    watchIncompleteFrame();
    const waitMs = Math.max(byteRate.charge(data.byteLength), frameRate.charge(frames - framesBefore));
    if (waitMs > 0 && stream.readStatus === 'readable') pauseFor(waitMs);
  });
  stream.addEventListener('close', () => {
    clearTimeout(pauseTimer);
    clearTimeout(deadlineTimer);
  });
}
