import { toHex } from '../codec/bytes.ts';
import { isBlockOf } from '../crypto/payload-cid.ts';
import type { AdmittedPeer } from '../p2p/gate.ts';
import type { Network } from '../p2p/network.ts';
import type { BlocksRequest, HistoryRequest } from '../p2p/protocols.ts';
import type { Submission } from './ports.ts';
import type { BodyRequests } from './requests-by-hash.ts';

/** How long one member may take to answer for a payload that a client waits for. */
const FETCH_DEADLINE_MS = 5_000;

/**
 * The other members as the node's parts see them. Usable before the network is up: until then there are no peers and
 * what is sent is lost, as on any bad line.
 */
export class PeerLink implements BodyRequests {
  #network: Network | undefined;

  /** The network is up. */
  attach(network: Network): void {
    this.#network = network;
  }

  /** Replaces whom the gate admits. */
  setMembers(peers: readonly AdmittedPeer[]): void {
    this.#network?.setMembers(peers);
  }

  connectedPeers(): readonly Uint8Array[] {
    return this.#network?.connectedPeers() ?? [];
  }

  broadcast(frame: Uint8Array): void {
    this.#network?.broadcast(frame);
  }

  send(to: Uint8Array, frame: Uint8Array): void {
    this.#network?.send(to, frame);
  }

  publishTransactions(batch: readonly Submission[]): void {
    this.#network?.publishTransactions(batch);
  }

  publishBlock(frame: Uint8Array): void {
    this.#network?.publishBlock(frame);
  }

  reportMalformed(peer: Uint8Array, reason: string): void {
    this.#network?.reportMalformed(peer, reason);
  }

  async requestBlocks(peer: Uint8Array, request: BlocksRequest, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    return (await this.#network?.requestBlocks(peer, request, { signal })) ?? [];
  }

  async requestBlock(peer: Uint8Array, hash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | null> {
    return (await this.#network?.requestBlock(peer, hash, { signal })) ?? null;
  }

  async requestHistory(peer: Uint8Array, request: HistoryRequest, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    return (await this.#network?.requestHistory(peer, request, { signal })) ?? [];
  }

  async requestBodies(peer: Uint8Array, hashes: readonly Uint8Array[], signal: AbortSignal) {
    return (await this.#network?.requestBodies(peer, hashes, { signal })) ?? hashes.map(() => null);
  }

  async requestAttachments(peer: Uint8Array, hashes: readonly Uint8Array[], signal: AbortSignal) {
    return (await this.#network?.requestAttachments(peer, hashes, { signal })) ?? hashes.map(() => null);
  }

  /** A payload block from the first member that has it, checked against its CID. */
  async fetchPayload(cid: Uint8Array): Promise<Uint8Array | undefined> {
    const signal = AbortSignal.timeout(FETCH_DEADLINE_MS);
    for (const peer of this.connectedPeers()) {
      const bytes = await this.#network!.requestPayload(peer, cid, { signal }).catch(() => null);
      if (bytes === null) continue;
      if (isBlockOf(cid, bytes)) return bytes;
      this.reportMalformed(peer, `wrong bytes for a CID, from ${toHex(peer).slice(0, 12)}`);
    }
    return undefined;
  }

  /** Bytes exchanged since the start, by protocol and direction. */
  protocolBytes(): { readonly protocol: string; readonly direction: 'in' | 'out'; readonly bytes: number }[] {
    const { bytesIn = {}, bytesOut = {} } = this.#network?.metrics() ?? {};
    return [
      ...Object.entries(bytesIn).map(([protocol, bytes]) => ({ protocol, direction: 'in' as const, bytes })),
      ...Object.entries(bytesOut).map(([protocol, bytes]) => ({ protocol, direction: 'out' as const, bytes })),
    ];
  }

  /** Frames of the direct channels since the start, by class and direction. */
  frames(): { readonly frameClass: string; readonly direction: 'in' | 'out'; readonly count: number }[] {
    const { framesIn = {}, framesOut = {} } = this.#network?.metrics() ?? {};
    return [
      ...Object.entries(framesIn).map(([frameClass, count]) => ({ frameClass, direction: 'in' as const, count })),
      ...Object.entries(framesOut).map(([frameClass, count]) => ({ frameClass, direction: 'out' as const, count })),
    ];
  }

  /** What the network dropped since the start, by reason. */
  dropped(): Readonly<Record<string, number>> {
    return { ...this.#network?.metrics().dropped };
  }

  async close(): Promise<void> {
    await this.#network?.close();
  }
}
