import { toHex } from '../codec/bytes.ts';
import { type Message, type Status, statusPreimage } from './messages.ts';
import { type Core, emit, type OwnMessage, primaryOf, publicKeyOf } from './state.ts';

/** Sends what may have been lost to every other validator not known to be past our height (consensus.md §6). */
export function retransmit(core: Core): void {
  const { context, own } = core.height;
  if (own === null) return;
  for (let index = 0; index < context.validators.validators.length; index += 1) {
    if (index === own || isPast(core, publicKeyOf(core, index))) continue;
    for (const message of messagesFor(core, index)) emit(core, { kind: 'Send', to: publicKeyOf(core, index), message });
  }
}

/** A peer came up: it learns where we stand, gets what we hold for it, and sees its own latest votes again. */
export function onConnected(core: Core, peer: Uint8Array): void {
  const status = statusMessage(core);
  if (status !== undefined) emit(core, { kind: 'Send', to: peer, message: status });
  const index = core.height.context.validators.validators.findIndex(
    (_, i) => toHex(publicKeyOf(core, i)) === toHex(peer),
  );
  if (index < 0 || index === core.height.own) return;
  if (core.height.own !== null)
    for (const message of messagesFor(core, index)) emit(core, { kind: 'Send', to: peer, message });
  // A restored journal older than one of these shows its owner that it must not sign (consensus.md §7).
  for (const message of latestOf(core, index)) emit(core, { kind: 'Send', to: peer, message });
}

/** Our signed STATUS; undefined for who holds no seat. */
export function statusMessage(core: Core): Status | undefined {
  const { config, height } = core;
  if (height.own === null) return undefined;
  const body = { height: height.context.height, view: height.view, tipHash: height.context.previousHash };
  const signature = config.sign(statusPreimage(config.genesisHash, body));
  return { kind: 'Status', ...body, publicKey: publicKeyOf(core, height.own), signature };
}

function isPast(core: Core, publicKey: Uint8Array): boolean {
  return (core.peerHeights.get(toHex(publicKey)) ?? 0) > core.height.context.height;
}

/** VIEWCHANGE, PREPREPARE of the view (relayed by any holder), votes of the view, the COMMIT before. */
function messagesFor(core: Core, index: number): readonly Message[] {
  const { view, viewChange, held, prePrepare, prepare, commit, earlierCommit, decided } = core.height;
  if (decided !== null) return [{ kind: 'Decided', certificate: decided.certificate }];
  const messages: Message[] = [];
  if (viewChange?.synced === true) messages.push(viewChange.message);
  if (held !== null && held.status !== 'invalid' && !hasProposal(core, index)) {
    const unsynced = prePrepare?.message === held.message && !prePrepare.synced;
    if (!unsynced) messages.push(held.message);
  }
  if (prepare?.synced === true && prepare.message.view === view) messages.push(prepare.message);
  if (commit?.synced === true) messages.push(commit.message);
  if (earlierCommit?.synced === true && commit?.message.view === view) messages.push(earlierCommit.message);
  return messages;
}

/** Who proposed it or PREPAREd in this view holds the proposal. */
function hasProposal(core: Core, index: number): boolean {
  const { context, view, prepares } = core.height;
  return index === primaryOf(context, view) || prepares.get(view)?.has(index) === true;
}

function latestOf(core: Core, index: number): readonly OwnMessage[] {
  const { prepares, commits, viewChanges } = core.height;
  const latest: OwnMessage[] = [];
  for (const table of [prepares, commits]) {
    const views = [...table.keys()].filter((view) => table.get(view)!.has(index));
    if (views.length > 0) latest.push(table.get(Math.max(...views))!.get(index)!);
  }
  const change = viewChanges.get(index);
  if (change?.complete === true) latest.push({ kind: 'ViewChange', ...change.part, certificate: change.certificate });
  return latest;
}
