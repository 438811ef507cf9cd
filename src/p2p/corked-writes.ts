import { Socket } from 'node:net';
import type { ConnectionEncrypter } from '@libp2p/interface';

type Encrypter<C> = (components: C) => ConnectionEncrypter;

/**
 * An encrypter below which all writes of one turn of the event loop leave in one call of the system. libp2p writes the
 * length, the parts and the tag of each encrypted frame by themselves, and an update of the receive window after each
 * frame read, with Nagle's algorithm off: some seven calls and packets for each message, and as many wake-ups of the
 * peer.
 */
export function withCorkedWrites<C>(encrypter: Encrypter<C>): Encrypter<C> {
  return (components) => {
    const made = encrypter(components);
    const secureInbound = made.secureInbound.bind(made);
    const secureOutbound = made.secureOutbound.bind(made);
    made.secureInbound = (connection, options) => {
      corkWrites(connection);
      return secureInbound(connection, options);
    };
    made.secureOutbound = (connection, options) => {
      corkWrites(connection);
      return secureOutbound(connection, options);
    };
    return made;
  };
}

/** Of any transport but TCP, and of a libp2p that keeps its socket elsewhere, the writes stay as they are. */
function corkWrites(connection: object): void {
  const socket = 'socket' in connection ? connection.socket : undefined;
  if (!(socket instanceof Socket)) return;
  const write = socket.write.bind(socket);
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    socket.uncork();
  };
  // libp2p hands over bytes alone: no encoding, no callback.
  socket.write = (bytes: Uint8Array | string) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return write(bytes);
  };
}
