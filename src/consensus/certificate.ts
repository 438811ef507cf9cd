import { equalBytes } from '../codec/bytes.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { type PrePrepare, type SignedViewChange, type ViewChange, viewChangePreimage } from './messages.ts';
import type { Core } from './state.ts';

/** Why a certificate does not hold at the current height, or undefined when it does. */
export function certificateFaultAt(
  core: Core,
  kind: 'PREPARE' | 'COMMIT',
  certificate: Certificate,
): string | undefined {
  const { context } = core.height;
  if (certificate.height !== context.height) return 'height';
  const { genesisHash, verify } = core.config;
  return core.rules.certificateFault(kind, certificate, context.validators, genesisHash, verify);
}

/**
 * Why a VIEWCHANGE of the current height, its own signature verified, is invalid (consensus.md §5); undefined when it
 * is valid. An invalid one is dropped alone.
 */
export function viewChangeFault(core: Core, message: ViewChange): string | undefined {
  const claim = claimFault(core, message);
  if (claim !== undefined) return claim;
  const { certificate, preparedView, preparedHash } = message;
  if (certificate === null) return preparedView === null ? undefined : 'certificateMissing';
  if (preparedView === null || preparedHash === null) return 'certificateUnclaimed';
  if (certificate.view !== preparedView || !equalBytes(certificate.blockHash, preparedHash)) return 'certificateOther';
  return certificateFaultAt(core, 'PREPARE', certificate);
}

/**
 * Why a proposal's justification does not entitle it to its view (consensus.md §5), or undefined when it does:
 * exactly q VIEWCHANGE parts of distinct signers for exactly this view, and the certificate of the highest prepared
 * view among them, for the proposed block; none when none claims one. For view 0 it is empty.
 */
export function justificationFault(core: Core, message: PrePrepare): string | undefined {
  const { viewChanges, certificate } = message.justification;
  if (message.view === 0) return viewChanges.length > 0 || certificate !== null ? 'notEmpty' : undefined;
  if (viewChanges.length !== core.height.quorum) return 'quorum';
  let previous = -1;
  for (const part of viewChanges) {
    if (part.signer <= previous) return 'signers';
    previous = part.signer;
    if (part.newView !== message.view) return 'otherView';
    const fault = claimFault(core, part);
    if (fault !== undefined) return fault;
  }
  const winning = highestPrepared(viewChanges);
  if (winning === null) {
    if (certificate !== null) return 'certificateUnclaimed';
  } else {
    if (certificate === null) return 'certificateMissing';
    if (certificate.view !== winning || !equalBytes(certificate.blockHash, message.blockHash))
      return 'certificateOther';
    const claimed = viewChanges.some(
      (part) => part.preparedView === winning && equalBytes(part.preparedHash!, message.blockHash),
    );
    if (!claimed) return 'certificateOther';
    const fault = certificateFaultAt(core, 'PREPARE', certificate);
    if (fault !== undefined) return `certificate: ${fault}`;
  }
  return viewChanges.every((part) => isSignedPart(core, part)) ? undefined : 'signature';
}

/** Highest prepared view claimed, or null when none is. */
function highestPrepared(parts: readonly SignedViewChange[]): number | null {
  let highest: number | null = null;
  for (const { preparedView } of parts)
    if (preparedView !== null && (highest === null || preparedView > highest)) highest = preparedView;
  return highest;
}

function claimFault(core: Core, part: SignedViewChange): string | undefined {
  if (part.height !== core.height.context.height) return 'height';
  if (part.signer >= core.height.context.validators.validators.length) return 'signers';
  if (part.newView === 0) return 'viewZero';
  if ((part.preparedView === null) !== (part.preparedHash === null)) return 'halfClaim';
  return part.preparedView !== null && part.preparedView >= part.newView ? 'preparedTooHigh' : undefined;
}

function isSignedPart(core: Core, part: SignedViewChange): boolean {
  const { publicKey } = core.height.context.validators.validators[part.signer]!;
  return core.config.verify(part.signature, viewChangePreimage(core.config.genesisHash, part), publicKey);
}
