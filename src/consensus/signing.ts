import { equalBytes } from '../codec/bytes.ts';
import { type Vote, votePreimage } from '../ledger/vote.ts';
import type { JournalRecord } from './journal-record.ts';
import {
  type Commit,
  isSameClaim,
  type Justification,
  type PrePrepare,
  type Prepare,
  type Proposal,
  prePreparePreimage,
  type ViewChange,
  type ViewChangeClaim,
  viewChangePreimage,
} from './messages.ts';
import { type Core, emit, maySign, type OwnMessage, type Slot } from './state.ts';
import { addVote } from './votes.ts';

/**
 * Our PREPREPARE of the current view, its slot taken; undefined when the slot is filled or we must not sign. Like all
 * of this file: what it returns must go through `persistAndSend`, and nothing else ever signs.
 */
export function signPrePrepare(
  core: Core,
  blockHash: Uint8Array,
  proposal: Proposal,
  justification: Justification,
): PrePrepare | undefined {
  const { own, view, prePrepare } = core.height;
  if (own === null || !maySign(core) || isFilled(prePrepare, view)) return undefined;
  const vote = voteOfView(core, blockHash);
  const signature = core.config.sign(prePreparePreimage(core.config.genesisHash, vote));
  const message: PrePrepare = { kind: 'PrePrepare', ...vote, signer: own, signature, proposal, justification };
  core.height.prePrepare = { message, synced: false };
  return message;
}

/** Our PREPARE of the current view, its slot taken; undefined when the slot is filled or we must not sign. */
export function signPrepare(core: Core, blockHash: Uint8Array): Prepare | undefined {
  const { own, view, prepare } = core.height;
  if (own === null || !maySign(core) || isFilled(prepare, view)) return undefined;
  const vote = voteOfView(core, blockHash);
  const signature = core.config.sign(votePreimage('PREPARE', core.config.genesisHash, vote));
  const message: Prepare = { kind: 'Prepare', ...vote, signer: own, signature };
  core.height.prepare = { message, synced: false };
  core.height.accepted.set(view, blockHash);
  return message;
}

/** Our COMMIT of the current view, its slot taken; undefined when the slot is filled or we must not sign. */
export function signCommit(core: Core, blockHash: Uint8Array): Commit | undefined {
  const { own, view, commit } = core.height;
  if (own === null || !maySign(core) || isFilled(commit, view)) return undefined;
  const vote = voteOfView(core, blockHash);
  const signature = core.config.sign(votePreimage('COMMIT', core.config.genesisHash, vote));
  const message: Commit = { kind: 'Commit', ...vote, signer: own, signature };
  core.height.earlierCommit = commit;
  core.height.commit = { message, synced: false };
  return message;
}

/** Our VIEWCHANGE to a view above ours with the certificate held now; undefined when we must not sign. */
export function signViewChange(core: Core, newView: number): ViewChange | undefined {
  const { own, view, context } = core.height;
  if (own === null || !maySign(core) || newView <= view) return undefined;
  const certificate = core.rules.carriesPrepared ? core.height.prepared : null;
  const claim: ViewChangeClaim = {
    height: context.height,
    newView,
    preparedView: certificate?.view ?? null,
    preparedHash: certificate?.blockHash ?? null,
  };
  const signature = core.config.sign(viewChangePreimage(core.config.genesisHash, claim));
  const message: ViewChange = { kind: 'ViewChange', ...claim, signer: own, signature, certificate };
  core.height.viewChange = { message, synced: false };
  return message;
}

/** Journals the records; the messages leave and count when they are on disk (consensus.md §7). */
export function persistAndSend(core: Core, records: readonly JournalRecord[], messages: readonly OwnMessage[]): void {
  const token = core.nextToken;
  core.nextToken += 1;
  core.releases.set(token, messages);
  emit(core, { kind: 'Persist', token, records });
  if (!core.rules.syncsBeforeSending) for (const message of messages) emit(core, { kind: 'Broadcast', message });
}

/** The records of a Persist are on disk. */
export function onSynced(core: Core, token: number): void {
  const messages = core.releases.get(token) ?? [];
  core.releases.delete(token);
  for (const message of messages) {
    // A height that was decided meanwhile needs none of it.
    if (message.height !== core.height.context.height) continue;
    for (const slot of slotsOf(core)) if (slot?.message === message) slot.synced = true;
    countOwn(core, message);
    emit(core, { kind: 'Broadcast', message });
  }
}

/** Counts a message of ours that is on disk as if a peer had sent it. */
export function countOwn(core: Core, message: OwnMessage): void {
  if (message.kind === 'Prepare' || message.kind === 'Commit') addVote(core, message);
  else if (message.kind === 'ViewChange')
    core.height.viewChanges.set(message.signer, { part: message, certificate: message.certificate, complete: true });
}

/**
 * True when a verified message under our own key is one that we know of. One that we do not know means that the
 * journal is older than a signature of ours (consensus.md §7).
 */
export function isKnownAsOwn(core: Core, message: OwnMessage): boolean {
  const { prePrepare, prepare, commit, viewChange } = core.height;
  if (message.kind === 'ViewChange') {
    if (viewChange === null || viewChange.message.newView < message.newView) return false;
    return viewChange.message.newView > message.newView || isSameClaim(viewChange.message, message);
  }
  const slot = message.kind === 'PrePrepare' ? prePrepare : message.kind === 'Prepare' ? prepare : commit;
  if (slot === null || slot.message.view < message.view) return false;
  // Only the latest slot of each kind is remembered; of an earlier view nothing can be said.
  return slot.message.view > message.view || equalBytes(slot.message.blockHash, message.blockHash);
}

function slotsOf(core: Core): readonly (Slot<OwnMessage> | null)[] {
  const { prePrepare, prepare, commit, earlierCommit, viewChange } = core.height;
  return [prePrepare, prepare, commit, earlierCommit, viewChange];
}

/** Views of one kind of slot are filled in ascending order, so a slot of this or a later view forbids this one. */
function isFilled(slot: Slot<Vote & OwnMessage> | null, view: number): boolean {
  return slot !== null && slot.message.view >= view;
}

function voteOfView(core: Core, blockHash: Uint8Array): Vote {
  return { height: core.height.context.height, view: core.height.view, blockHash };
}
