import type { TimerName } from './input.ts';
import { repeatTipRequest } from './recovery.ts';
import { retransmit, statusMessage } from './retransmission.ts';
import { type Core, count, emit } from './state.ts';
import { hasFirmReason, setTimer, takeTimeout } from './timers.ts';
import { sendViewChange } from './view-change.ts';

/** A timer ran out; one that was replaced or cancelled meanwhile is dropped. */
export function onTimeout(core: Core, timer: TimerName, token: number): void {
  if (!takeTimeout(core, timer, token)) {
    count(core, 'staleTimeout');
    return;
  }
  const { height } = core;
  switch (timer) {
    case 'view': {
      onViewTimeout(core);
      return;
    }
    case 'forward': {
      forwardPending(core);
      return;
    }
    case 'retransmit': {
      onRetransmitTimeout(core);
      return;
    }
    case 'heartbeat':
      height.heartbeatDue = true;
      height.nothingToBuild = false;
      return;
    case 'status': {
      const status = statusMessage(core);
      if (status !== undefined) emit(core, { kind: 'Broadcast', message: status });
      setTimer(core, 'status', core.config.intervals.statusMs);
      return;
    }
  }
}

/** The host's answer to RecheckPending: only pending transactions had started view 0's timer (consensus.md §6). */
export function onPendingRechecked(core: Core, applicable: boolean): void {
  const { height } = core;
  if (!height.rechecking) {
    count(core, 'stalePendingRechecked');
    return;
  }
  height.rechecking = false;
  height.pendingApplicable = applicable;
  if (!applicable) core.pendingRounds = 0;
  // What came meanwhile is timed anew, in full.
  height.timedView = -1;
  if (applicable && !hasFirmReason(core)) sendViewChange(core, 1, 'pending transactions wait');
}

function onViewTimeout(core: Core): void {
  const { height } = core;
  if (height.view > 0 || hasFirmReason(core)) {
    sendViewChange(core, height.view + 1, 'timeout');
    return;
  }
  height.rechecking = true;
  emit(core, { kind: 'RecheckPending', height: height.context.height });
}

/** What nobody proposes may not have reached who would: also one who must not sign passes it on. */
function forwardPending(core: Core): void {
  const { pendingApplicable, decided, context } = core.height;
  if (pendingApplicable && decided === null) emit(core, { kind: 'ForwardPending', height: context.height });
}

function onRetransmitTimeout(core: Core): void {
  core.answered.clear();
  retransmit(core);
  for (const { blockHash, from } of core.height.fetching.values())
    emit(core, { kind: 'Fetch', height: core.height.context.height, blockHash, from });
  repeatTipRequest(core);
  // Not begun anew with each height: what nobody else holds would wait for ever on a ledger that others keep busy.
  core.pendingRounds += core.height.pendingApplicable ? 1 : 0;
  // The first round comes at any moment of view 0; after it the primary has had a full round.
  if (core.pendingRounds > 1) forwardPending(core);
  setTimer(core, 'retransmit', core.config.intervals.retransmitMs);
}
