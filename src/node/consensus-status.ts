import { equalBytes } from '../codec/bytes.ts';
import { describeCore } from '../consensus/describe.ts';
import type { ConsensusWatch } from './consensus-watch.ts';
import type { StatusSources } from './node-status.ts';
import type { ConsensusStatus, ValidatorStatus } from './ports.ts';
import { explainStall } from './stall-explanation.ts';

/** Where a consensus status is read from. */
export interface ConsensusSources extends StatusSources {
  readonly watch: ConsensusWatch;
  readonly isCatchingUp: () => boolean;
}

/** Where the agreement on the next block stands, and why it does not come where it does not. */
export function consensusStatus(sources: ConsensusSources): ConsensusStatus {
  const { core, watch, mempool, chain, isCatchingUp } = sources;
  const described = describeCore(core);
  const { primary, quorum, own, height, view } = described;
  const proposal = (described.proposal?.status ?? 'none') as ConsensusStatus['proposal'];
  const validators = validatorStatuses(sources, described);
  const { nextTimeoutMs, lastCommitAgeMs } = watch;
  const isSilent = own !== null && (described.silentThrough === null || height <= described.silentThrough);
  const explanation = explainStall({
    view,
    own,
    primary,
    quorum,
    validators,
    proposal,
    refusal: watch.refusal(height, view),
    isDecided: described.decided,
    isCatchingUp: isCatchingUp(),
    silentThrough: isSilent ? (described.silentThrough ?? 'unknown') : null,
    transactionsPending: mempool.size,
    nextTimeoutMs,
    lastCommitAgeMs,
    recentMs: chain.parameters.viewTimeoutMs,
  });
  const primaryName = validators[primary]?.name ?? '';
  return { primary, primaryName, quorum, proposal, validators, nextTimeoutMs, lastCommitAgeMs, explanation };
}

function validatorStatuses(
  { core, chain, watch, connectedPeers }: ConsensusSources,
  { own, prepares, commits, viewChanges }: ReturnType<typeof describeCore>,
): ValidatorStatus[] {
  const connected = connectedPeers();
  return core.height.context.validators.validators.map(({ publicKey, organisation }, validator) => {
    const { lagMs, missedHeights } = watch.punctuality.of(publicKey);
    return {
      validator,
      name: chain.organisationName(organisation) ?? '',
      connected: validator === own || connected.some((peer) => equalBytes(peer, publicKey)),
      prepared: prepares.there.includes(validator),
      committed: commits.there.includes(validator),
      viewChange: viewChanges.find(({ signer }) => signer === validator)?.newView ?? null,
      voteLagMs: lagMs,
      missedHeights,
    };
  });
}
