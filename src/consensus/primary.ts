import { toHex } from '../codec/bytes.ts';
import { blockHash } from '../ledger/block.ts';
import type { Justification, Proposal } from './messages.ts';
import { acceptProposal, askValidation, holdProposal } from './normal-case.ts';
import { proposalFault } from './proposal.ts';
import { persistAndSend, signPrePrepare } from './signing.ts';
import {
  availableBlock,
  type Core,
  count,
  emit,
  fetchBlock,
  maySign,
  primaryOf,
  rememberBlock,
  report,
} from './state.ts';
import { chooseJustification } from './view-change.ts';

const NO_JUSTIFICATION: Justification = { viewChanges: [], certificate: null };

/**
 * Lets the primary of the current view propose: in view 0 when something is pending or the heartbeat is due, in a
 * higher view always, and there with every VIEWCHANGE judged anew until it has proposed (consensus.md §5).
 */
export function advancePrimary(core: Core): void {
  const { height } = core;
  if (!maySign(core) || height.own !== primaryOf(height.context, height.view)) return;
  if (height.held !== null || height.building !== null) return;
  if (height.prePrepare !== null && height.prePrepare.message.view >= height.view) return;
  if (height.view === 0) {
    const wanted = height.pendingApplicable || height.heartbeatDue;
    if (wanted && !height.nothingToBuild) build(core, NO_JUSTIFICATION, height.heartbeatDue);
    return;
  }
  const choice = chooseJustification(core);
  if (choice === undefined) return;
  if (choice.kind === 'wait') {
    for (const { certificate } of choice.justifications) if (certificate !== null) fetchBlock(core, certificate);
    return;
  }
  const { certificate } = choice.justification;
  if (certificate === null) {
    if (!height.nothingToBuild) build(core, choice.justification, true);
    return;
  }
  repropose(core, certificate.blockHash, availableBlock(core, certificate.blockHash)!, choice.justification);
}

/** The host's answer to Build. Throws on a block that our own checks refuse: then builder and core disagree. */
export function onBuilt(core: Core, view: number, proposal: Proposal | null): void {
  const { config, height } = core;
  const { building } = height;
  if (building === null || building.view !== view || height.view !== view) {
    count(core, 'staleBuilt');
    return;
  }
  height.building = null;
  if (height.held !== null) {
    count(core, 'staleBuilt');
    return;
  }
  if (proposal === null) {
    height.nothingToBuild = true;
    if (view > 0 || height.heartbeatDue) report(core, 'warn', 'nothingBuilt');
    return;
  }
  const hash = blockHash(proposal.header);
  const fault = proposalFault(config.genesisHash, height.context, view, hash, proposal, 'fresh');
  if (fault !== undefined) throw new Error(`the block built for height ${height.context.height} is invalid: ${fault}`);
  const message = signPrePrepare(core, hash, proposal, building.justification);
  if (message === undefined) return;
  rememberBlock(core, hash, proposal, true);
  acceptProposal(core, holdProposal(core, message, 'valid'), [message]);
}

/** The host fetched a block of this height: for a re-proposal or for the decision. */
export function onFetched(core: Core, hash: Uint8Array, proposal: Proposal): void {
  const { config, height } = core;
  if (!height.fetching.delete(toHex(hash))) {
    count(core, 'staleFetched');
    return;
  }
  const fault = proposalFault(config.genesisHash, height.context, height.view, hash, proposal, 'reproposed');
  if (fault === undefined) rememberBlock(core, hash, proposal, true);
  else count(core, `badFetched/${fault}`);
}

function build(core: Core, justification: Justification, allowEmpty: boolean): void {
  const { context, view, own } = core.height;
  core.height.building = { view, justification };
  emit(core, { kind: 'Build', height: context.height, view, proposer: own!, allowEmpty });
}

/** The certified block as it is; our own PREPARE follows our own check, as anyone's. */
function repropose(core: Core, hash: Uint8Array, proposal: Proposal, justification: Justification): void {
  const message = signPrePrepare(core, hash, proposal, justification);
  if (message === undefined) return;
  const held = holdProposal(core, message, 'validating');
  held.journalled = true;
  persistAndSend(core, [{ kind: 'Proposal', message, fresh: false }], [message]);
  askValidation(core, held);
}
