import { toHex } from '../codec/bytes.ts';
import { VIEW_MAX } from '../ledger/vote.ts';
import { viewChangeFault } from './certificate.ts';
import { giveEvidence } from './evidence.ts';
import { isSameClaim, type Justification, type SignedViewChange, type ViewChange } from './messages.ts';
import { PREPARE_VIEWS_AROUND } from './parameters.ts';
import { persistAndSend, signViewChange } from './signing.ts';
import { availableBlock, type Core, count, type HeldViewChange, report } from './state.ts';
import { cancelViewTimers } from './timers.ts';
import { pruneVotes } from './votes.ts';

/** Leaves the views below `newView` under our signature, if we may sign and it is above ours. */
export function sendViewChange(core: Core, newView: number, reason: string): void {
  if (newView > VIEW_MAX) {
    report(core, 'alarm', 'viewsExhausted');
    return;
  }
  const message = signViewChange(core, newView);
  if (message === undefined) return;
  report(core, 'info', 'viewChangeSent', `to view ${newView}: ${reason}`);
  moveToView(core, newView);
  persistAndSend(core, [{ kind: 'ViewChanged', message }], [message]);
}

/** Moves to a higher view; what belonged to the one before is dropped, votes and certificates stay. */
export function moveToView(core: Core, view: number): void {
  const { height } = core;
  if (core.rules.dropsOldViews ? view <= height.view : view === height.view) return;
  height.view = view;
  height.held = null;
  height.building = null;
  height.nothingToBuild = false;
  height.rechecking = false;
  cancelViewTimers(core);
  pruneToView(core);
  report(core, 'info', 'viewEntered');
}

/** Drops votes, slots and blocks that no rule can use any more in the view now entered. */
export function pruneToView(core: Core): void {
  const { accepted, view } = core.height;
  pruneVotes(core);
  for (const old of accepted.keys()) if (old < view - PREPARE_VIEWS_AROUND) accepted.delete(old);
  forgetBlocks(core);
}

/** A verified VIEWCHANGE of the current height. */
export function onViewChange(core: Core, message: ViewChange): void {
  const fault = viewChangeFault(core, message);
  if (fault !== undefined) {
    count(core, `invalidViewChange/${fault}`);
    return;
  }
  const earlier = core.height.viewChanges.get(message.signer);
  holdViewChange(core, { part: message, certificate: message.certificate, complete: true });
  if (earlier?.part.newView === message.newView && !isSameClaim(earlier.part, message)) {
    const first: ViewChange = { kind: 'ViewChange', ...earlier.part, certificate: earlier.certificate };
    giveEvidence(core, first, message);
  }
}

/** The parts of a valid justification count as held (consensus.md §4). */
export function holdJustification(core: Core, justification: Justification): void {
  for (const part of justification.viewChanges)
    holdViewChange(core, { part, certificate: null, complete: part.preparedView === null });
}

/** Joins the view that f+1 validators, so at least one honest, have asked for. */
export function joinHigherView(core: Core): void {
  const { viewChanges, faulty, view } = core.height;
  const newViews = [...viewChanges.values()].map(({ part }) => part.newView).sort((a, b) => b - a);
  const joined = newViews[faulty];
  if (joined !== undefined && joined > view) sendViewChange(core, joined, 'f+1 validators left');
}

/** `wait`: every choice re-proposes a block whose bodies are not held. `ready`: a fresh block, or one that is held. */
type NewViewChoice =
  | { readonly kind: 'ready'; readonly justification: Justification }
  | { readonly kind: 'wait'; readonly justifications: readonly Justification[] };

/**
 * What the primary of the current view may propose, judged from the complete VIEWCHANGEs held for exactly this view;
 * undefined while they are fewer than q. Of the choices that are ready, the one with the highest prepared view.
 */
export function chooseJustification(core: Core): NewViewChoice | undefined {
  const { viewChanges, view, quorum } = core.height;
  const usable = [...viewChanges.values()].filter(({ part, complete }) => complete && part.newView === view);
  if (usable.length < quorum) return undefined;
  // Highest claim first: any q of them may justify, and the first of each run of q is the one that wins it.
  usable.sort((a, b) => preparedRank(b) - preparedRank(a) || a.part.signer - b.part.signer);
  const waiting: Justification[] = [];
  for (let first = 0; first + quorum <= usable.length; first += 1) {
    const justification = justificationOf(usable.slice(first, first + quorum));
    const { certificate } = justification;
    if (certificate === null || availableBlock(core, certificate.blockHash) !== undefined)
      return { kind: 'ready', justification };
    waiting.push(justification);
  }
  return { kind: 'wait', justifications: waiting };
}

/** One VIEWCHANGE per validator, its highest; a complete one before a bare part of the same view. */
function holdViewChange(core: Core, entry: HeldViewChange): void {
  const earlier = core.height.viewChanges.get(entry.part.signer);
  if (earlier !== undefined) {
    if (earlier.part.newView > entry.part.newView) {
      count(core, 'oldViewChange');
      return;
    }
    if (earlier.part.newView === entry.part.newView && (earlier.complete || !entry.complete)) return;
  }
  core.height.viewChanges.set(entry.part.signer, entry);
}

function preparedRank({ part }: HeldViewChange): number {
  return part.preparedView ?? -1;
}

function justificationOf(chosen: readonly HeldViewChange[]): Justification {
  const parts = chosen.map(({ part }): SignedViewChange => {
    const { height, newView, preparedView, preparedHash, signer, signature } = part;
    return { height, newView, preparedView, preparedHash, signer, signature };
  });
  return { viewChanges: parts.sort((a, b) => a.signer - b.signer), certificate: chosen[0]!.certificate };
}

/** Keeps the blocks that a certificate, an accepted slot or a fetch still names: so their number is bounded. */
function forgetBlocks(core: Core): void {
  const { accepted, prepared, blocks, fetching, viewChanges } = core.height;
  const named = new Set([...accepted.values()].map(toHex));
  if (prepared !== null) named.add(toHex(prepared.blockHash));
  const claimed = new Set([...viewChanges.values()].map(({ part }) => toHex(part.preparedHash ?? new Uint8Array(0))));
  for (const key of blocks.keys()) if (!named.has(key) && !claimed.has(key)) blocks.delete(key);
  for (const key of fetching.keys()) if (!claimed.has(key)) fetching.delete(key);
}
