import type { KnownPeer } from './gate.ts';

interface Watched {
  peer: KnownPeer;
  /** Attempts since the last connection that lasted. */
  attempts: number;
  timer: NodeJS.Timeout | undefined;
  dialling: AbortController | undefined;
  connectedSinceMs: number | undefined;
}

/** A connection that ends sooner than this counts as a failed attempt: a peer that refuses us is not hammered. */
const LASTING_MS = 5_000;

/** How long to wait before the next attempt, and what an attempt is. */
export interface ReconnectOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Waits before the very first attempt, for peers that are expected to dial us. */
  readonly initialDelayMs: (peer: KnownPeer) => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves when a connection stands; rejects when not. */
  readonly dial: (peer: KnownPeer, signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps dialling every admitted peer that has an address and no connection: the waits double up to a limit, and are
 * jittered so that nodes which lost each other do not meet in step.
 */
export class Reconnector {
  readonly #options: ReconnectOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: ReconnectOptions) {
    this.#options = options;
  }

  /** Replaces the peers to keep connected. */
  setPeers(peers: Iterable<KnownPeer>): void {
    const before = new Map(this.#watched);
    for (const peer of peers) {
      const watched = before.get(peer.name);
      before.delete(peer.name);
      if (watched === undefined) this.#watch(peer);
      else {
        const moved = peer.addresses.join() !== watched.peer.addresses.join();
        watched.peer = peer;
        if (moved && watched.connectedSinceMs === undefined) this.#schedule(watched, 0);
      }
    }
    for (const [name, watched] of before) this.#forget(name, watched);
  }

  /** A connection to the peer stands, whoever dialled: no need to dial. */
  connected(name: string): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    clearTimeout(watched.timer);
    watched.connectedSinceMs = performance.now();
  }

  /** The last connection to the peer ended. */
  lost(name: string): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    const { connectedSinceMs } = watched;
    watched.connectedSinceMs = undefined;
    if (connectedSinceMs !== undefined && performance.now() - connectedSinceMs > LASTING_MS) watched.attempts = 0;
    this.#scheduleAgain(watched);
  }

  /** Stops dialling. */
  close(): void {
    for (const [name, watched] of this.#watched) this.#forget(name, watched);
  }

  #watch(peer: KnownPeer): void {
    const watched = { peer, attempts: 0, timer: undefined, dialling: undefined, connectedSinceMs: undefined };
    this.#watched.set(peer.name, watched);
    this.#schedule(watched, this.#options.initialDelayMs(peer));
  }

  #scheduleAgain(watched: Watched): void {
    const { firstMs, maxMs, random } = this.#options;
    const waitMs = Math.min(firstMs * 2 ** Math.min(watched.attempts, 20), maxMs);
    this.#schedule(watched, waitMs * (0.5 + random()));
  }

  #schedule(watched: Watched, waitMs: number): void {
    clearTimeout(watched.timer);
    if (watched.peer.addresses.length > 0) watched.timer = setTimeout(() => this.#attempt(watched), waitMs);
  }

  #attempt(watched: Watched): void {
    if (watched.connectedSinceMs !== undefined || watched.dialling !== undefined) return;
    const dialling = new AbortController();
    watched.dialling = dialling;
    watched.attempts += 1;
    this.#options.dial(watched.peer, dialling.signal).then(
      () => {
        watched.dialling = undefined;
        // A connection that ended while its dial was being settled has called `lost` too early for another attempt.
        if (watched.connectedSinceMs === undefined && !dialling.signal.aborted) this.#scheduleAgain(watched);
      },
      () => {
        watched.dialling = undefined;
        if (!dialling.signal.aborted) this.#scheduleAgain(watched);
      },
    );
  }

  #forget(name: string, watched: Watched): void {
    clearTimeout(watched.timer);
    watched.dialling?.abort();
    this.#watched.delete(name);
  }
}
