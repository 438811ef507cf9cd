import type { HistoryRequest } from '../p2p/protocols.ts';
import { fetchInPieces } from './block-pieces.ts';
import { readHeaderFrame } from './linked-header.ts';
import type { PeerTips } from './peer-tips.ts';

const BLOCKS_PER_REQUEST = 64;
const BYTES_PER_REQUEST = 2 * 1024 * 1024;
/** One peer may take so long for one answer; then the next is asked. */
const REQUEST_DEADLINE_MS = 4_000;

/** How members are asked for blocks. */
export interface BlockRequests {
  connectedPeers(): readonly Uint8Array[];
  requestBlocks(
    peer: Uint8Array,
    range: { readonly fromHeight: number; readonly maxBlocks: number; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]>;
  requestHistory(peer: Uint8Array, request: HistoryRequest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
}

/** Consecutive encoded blocks of one peer, unverified; at least one. */
export interface ServedBlocks {
  readonly peer: Uint8Array;
  readonly frames: readonly Uint8Array[];
}

/**
 * Blocks from `fromHeight` on, of the first peer that has some: each of those that may hold them is asked once, the
 * peers in `last` after the others, so that two requests under way are of two peers where there are two. A peer that
 * does not answer in time is passed over. Undefined when nobody has them.
 */
export async function fetchBlocks(
  requests: BlockRequests,
  tips: PeerTips,
  fromHeight: number,
  last: Uint8Array | undefined,
  closing: AbortSignal,
): Promise<ServedBlocks | undefined> {
  const holders = tips.holders(fromHeight);
  const order = [...holders.filter((peer) => peer !== last), ...holders.filter((peer) => peer === last)];
  for (const peer of order) {
    const signal = () => AbortSignal.any([closing, AbortSignal.timeout(REQUEST_DEADLINE_MS)]);
    const range = { fromHeight, maxBlocks: BLOCKS_PER_REQUEST, maxBytes: BYTES_PER_REQUEST };
    try {
      const frames = await requests.requestBlocks(peer, range, signal());
      if (frames.length > 0) return { peer, frames: frames.slice(0, BLOCKS_PER_REQUEST) };
      // A reply frame holds no part of a block: one that is larger is named by its header and comes in pieces.
      const large = await fetchLarge(requests, peer, fromHeight, signal);
      if (large !== undefined) return { peer, frames: [large] };
      tips.forgetClaim(peer);
    } catch {
      if (closing.aborted) return undefined;
    }
    tips.missed(peer);
  }
  return undefined;
}

async function fetchLarge(
  requests: BlockRequests,
  peer: Uint8Array,
  height: number,
  signal: () => AbortSignal,
): Promise<Uint8Array | undefined> {
  const [frame] = await requests.requestHistory(peer, { kind: 'headers', fromHeight: height, maxHeaders: 1 }, signal());
  const served = frame === undefined ? undefined : readHeaderFrame(frame);
  if (served === undefined || served.header.height !== height) return undefined;
  return fetchInPieces((offset) =>
    requests.requestHistory(peer, { kind: 'piece', hash: served.hash, offset }, signal()),
  );
}
