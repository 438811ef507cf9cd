import { equalBytes, toHex } from '../codec/bytes.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { giveEvidence } from './evidence.ts';
import { COMMIT_VIEWS_BEHIND, PREPARE_VIEWS_AROUND } from './parameters.ts';
import { type Core, count, type VoteMessage, type VoteTable } from './state.ts';

/** Counts a verified vote of the current height if its view is within the window and its slot is free. */
export function addVote(core: Core, vote: VoteMessage): void {
  if (!isWithinWindow(core, vote)) {
    count(core, 'viewOutsideWindow');
    return;
  }
  const table = tableOf(core, vote.kind);
  let bySigner = table.get(vote.view);
  if (bySigner === undefined) {
    bySigner = new Map();
    table.set(vote.view, bySigner);
  }
  const earlier = bySigner.get(vote.signer);
  if (earlier === undefined) bySigner.set(vote.signer, vote);
  // By payload: the same statement under other signature bytes is no second vote.
  else if (equalBytes(earlier.blockHash, vote.blockHash)) count(core, 'duplicate');
  else giveEvidence(core, earlier, vote);
}

/** The vote in the slot of this one, if any. */
export function voteInSlot(core: Core, vote: VoteMessage): VoteMessage | undefined {
  return tableOf(core, vote.kind).get(vote.view)?.get(vote.signer);
}

/** True when the core counts votes of this kind and view now. Old COMMITs decide still; old PREPAREs may complete. */
export function isWithinWindow(core: Core, vote: VoteMessage): boolean {
  const { view } = core.height;
  const commitsBehind = core.rules.countsOldCommits ? COMMIT_VIEWS_BEHIND : 0;
  const behind = vote.kind === 'Prepare' ? PREPARE_VIEWS_AROUND : commitsBehind;
  return vote.view >= view - behind && vote.view <= view + PREPARE_VIEWS_AROUND;
}

/** The votes of one view for one hash, by signer. */
function votesFor(table: VoteTable, view: number, blockHash: Uint8Array): readonly VoteMessage[] {
  const votes = [...(table.get(view)?.values() ?? [])].filter((vote) => equalBytes(vote.blockHash, blockHash));
  return votes.sort((a, b) => a.signer - b.signer);
}

/** A quorum of COMMITs of any one view for one hash, with all votes held for it; undefined when there is none. */
export function commitQuorum(core: Core): Certificate | undefined {
  const { commits, quorum } = core.height;
  for (const [view, bySigner] of commits) {
    if (bySigner.size < quorum) continue;
    const hashes = new Map([...bySigner.values()].map((vote) => [toHex(vote.blockHash), vote.blockHash]));
    for (const blockHash of hashes.values()) {
      const votes = votesFor(commits, view, blockHash);
      if (votes.length >= quorum) return certificateOf(votes);
    }
  }
  return undefined;
}

/** Exactly q PREPAREs of one view for one hash; undefined when fewer are held. */
export function prepareQuorum(core: Core, view: number, blockHash: Uint8Array): Certificate | undefined {
  const { prepares, quorum } = core.height;
  const votes = votesFor(prepares, view, blockHash);
  return votes.length >= quorum ? certificateOf(votes.slice(0, quorum)) : undefined;
}

/** Drops the votes that fell out of the window when the view moved. */
export function pruneVotes(core: Core): void {
  const { prepares, commits, view } = core.height;
  for (const old of prepares.keys()) if (old < view - PREPARE_VIEWS_AROUND) prepares.delete(old);
  for (const old of commits.keys()) if (old < view - COMMIT_VIEWS_BEHIND) commits.delete(old);
}

function certificateOf(votes: readonly VoteMessage[]): Certificate {
  const { height, view, blockHash } = votes[0]!;
  return { height, view, blockHash, signatures: votes.map(({ signer, signature }) => ({ signer, signature })) };
}

function tableOf(core: Core, kind: VoteMessage['kind']): VoteTable {
  return kind === 'Prepare' ? core.height.prepares : core.height.commits;
}
