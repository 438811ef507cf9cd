import { equalBytes, toHex } from '../codec/bytes.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { justificationFault } from './certificate.ts';
import { giveEvidence } from './evidence.ts';
import type { ValidationResult } from './input.ts';
import type { JournalRecord } from './journal-record.ts';
import type { PrePrepare } from './messages.ts';
import { viewTimeoutMs } from './parameters.ts';
import { proposalFault } from './proposal.ts';
import { persistAndSend, signCommit, signPrepare } from './signing.ts';
import {
  availableBlock,
  type Core,
  count,
  emit,
  fetchBlock,
  type HeldProposal,
  maySign,
  type OwnMessage,
  primaryOf,
  rememberBlock,
  report,
} from './state.ts';
import { cancelViewTimers } from './timers.ts';
import { holdJustification, moveToView, sendViewChange } from './view-change.ts';
import { commitQuorum, prepareQuorum } from './votes.ts';

/**
 * A PREPREPARE of the current height, its own signature verified. `relayed`: it came from another than its primary.
 * The signature covers view and hash only, so a relay may have spoilt the rest: then it is dropped, and only what
 * came from the primary itself is held against it.
 */
export function onPrePrepare(core: Core, message: PrePrepare, relayed: boolean): void {
  const { context, view, held } = core.height;
  if (message.signer !== primaryOf(context, message.view)) {
    count(core, 'notPrimary');
    return;
  }
  if (message.view < view && core.rules.dropsOldViews) {
    count(core, 'oldView');
    return;
  }
  if (message.view === view && held !== null) {
    onSecondPrePrepare(core, held, message);
    return;
  }
  const fault = justificationFault(core, message);
  if (fault !== undefined) {
    // Never answered for a higher view: else one faulty primary of a far view could end the height.
    if (message.view > view || relayed) {
      count(core, `badJustification/${fault}`);
      return;
    }
    refuseProvably(core, holdProposal(core, message, 'invalid'), `justification: ${fault}`);
    return;
  }
  // Moving is independent of what is proposed (consensus.md §4).
  moveToView(core, message.view);
  holdJustification(core, message.justification);
  judgeProposal(core, message, relayed);
}

/** Makes a justified proposal the one of the view, checks what its header tells, and asks the host for the rest. */
function judgeProposal(core: Core, message: PrePrepare, relayed: boolean): void {
  const { config, height } = core;
  const fault = proposalFault(
    config.genesisHash,
    height.context,
    message.view,
    message.blockHash,
    message.proposal,
    modeOf(message),
  );
  if (fault !== undefined && relayed && (isFaultOfSender(fault) || isFaultOfMode(fault, message))) {
    count(core, `badRelay/${fault}`);
    return;
  }
  const holding = holdProposal(core, message, 'validating');
  if (fault === 'unknownVersion' && holding.mode === 'fresh') {
    refuseUnproven(core, holding, fault);
    return;
  }
  if (fault !== undefined) {
    if (holding.mode === 'reproposed' && !isFaultOfSender(fault)) {
      refuseReproposed(core, holding, fault);
      return;
    }
    refuseProvably(core, holding, fault);
    return;
  }
  rememberBlock(core, message.blockHash, message.proposal, false);
  askValidation(core, holding);
}

/** The host's verdict on a proposal. */
export function onValidated(
  core: Core,
  input: { view: number; blockHash: Uint8Array; result: ValidationResult },
): void {
  const { held, blocks } = core.height;
  const { result, blockHash } = input;
  const block = blocks.get(toHex(blockHash));
  if (result.kind === 'valid' && block !== undefined) block.available = true;
  if (held === null || held.message.view !== input.view || !equalBytes(held.message.blockHash, blockHash)) {
    count(core, 'staleValidated');
    return;
  }
  if (held.status !== 'validating') return;
  if (result.kind === 'valid') {
    acceptProposal(core, held);
    return;
  }
  if (result.provable && held.mode === 'reproposed') {
    refuseReproposed(core, held, result.code);
    return;
  }
  if (result.provable) {
    refuseProvably(core, held, result.code);
    return;
  }
  refuseUnproven(core, held, result.code);
}

/** PREPARE once per (h, v): vote and block are on disk before it leaves (consensus.md §4). */
export function acceptProposal(core: Core, held: HeldProposal, alongside: readonly OwnMessage[] = []): void {
  held.status = 'valid';
  const prepare = signPrepare(core, held.message.blockHash);
  const records: JournalRecord[] = [];
  if (!held.journalled && (prepare !== undefined || alongside.length > 0)) {
    held.journalled = true;
    records.push({ kind: 'Proposal', message: held.message, fresh: held.mode === 'fresh' });
  }
  if (prepare !== undefined) records.push({ kind: 'Vote', message: prepare });
  if (records.length > 0) persistAndSend(core, records, prepare === undefined ? alongside : [...alongside, prepare]);
}

/** Forms prepared certificates from the PREPAREs held, also late ones of recent views, and COMMITs in our own view. */
export function advancePrepared(core: Core): void {
  const { height } = core;
  if (!maySign(core)) return;
  const records: JournalRecord[] = [];
  for (const [view, blockHash] of height.accepted) {
    if (height.prepared !== null && height.prepared.view >= view) continue;
    const certificate = prepareQuorum(core, view, blockHash);
    if (certificate === undefined) continue;
    height.prepared = certificate;
    records.push({ kind: 'Prepared', certificate });
  }
  const commit = height.prepared?.view === height.view ? signCommit(core, height.prepared.blockHash) : undefined;
  if (commit !== undefined) records.push({ kind: 'Vote', message: commit });
  if (records.length > 0) persistAndSend(core, records, commit === undefined ? [] : [commit]);
}

/** Decides on q COMMITs of any one view; the block follows when its bodies are held. */
export function advanceDecision(core: Core): void {
  const { height } = core;
  if (height.decided === null) {
    const certificate = commitQuorum(core);
    if (certificate !== undefined) decide(core, certificate);
  }
  const { decided } = height;
  if (decided === null || decided.announced) return;
  const { blockHash } = decided.certificate;
  const proposal = availableBlock(core, blockHash);
  if (proposal === undefined) {
    fetchBlock(core, decided.certificate);
    return;
  }
  decided.announced = true;
  emit(core, { kind: 'Decide', height: height.context.height, blockHash, proposal, certificate: decided.certificate });
}

/** Takes a verified commit certificate of the current height as its decision: nothing more is signed there. */
export function decide(core: Core, certificate: Certificate): void {
  if (core.height.decided !== null) return;
  core.height.decided = { certificate, announced: false };
  core.height.building = null;
  core.height.rechecking = false;
  cancelViewTimers(core);
}

/** Asks the host to check a proposal; again after a restart, or when one refused without proof comes again. */
export function askValidation(core: Core, held: HeldProposal): void {
  const { view, height, blockHash, proposal } = held.message;
  held.status = 'validating';
  const deadlineMs = Math.floor(viewTimeoutMs(core.height.context.parameters, view) / 2);
  emit(core, { kind: 'Validate', height, view, blockHash, proposal, mode: held.mode, deadlineMs });
}

/** Makes a proposal the one of the view. */
export function holdProposal(core: Core, message: PrePrepare, status: HeldProposal['status']): HeldProposal {
  const held: HeldProposal = { message, mode: modeOf(message), status, journalled: false };
  core.height.held = held;
  return held;
}

/** Fresh when no certificate justified it. */
function modeOf(message: PrePrepare): HeldProposal['mode'] {
  return message.justification.certificate === null ? 'fresh' : 'reproposed';
}

function onSecondPrePrepare(core: Core, held: HeldProposal, message: PrePrepare): void {
  if (!equalBytes(held.message.blockHash, message.blockHash)) {
    giveEvidence(core, held.message, message);
    return;
  }
  if (held.status !== 'refused') {
    count(core, 'duplicate');
    return;
  }
  askValidation(core, held);
}

/** The fault may be ours: a clock, a missing body, an old build. The timer decides, and the proposal may come again. */
function refuseUnproven(core: Core, held: HeldProposal, code: string): void {
  held.status = 'refused';
  report(core, 'warn', 'proposalRefused', code);
}

/** A proposal that every honest node refuses ends its view at once. */
function refuseProvably(core: Core, held: HeldProposal, code: string): void {
  held.status = 'invalid';
  report(core, 'warn', 'proposalInvalid', code);
  sendViewChange(core, held.message.view + 1, code);
}

/** A block that a quorum prepared, refused by our own checks: more likely a fault here than there, so no VIEWCHANGE. */
function refuseReproposed(core: Core, held: HeldProposal, code: string): void {
  held.status = 'invalid';
  report(core, 'alarm', 'reproposalRefused', code);
}

/** Faults of what is attached, by the primary or by a relay; the block that the hash names has no part in them. */
function isFaultOfSender(fault: string): boolean {
  return fault === 'hashMismatch' || fault === 'txCount' || fault === 'txRoot';
}

/** A re-proposed block under another valid justification, one without its certificate, would count as fresh. */
function isFaultOfMode(fault: string, message: PrePrepare): boolean {
  return message.view > 0 && (fault === 'wrongProposer' || fault === 'timestampNotAfterParent');
}
