import { toHex } from '../codec/bytes.ts';
import { isMember } from './catch-up.ts';
import type { JournalStanding } from './input.ts';
import { type JournalRecord, journalRecordHeight } from './journal-record.ts';
import type { Commit, PrePrepare } from './messages.ts';
import { askValidation, holdProposal } from './normal-case.ts';
import { countOwn, persistAndSend } from './signing.ts';
import { type Core, emit, isOwnKey, maySign, rememberBlock, report, type Slot } from './state.ts';
import { holdJustification, pruneToView } from './view-change.ts';

/** What a journal is worth beside the store it belongs to, for the Start input; `fresh` counts as intact there. */
export type JournalVerdict = 'fresh' | 'intact' | 'amnesia';

/**
 * Judges the journal's records, in order, against the height of the applied tip, of a ledger that starts from
 * `startHeight`. Intact: it begins with a birth or a
 * truncation record (after an amnesia, with the truncation that ended it) and reaches the tip. A birth record alone
 * and a store at the start is a node that may start a ledger.
 */
export function journalVerdict(
  records: readonly JournalRecord[],
  tipHeight: number,
  startHeight: number,
): JournalVerdict {
  const forgotten = records.findLastIndex(({ kind }) => kind === 'Amnesia');
  const begin = forgotten < 0 ? 0 : records.findIndex(({ kind }, index) => index > forgotten && kind === 'Truncated');
  const first = records[begin];
  if (first === undefined || (first.kind !== 'Birth' && first.kind !== 'Truncated')) return 'amnesia';
  if (first.kind === 'Birth' && records.length === 1) return tipHeight === startHeight ? 'fresh' : 'amnesia';
  // The crash between the batch of a decided height and the truncation after it leaves no more than one behind.
  const reached = Math.max(...records.slice(begin).map(journalRecordHeight));
  return reached + 1 < tipHeight ? 'amnesia' : 'intact';
}

/** Takes over the journal at start. */
export function recover(core: Core, records: readonly JournalRecord[], standing: JournalStanding): void {
  core.recovered = records;
  for (const record of records) if (record.kind === 'Truncated') keepSilentThrough(core, record.height);
  if (standing === 'override')
    report(core, 'alarm', 'amnesiaOverridden', 'the operator vouches that this key signed nothing');
  if (standing === 'amnesia') beginAmnesia(core, 'no journal that matches the store');
}

/** Fills the slots of the height just entered from the journal: same bytes or silence. */
export function restoreHeight(core: Core): void {
  const { height } = core;
  const ours = core.recovered.filter((record) => journalRecordHeight(record) === height.context.height);
  core.recovered = core.recovered.filter((record) => journalRecordHeight(record) > height.context.height);
  if (height.own === null) return;
  // First the view: it says which votes and slots are still of use.
  height.view = Math.max(0, ...ours.map(viewOfRecord));
  for (const record of ours) restoreRecord(core, record);
  pruneToView(core);
  restoreProposal(core, ours);
}

/** Signs nothing until enough others have shown where the ledger stands. */
export function beginAmnesia(core: Core, reason: string): void {
  if (core.silence.tips !== null) return;
  core.silence.tips = new Map();
  report(core, 'alarm', 'amnesia', reason);
  // A restart must not forget it; the truncation after the silence does.
  persistAndSend(core, [{ kind: 'Amnesia' }], []);
  emit(core, { kind: 'AskTips' });
}

/** A certified tip that another validator showed after our start. */
export function onTipShown(core: Core, peer: Uint8Array, height: number): void {
  const { tips } = core.silence;
  if (tips === null || isOwnKey(core, peer) || !isMember(core, peer)) return;
  tips.set(toHex(peer), height);
  const { validators } = core.height.context.validators;
  const n = validators.length;
  const shown = validators.flatMap(({ publicKey }) => tips.get(toHex(publicKey)) ?? []);
  // With n ≤ 2 no number of others excludes that our own lost vote decided something: the operator's choice only.
  if (n <= 2 || shown.length < n + core.height.faulty + 1 - core.height.quorum) return;
  const highest = Math.max(core.height.context.height - 1, ...shown);
  core.silence.tips = null;
  keepSilentThrough(core, highest + core.rules.amnesiaMargin);
  report(core, 'warn', 'amnesiaEnds', `silent through height ${core.silence.through}`);
}

/** Asks again for the tips that are missing. */
export function repeatTipRequest(core: Core): void {
  if (core.silence.tips !== null) emit(core, { kind: 'AskTips' });
}

function keepSilentThrough(core: Core, height: number): void {
  core.silence.through = Math.max(core.silence.through, height);
}

/** The view that a record of ours puts us in. */
function viewOfRecord(record: JournalRecord): number {
  if (record.kind === 'Proposal' || record.kind === 'Vote') return record.message.view;
  return record.kind === 'ViewChanged' ? record.message.newView : 0;
}

function restoreRecord(core: Core, record: JournalRecord): void {
  const { height } = core;
  switch (record.kind) {
    case 'Birth':
    case 'Truncated':
    case 'Amnesia':
      return;
    case 'Proposal':
      rememberBlock(core, record.message.blockHash, record.message.proposal, true);
      if (record.message.signer === height.own) height.prePrepare = later(height.prePrepare, record.message);
      return;
    case 'Vote':
      countOwn(core, record.message);
      if (record.message.kind === 'Commit') {
        restoreCommit(core, record.message);
        return;
      }
      height.prepare = later(height.prepare, record.message);
      height.accepted.set(record.message.view, record.message.blockHash);
      return;
    case 'Prepared':
      // A certificate of a lower view never replaces one of a higher, in whatever order they lie.
      if (height.prepared === null || record.certificate.view > height.prepared.view)
        height.prepared = record.certificate;
      return;
    case 'ViewChanged':
      if (height.viewChange === null || record.message.newView > height.viewChange.message.newView)
        height.viewChange = { message: record.message, synced: true };
      countOwn(core, height.viewChange.message);
      return;
  }
}

function restoreCommit(core: Core, message: Commit): void {
  const { commit } = core.height;
  if (commit !== null && commit.message.view >= message.view) return;
  core.height.earlierCommit = commit;
  core.height.commit = { message, synced: true };
}

function later<M extends { readonly view: number }>(slot: Slot<M> | null, message: M): Slot<M> {
  return slot !== null && slot.message.view >= message.view ? slot : { message, synced: true };
}

function restoreProposal(core: Core, records: readonly JournalRecord[]): void {
  const { height } = core;
  let message: PrePrepare | undefined;
  for (const record of records)
    if (record.kind === 'Proposal' && record.message.view === height.view) message = record.message;
  if (message === undefined) return;
  rememberBlock(core, message.blockHash, message.proposal, true);
  holdJustification(core, message.justification);
  const held = holdProposal(core, message, 'valid');
  held.journalled = true;
  // The crash came between the proposal's record and our PREPARE.
  if (maySign(core) && height.prepare?.message.view !== height.view) askValidation(core, held);
}
