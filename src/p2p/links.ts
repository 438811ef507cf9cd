import type { Connection, Stream } from '@libp2p/interface';
import { readChannel } from './channel.ts';
import type { Counters } from './counters.ts';
import type { Gate, KnownPeer } from './gate.ts';
import { updateWindowLate } from './late-window-updates.ts';
import { Outbox } from './outbox.ts';
import { CHANNEL, type FrameClass } from './protocols.ts';

const OPEN_TIMEOUT_MS = 10_000;

/** What the links of a node report. */
export interface LinkEvents {
  onFrame(peer: KnownPeer, frameClass: FrameClass, payload: Uint8Array): void;
  /** The peer's end broke the protocol. */
  onFault(peer: KnownPeer, reason: string): void;
  /** The peer is too slow and is being cut. */
  onStalled(peer: KnownPeer, reason: string): void;
  onOpen(peer: KnownPeer): void;
  onClosed(peer: KnownPeer): void;
  /** The first connection of a peer stands, though its channel may not be open yet. */
  onReached(peer: KnownPeer): void;
  /** The last connection of a peer ended. */
  onLost(peer: KnownPeer): void;
}

/** A peer's connection in use, and our writing end of its channel once that is open. */
interface Link {
  readonly peer: KnownPeer;
  readonly connection: Connection;
  outbox: Outbox | undefined;
}

/**
 * One link for each connected peer: a connection and a channel stream each way. Two nodes that dial each other at
 * once get two connections; both stay, and one carries the link. When either ends, both are ended and dialled
 * again, since other protocols may have had their streams on the one that ended. A second connection dialled by the
 * same side means that this side lost the first: the newer one replaces it.
 */
export class Links {
  readonly #gate: Gate;
  readonly #counters: Counters;
  readonly #events: LinkEvents;
  readonly #connections = new Map<string, Set<Connection>>();
  readonly #links = new Map<string, Link>();
  readonly #inbound = new Map<string, Stream>();
  readonly #ending = new WeakSet<Connection>();

  constructor(gate: Gate, counters: Counters, events: LinkEvents) {
    this.#gate = gate;
    this.#counters = counters;
    this.#events = events;
  }

  /** Connected admitted peers whose channel is open; their roles as they were then: ask the gate for today's. */
  *open(): Iterable<KnownPeer> {
    for (const { peer, outbox } of this.#links.values()) if (outbox !== undefined) yield peer;
  }

  /** The connection that carries the link of a peer whose channel is open. */
  connectionOf(name: string): Connection | undefined {
    const link = this.#links.get(name);
    return link?.outbox && link.connection;
  }

  /** Queues a frame for a peer; false when it is not connected or its outbox has no room. */
  push(name: string, frameClass: FrameClass, frame: Uint8Array): boolean {
    const outbox = this.#links.get(name)?.outbox;
    if (outbox === undefined) this.#counters.drop('notConnected');
    return outbox?.push(frameClass, frame) ?? false;
  }

  /** Bytes that wait in all outboxes. */
  queuedBytes(): number {
    let sum = 0;
    for (const { outbox } of this.#links.values()) sum += outbox?.queuedBytes ?? 0;
    return sum;
  }

  /** Takes note of a connection that libp2p opened. */
  connectionOpened(connection: Connection): void {
    const peer = this.#gate.peerBehind(connection.remotePeer);
    if (peer === undefined) {
      this.#end(connection, 'not an admitted peer');
      return;
    }
    const connections = this.#connections.get(peer.name) ?? new Set();
    for (const older of connections) {
      if (older.direction !== connection.direction) continue;
      connections.delete(older);
      this.#dropLinkOn(older, peer.name);
      this.#end(older, 'replaced by a newer connection');
    }
    this.#connections.set(peer.name, connections.add(connection));
    if (connections.size === 1) this.#events.onReached(peer);
    if (!this.#links.has(peer.name)) void this.#openLink(peer, connection);
  }

  /** Takes note of a connection that ended. */
  connectionClosed(connection: Connection): void {
    for (const [name, connections] of this.#connections) {
      if (!connections.delete(connection)) continue;
      const link = this.#dropLinkOn(connection, name);
      if (connections.size > 0) this.cut(name, 'its other connection ended');
      else {
        this.#connections.delete(name);
        const peer = link?.peer ?? this.#gate.peerBehind(connection.remotePeer);
        if (peer !== undefined) this.#events.onLost(peer);
      }
      return;
    }
  }

  /** Reads a channel stream that a peer opened; a newer one replaces it. */
  acceptChannel(stream: Stream, connection: Connection): void {
    const peer = this.#gate.peerBehind(connection.remotePeer);
    if (peer === undefined) {
      stream.abort(new Error('not an admitted peer'));
      return;
    }
    this.#inbound.get(peer.name)?.abort(new Error('replaced by a newer channel'));
    this.#inbound.set(peer.name, stream);
    stream.addEventListener('close', () => {
      if (this.#inbound.get(peer.name) === stream) this.#inbound.delete(peer.name);
    });
    updateWindowLate(stream);
    readChannel(stream, this.#counters, {
      onFrame: (frameClass, payload) => this.#events.onFrame(peer, frameClass, payload),
      onFault: (reason) => this.#events.onFault(peer, reason),
    });
  }

  /** Ends all connections of a peer at once; what waits for it is forgotten. */
  cut(name: string, reason: string): void {
    for (const connection of [...(this.#connections.get(name) ?? [])]) this.#end(connection, reason);
  }

  /** Ends every connection. */
  cutAll(reason: string): void {
    for (const name of [...this.#connections.keys()]) this.cut(name, reason);
  }

  /** Ends the connections of peers that are no longer admitted. */
  cutStrangers(): void {
    const admitted = new Set([...this.#gate.peers()].map((peer) => peer.name));
    for (const name of [...this.#connections.keys()]) if (!admitted.has(name)) this.cut(name, 'no longer admitted');
  }

  async #openLink(peer: KnownPeer, connection: Connection): Promise<void> {
    const link: Link = { peer, connection, outbox: undefined };
    this.#links.set(peer.name, link);
    let stream: Stream;
    try {
      stream = await connection.newStream(CHANNEL.id, { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
    } catch {
      // A peer whose gate refuses us closes right after the handshake; that ends here too.
      this.#end(connection, 'it opened no channel');
      return;
    }
    if (this.#links.get(peer.name) !== link || stream.status !== 'open') {
      stream.abort(new Error('the connection was given up'));
      return;
    }
    // Not at once: where libp2p itself is aborting the connection, ending it from within makes that throw.
    stream.addEventListener('close', () => queueMicrotask(() => this.#end(connection, 'its channel closed')));
    link.outbox = new Outbox(stream, this.#counters, (reason) => {
      this.#events.onStalled(peer, reason);
      this.cut(peer.name, reason);
    });
    this.#events.onOpen(peer);
  }

  /** Ends a connection without waiting for the other side. Ending one stream of it may ask for this again. */
  #end(connection: Connection, reason: string): void {
    if (this.#ending.has(connection)) return;
    this.#ending.add(connection);
    try {
      connection.abort(new Error(reason));
    } catch {
      // libp2p throws where the encrypted stream below was already closed, and leaves the socket to us.
      connection.close().catch(() => undefined);
    }
  }

  #dropLinkOn(connection: Connection, name: string): Link | undefined {
    const link = this.#links.get(name);
    if (link?.connection !== connection) return undefined;
    this.#links.delete(name);
    if (link.outbox !== undefined) {
      link.outbox.close();
      this.#events.onClosed(link.peer);
    }
    return link;
  }
}
