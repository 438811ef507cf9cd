import type { Stream } from '@libp2p/interface';

/** What Yamux keeps of the receiving window of a stream, bytes. */
interface Window {
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

/**
 * Lets the sender of a stream hear of its window once half of it is used. Yamux opens it again after each frame read,
 * which costs a packet, and an encryption on either side, for every message. On streams of another muxer nothing changes.
 */
export function updateWindowLate(stream: Stream): void {
  const window = stream as Stream & Partial<Window>;
  if (!hasWindow(window)) return;
  const update = window.sendWindowUpdate.bind(window);
  window.sendWindowUpdate = () => {
    if (window.recvWindowCapacity < window.recvWindow / 2) update();
  };
}

function hasWindow(stream: Stream & Partial<Window>): stream is Stream & Window {
  return (
    typeof stream.sendWindowUpdate === 'function' &&
    typeof stream.recvWindow === 'number' &&
    typeof stream.recvWindowCapacity === 'number'
  );
}
