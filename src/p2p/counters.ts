import type { FrameClass } from './protocols.ts';

/** Why something was dropped or refused. */
export type DropReason =
  /** A connection of a key that is not admitted. */
  | 'stranger'
  /** A connection of a peer that misbehaved a moment ago. */
  | 'shunnedPeer'
  /** A connection that ended without a completed handshake: port scans, other protocols, random bytes. */
  | 'failedHandshake'
  /** Bytes that are no frame, batch, request or response of ours, or larger than its cap. */
  | 'malformed'
  /** A frame that took longer than its deadline from first to last byte. */
  | 'slowFrame'
  /** A frame for a peer without a connection. */
  | 'notConnected'
  /** A block announcement or transaction batch for which the peer's outbox had no room. */
  | 'outboxFull'
  /** A peer cut because it took consensus messages too slowly. */
  | 'slowPeer'
  /** A request over the peer's budget. */
  | 'overBudget'
  /** Gossip over the neighbour's rate. */
  | 'gossipRate'
  /** A consensus message or transaction batch from an observer. */
  | 'fromObserver';

/** What a network has moved and dropped since it started. */
export interface NetworkMetrics {
  /** Payload bytes with our framing, before encryption, by protocol or topic. */
  readonly bytesIn: Readonly<Record<string, number>>;
  readonly bytesOut: Readonly<Record<string, number>>;
  /** Frames of the direct channels, by class. */
  readonly framesIn: Readonly<Partial<Record<FrameClass, number>>>;
  readonly framesOut: Readonly<Partial<Record<FrameClass, number>>>;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Bytes that wait in the outboxes of all peers. */
  readonly queuedBytes: number;
}

/** Counters of one network; they only grow. */
export class Counters {
  readonly #bytesIn = new Map<string, number>();
  readonly #bytesOut = new Map<string, number>();
  readonly #framesIn = new Map<FrameClass, number>();
  readonly #framesOut = new Map<FrameClass, number>();
  readonly #dropped = new Map<DropReason, number>();

  /** Counts bytes that arrived under a protocol or topic. */
  received(label: string, bytes: number): void {
    this.#bytesIn.set(label, (this.#bytesIn.get(label) ?? 0) + bytes);
  }

  /** Counts bytes handed to libp2p under a protocol or topic. */
  sent(label: string, bytes: number): void {
    this.#bytesOut.set(label, (this.#bytesOut.get(label) ?? 0) + bytes);
  }

  /** Counts a frame that arrived whole on a direct channel. */
  receivedFrame(frameClass: FrameClass): void {
    this.#framesIn.set(frameClass, (this.#framesIn.get(frameClass) ?? 0) + 1);
  }

  /** Counts a frame handed to libp2p for a direct channel. */
  sentFrame(frameClass: FrameClass): void {
    this.#framesOut.set(frameClass, (this.#framesOut.get(frameClass) ?? 0) + 1);
  }

  /** Counts one thing dropped. */
  drop(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** A copy of all counts. */
  snapshot(queuedBytes: number): NetworkMetrics {
    return {
      bytesIn: Object.fromEntries(this.#bytesIn),
      bytesOut: Object.fromEntries(this.#bytesOut),
      framesIn: Object.fromEntries(this.#framesIn),
      framesOut: Object.fromEntries(this.#framesOut),
      dropped: Object.fromEntries(this.#dropped),
      queuedBytes,
    };
  }
}
