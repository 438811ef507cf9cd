import type { TimerName } from './input.ts';
import { viewTimeoutMs } from './parameters.ts';
import { type Core, emit, maySign } from './state.ts';

/** Starts a timer, replacing a running one of the same name. */
export function setTimer(core: Core, timer: TimerName, afterMs: number): void {
  const token = core.nextToken;
  core.nextToken += 1;
  core.timers.set(timer, token);
  emit(core, { kind: 'SetTimer', timer, token, afterMs });
}

/** Stops a timer; nothing when it does not run. */
export function cancelTimer(core: Core, timer: TimerName): void {
  if (core.timers.delete(timer)) emit(core, { kind: 'CancelTimer', timer });
}

/** True when this is the run of the timer that was asked for last; it is then over. */
export function takeTimeout(core: Core, timer: TimerName, token: number): boolean {
  if (core.timers.get(timer) !== token) return false;
  core.timers.delete(timer);
  return true;
}

/** Stops what times the view. */
export function cancelViewTimers(core: Core): void {
  cancelTimer(core, 'view');
  cancelTimer(core, 'forward');
}

/** Starts the current view's timer when its conditions hold (consensus.md §6), once a view; stops one without. */
export function adjustViewTimer(core: Core): void {
  const { height } = core;
  if (!maySign(core)) {
    cancelViewTimers(core);
    return;
  }
  if (height.view === 0) {
    if (height.rechecking) return;
    const wanted = height.pendingApplicable || hasFirmReason(core);
    if (!wanted) {
      cancelViewTimers(core);
      height.timedView = -1;
      return;
    }
  } else if (!hasQuorumOfViewChanges(core)) return;
  if (height.timedView === height.view) return;
  height.timedView = height.view;
  const timeoutMs = viewTimeoutMs(height.context.parameters, height.view);
  setTimer(core, 'view', timeoutMs);
  if (height.view === 0) setTimer(core, 'forward', Math.floor(timeoutMs / 2));
}

/**
 * True when view 0 is timed for more than pending transactions: a proposal of its primary is held, a message of ours
 * is journalled, or the heartbeat is due.
 */
export function hasFirmReason(core: Core): boolean {
  const { held, prePrepare, prepare, commit, viewChange, heartbeatDue } = core.height;
  const ours = [prePrepare, prepare, commit, viewChange].some((slot) => slot?.synced === true);
  return ours || heartbeatDue || (held !== null && held.status !== 'invalid');
}

/** A view above 0 is timed only once a quorum has left the views below it: else timeouts would drift apart. */
function hasQuorumOfViewChanges(core: Core): boolean {
  const { viewChanges, view, quorum } = core.height;
  let there = 0;
  for (const { part } of viewChanges.values()) if (part.newView >= view) there += 1;
  return there >= quorum;
}
