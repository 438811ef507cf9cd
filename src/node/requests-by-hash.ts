/** Most hashes of one request for transactions. */
export const HASHES_PER_REQUEST = 512;
/** Attachments are larger: as many as a reply frame surely holds. */
export const ATTACHMENTS_PER_REQUEST = 128;

/** What members can be asked for by hash; a reply has a place for each hash, null where the peer has nothing. */
export interface BodyRequests {
  connectedPeers(): readonly Uint8Array[];
  requestBodies(
    peer: Uint8Array,
    hashes: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<readonly (Uint8Array | null)[]>;
  requestAttachments(
    peer: Uint8Array,
    hashes: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<readonly (Uint8Array | null)[]>;
}

/** What is looked for. */
interface Wanted {
  missing(): readonly Uint8Array[];
  ask(peer: Uint8Array, hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>;
  /** False when the bytes are not what the hash names. */
  take(hash: Uint8Array, bytes: Uint8Array): boolean;
}

/**
 * Asks peer after peer for what is still missing, in requests of bounded size. A peer that fails or gives wrong bytes is
 * passed over.
 */
export async function askEach(
  peers: readonly Uint8Array[],
  perRequest: number,
  signal: AbortSignal,
  { missing, ask, take }: Wanted,
): Promise<void> {
  for (const peer of peers) {
    const open = missing();
    for (let start = 0; start < open.length && !signal.aborted; start += perRequest) {
      const hashes = open.slice(start, start + perRequest);
      const reply = await ask(peer, hashes).catch(() => undefined);
      const isHonest = reply?.every((bytes, place) => bytes === null || take(hashes[place]!, bytes)) ?? false;
      if (!isHonest) break;
    }
  }
}
