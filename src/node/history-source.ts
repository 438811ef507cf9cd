import { toHex } from '../codec/bytes.ts';
import type { HistoryRequest } from '../p2p/protocols.ts';

/** One request to one peer may take so long; then the next is asked. */
const REQUEST_DEADLINE_MS = 4_000;

/** How members are asked about the past. */
export interface HistoryRequests {
  connectedPeers(): readonly Uint8Array[];
  requestHistory(peer: Uint8Array, request: HistoryRequest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
}

/** What an answer was read as: a value, nothing to be had there, or a fault that no honest peer commits. */
export type Reading<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'fault'; readonly reason: string };

/** No peer had what was asked for. */
export class NotAvailableError extends Error {
  override readonly name = 'NotAvailableError';
}

/** Members that are asked in turn. One that serves what is provably wrong is reported and not asked again. */
export class HistorySource {
  readonly #requests: HistoryRequests;
  readonly #onBadPeer: (peer: Uint8Array, reason: string) => void;
  readonly #signal: AbortSignal;
  readonly #bad = new Set<string>();
  #turn = 0;

  constructor(requests: HistoryRequests, onBadPeer: (peer: Uint8Array, reason: string) => void, signal: AbortSignal) {
    this.#requests = requests;
    this.#onBadPeer = onBadPeer;
    this.#signal = signal;
  }

  /** Connected peers that served nothing bad. */
  peers(): readonly Uint8Array[] {
    return this.#requests.connectedPeers().filter((peer) => !this.#bad.has(toHex(peer)));
  }

  /** The answer of one peer as `read` takes it; `nothing` when it is late or fails. */
  async askOne<T>(
    peer: Uint8Array,
    request: HistoryRequest,
    read: (items: readonly Uint8Array[]) => Reading<T>,
  ): Promise<Reading<T>> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(REQUEST_DEADLINE_MS)]);
    const items = await this.#requests.requestHistory(peer, request, signal).catch(() => []);
    this.#signal.throwIfAborted();
    const reading: Reading<T> = items.length === 0 ? { kind: 'nothing' } : read(items);
    if (reading.kind === 'fault') this.report(peer, reading.reason);
    return reading;
  }

  /** What the first peer that has it answers, each asked once, beginning with another one each time. */
  async ask<T>(request: HistoryRequest, read: (items: readonly Uint8Array[]) => Reading<T>): Promise<T> {
    const peers = this.peers();
    this.#turn += 1;
    for (let place = 0; place < peers.length; place += 1) {
      const reading = await this.askOne(peers[(this.#turn + place) % peers.length]!, request, read);
      if (reading.kind === 'value') return reading.value;
    }
    throw new NotAvailableError(`no connected member has the ${request.kind} asked for`);
  }

  /** A peer is at fault: it is asked no more. */
  report(peer: Uint8Array, reason: string): void {
    this.#bad.add(toHex(peer));
    this.#onBadPeer(peer, reason);
  }
}
