import { equalBytes } from '../codec/bytes.ts';
import { answerLate, forgetFormerMembers, noteHeight, onDecided, onStatus } from './catch-up.ts';
import type { Effect } from './effect.ts';
import type { HeightContext, Input } from './input.ts';
import type { Message } from './messages.ts';
import { keepForNextHeight, keptMessages } from './next-height.ts';
import { advanceDecision, advancePrepared, onPrePrepare, onValidated } from './normal-case.ts';
import { advancePrimary, onBuilt, onFetched } from './primary.ts';
import { beginAmnesia, onTipShown, recover, restoreHeight } from './recovery.ts';
import { onConnected, retransmit, statusMessage } from './retransmission.ts';
import { isKnownAsOwn, onSynced } from './signing.ts';
import { type Core, count, emit, newHeight, type OwnMessage, publicKeyOf, report } from './state.ts';
import { onPendingRechecked, onTimeout } from './timeout.ts';
import { adjustViewTimer, cancelTimer, cancelViewTimers, setTimer } from './timers.ts';
import { joinHigherView, onViewChange } from './view-change.ts';
import { addVote } from './votes.ts';

/**
 * The next step of a node's consensus: takes one input, returns what the host must do, in order. Synchronous and
 * deterministic; the caller gives inputs one at a time and never from within. The handlers change the state, and
 * then every rule is looked at once, so that no rule depends on which input made it true.
 */
export function step(core: Core, input: Input): readonly Effect[] {
  if (!core.started && input.kind !== 'Start') throw new Error(`${input.kind} before Start`);
  handle(core, input);
  advanceDecision(core);
  advancePrepared(core);
  joinHigherView(core);
  advancePrimary(core);
  adjustViewTimer(core);
  const { effects } = core;
  core.effects = [];
  return effects;
}

function handle(core: Core, input: Input): void {
  if ('height' in input && input.kind !== 'TipShown' && input.height !== core.height.context.height) {
    count(core, `stale${input.kind}`);
    return;
  }
  switch (input.kind) {
    case 'Start': {
      onStart(core, input);
      return;
    }
    case 'Message': {
      onMessage(core, input.from, input.message, input.verified);
      return;
    }
    case 'Timeout': {
      onTimeout(core, input.timer, input.token);
      return;
    }
    case 'Built': {
      onBuilt(core, input.view, input.proposal);
      return;
    }
    case 'Validated': {
      onValidated(core, input);
      return;
    }
    case 'Fetched': {
      onFetched(core, input.blockHash, input.proposal);
      return;
    }
    case 'Synced': {
      onSynced(core, input.token);
      return;
    }
    case 'PendingChanged':
      core.height.pendingApplicable = input.applicable;
      if (!input.applicable) core.pendingRounds = 0;
      core.height.nothingToBuild = false;
      return;
    case 'PendingRechecked': {
      onPendingRechecked(core, input.applicable);
      return;
    }
    case 'Connected': {
      onConnected(core, input.peer);
      return;
    }
    case 'TipShown': {
      onTipShown(core, input.peer, input.height);
      return;
    }
    case 'Applied': {
      onApplied(core, input);
      return;
    }
  }
}

function onStart(core: Core, input: Extract<Input, { kind: 'Start' }>): void {
  if (core.started) throw new Error('Start twice');
  core.started = true;
  core.tip = input.tip;
  enterHeight(core, input.context, () => recover(core, input.records, input.journal));
  report(core, 'info', 'started');
  const status = statusMessage(core);
  if (status !== undefined) emit(core, { kind: 'Broadcast', message: status });
  retransmit(core);
  setTimer(core, 'retransmit', core.config.intervals.retransmitMs);
  setTimer(core, 'status', core.config.intervals.statusMs);
}

function onApplied(core: Core, input: Extract<Input, { kind: 'Applied' }>): void {
  const { context } = input;
  if (context.height <= core.height.context.height) {
    count(core, 'staleApplied');
    return;
  }
  const kept = context.height === core.height.context.height + 1 ? keptMessages(core.height.next) : [];
  core.tip = input.certificate;
  // While we are silent the journal stays as it is: it says why.
  if (core.silence.tips === null && context.height > core.silence.through)
    emit(core, { kind: 'Truncate', height: context.height - 1, blockHash: context.previousHash });
  enterHeight(core, context, () => undefined);
  // Who brought them is forgotten: proposals count as relayed.
  for (const message of kept) onCurrentMessage(core, null, message);
}

function enterHeight(core: Core, context: HeightContext, before: () => void): void {
  cancelViewTimers(core);
  cancelTimer(core, 'heartbeat');
  core.height = newHeight(core.config, core.rules, context);
  forgetFormerMembers(core);
  before();
  restoreHeight(core);
  setTimer(core, 'heartbeat', context.parameters.heartbeatMs);
}

function onMessage(core: Core, from: Uint8Array, message: Message, verified: boolean): void {
  // Where a peer stands it says itself: another's old STATUS proves nothing about now.
  if (message.kind === 'Status' && !equalBytes(message.publicKey, from)) {
    count(core, 'relayedStatus');
    return;
  }
  noteHeight(core, from, message);
  if (message.kind === 'Decided') {
    onDecided(core, from, message.certificate);
    return;
  }
  if (message.kind === 'Status') {
    verified ? onStatus(core, from, message.height) : count(core, 'unverified');
    return;
  }
  const { context, decided, next } = core.height;
  if (message.height < context.height) {
    message.kind === 'ViewChange' ? answerLate(core, from) : count(core, 'oldHeight');
    return;
  }
  if (message.height > context.height + 1) {
    emit(core, { kind: 'Behind', height: message.height - 1, from, certificate: null });
    return;
  }
  // Far ahead when it was admitted, and near by now: its signature was not looked at. It comes again.
  if (!verified) {
    count(core, 'unverified');
    return;
  }
  if (message.height > context.height) {
    if (!keepForNextHeight(next, message)) count(core, 'nextHeightNotKept');
    return;
  }
  if (decided !== null) {
    message.kind === 'ViewChange' ? answerLate(core, from) : count(core, 'decided');
    return;
  }
  onCurrentMessage(core, from, message);
}

function onCurrentMessage(core: Core, from: Uint8Array | null, message: OwnMessage): void {
  if (message.signer === core.height.own && !isKnownAsOwn(core, message)) {
    report(core, 'alarm', 'unknownOwnSignature', `${message.kind} that our journal does not hold`);
    beginAmnesia(core, 'a peer showed a signature of ours that is not in the journal');
  }
  switch (message.kind) {
    case 'PrePrepare': {
      onPrePrepare(core, message, from === null || !equalBytes(from, publicKeyOf(core, message.signer)));
      return;
    }
    case 'ViewChange': {
      onViewChange(core, message);
      return;
    }
    case 'Prepare':
    case 'Commit': {
      addVote(core, message);
      return;
    }
  }
}
