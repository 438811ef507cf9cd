import { type Commit, encodeMessage, type PrePrepare, type Prepare, type ViewChange } from './messages.ts';
import { NEXT_HEIGHT_BYTES_MAX, NEXT_HEIGHT_MESSAGES_MAX } from './parameters.ts';

/** What came for the height after ours, bounded per validator so that none can displace another's. */
export interface NextHeightBuffer {
  readonly prePrepares: Map<number, PrePrepare>;
  readonly others: Map<number, { readonly messages: Kept[]; bytes: number }>;
}

type Kept = Prepare | Commit | ViewChange;

/** Nothing kept yet. */
export function emptyBuffer(): NextHeightBuffer {
  return { prePrepares: new Map(), others: new Map() };
}

/**
 * Keeps a message of the next height, its signature verified; false when its signer's share is full. Who may propose
 * is only known on entering that height, so one proposal of each validator is kept.
 */
export function keepForNextHeight(buffer: NextHeightBuffer, message: PrePrepare | Kept): boolean {
  if (!hasRoomForNextHeight(buffer, message)) return false;
  if (message.kind === 'PrePrepare') {
    buffer.prePrepares.set(message.signer, message);
    return true;
  }
  let share = buffer.others.get(message.signer);
  if (share === undefined) {
    share = { messages: [], bytes: 0 };
    buffer.others.set(message.signer, share);
  }
  share.messages.push(message);
  share.bytes += encodeMessage(message).length;
  return true;
}

/** True when `keepForNextHeight` would keep this message; looked at before its signature is. */
export function hasRoomForNextHeight(buffer: NextHeightBuffer, message: PrePrepare | Kept): boolean {
  if (message.kind === 'PrePrepare') return !buffer.prePrepares.has(message.signer);
  const share = buffer.others.get(message.signer);
  if (share === undefined) return true;
  if (share.messages.some((kept) => isSameStatement(kept, message))) return false;
  if (share.messages.length >= NEXT_HEIGHT_MESSAGES_MAX) return false;
  return share.bytes + encodeMessage(message).length <= NEXT_HEIGHT_BYTES_MAX;
}

/** Everything kept: proposals first, then the rest by signer in order of arrival. */
export function keptMessages(buffer: NextHeightBuffer): readonly (PrePrepare | Kept)[] {
  return [...buffer.prePrepares.values(), ...[...buffer.others.values()].flatMap(({ messages }) => messages)];
}

/** A retransmitted message must not use up its signer's share. */
function isSameStatement(a: Kept, b: Kept): boolean {
  if (a.kind === 'ViewChange') return b.kind === 'ViewChange' && a.newView === b.newView;
  return b.kind === a.kind && b.view === a.view;
}
