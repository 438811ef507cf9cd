import { equalBytes } from '../codec/bytes.ts';
import type { Certificate } from '../ledger/certificate.ts';
import type { ValidatorSet } from '../ledger/validator-set.ts';
import { votePreimage } from '../ledger/vote.ts';
import { isMember } from './catch-up.ts';
import { isSameClaim, type Message, messagePreimage, viewChangePreimage } from './messages.ts';
import { hasRoomForNextHeight } from './next-height.ts';
import { type Core, count, primaryOf, type VoteMessage } from './state.ts';
import { isWithinWindow, voteInSlot } from './votes.ts';

/** One signature to verify by the ledger's rule. */
export interface SignatureCheck {
  readonly preimage: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
}

/**
 * What to do with a decoded message before it may become an input. `take`: verify `direct` (drop the message when it
 * is false) and hand it over with verified = true; with verified = false where direct is null. `attached` are the
 * signatures that the core will look at by `config.verify`, if it looks: a worker may verify them ahead, and a false
 * one among them is no reason to drop.
 */
export type Admission =
  | { readonly kind: 'take'; readonly direct: SignatureCheck | null; readonly attached: readonly SignatureCheck[] }
  | { readonly kind: 'drop'; readonly reason: string };

const HINT: Admission = { kind: 'take', direct: null, attached: [] };

/**
 * The part of the order of consensus.md §8 between decoding and the signature: height window, known signer, duplicate
 * slot. Changes nothing but the counters.
 */
export function admitMessage(core: Core, message: Message): Admission {
  const admission = judge(core, message);
  if (admission.kind === 'drop') count(core, admission.reason);
  return admission;
}

/** Every signature of a message whose signers belong to `set`: its own (null for a kind without), and those attached. */
export function messageSignatures(
  genesisHash: Uint8Array,
  message: Message,
  set: ValidatorSet,
): { readonly direct: SignatureCheck | null; readonly attached: readonly SignatureCheck[] } {
  const preimage = messagePreimage(genesisHash, message);
  if (message.kind === 'Decided')
    return { direct: null, attached: certificateChecks('COMMIT', genesisHash, message.certificate, set) };
  const publicKey = message.kind === 'Status' ? message.publicKey : set.validators[message.signer]?.publicKey;
  const direct = publicKey === undefined ? null : { preimage: preimage!, signature: message.signature, publicKey };
  const attached: SignatureCheck[] = [];
  const certificate =
    message.kind === 'ViewChange'
      ? message.certificate
      : message.kind === 'PrePrepare'
        ? message.justification.certificate
        : null;
  if (certificate !== null) attached.push(...certificateChecks('PREPARE', genesisHash, certificate, set));
  for (const part of message.kind === 'PrePrepare' ? message.justification.viewChanges : []) {
    const validator = set.validators[part.signer];
    if (validator === undefined) continue;
    const { signature } = part;
    attached.push({ preimage: viewChangePreimage(genesisHash, part), signature, publicKey: validator.publicKey });
  }
  return { direct, attached };
}

function judge(core: Core, message: Message): Admission {
  const { context, decided, next } = core.height;
  const { genesisHash } = core.config;
  if (message.kind === 'Decided') {
    const { height } = message.certificate;
    if (height > context.height) return HINT;
    if (height < context.height || decided !== null) return { kind: 'drop', reason: 'duplicate' };
    return { kind: 'take', ...messageSignatures(genesisHash, message, context.validators) };
  }
  if (message.kind === 'Status') {
    if (!isMember(core, message.publicKey)) return { kind: 'drop', reason: 'unknownSigner' };
    return { kind: 'take', ...messageSignatures(genesisHash, message, context.validators) };
  }
  if (message.height < context.height)
    return message.kind === 'ViewChange' ? HINT : { kind: 'drop', reason: 'oldHeight' };
  if (message.height > context.height + 1) return HINT;
  const set = message.height === context.height ? context.validators : context.nextValidators;
  if (message.signer >= set.validators.length) return { kind: 'drop', reason: 'unknownSigner' };
  const isNext = message.height > context.height;
  if (isNext && !hasRoomForNextHeight(next, message)) return { kind: 'drop', reason: 'nextHeightNotKept' };
  const reason = isNext ? undefined : needlessness(core, message);
  if (reason !== undefined) return { kind: 'drop', reason };
  return { kind: 'take', ...messageSignatures(genesisHash, message, set) };
}

/** Why a message of the current height cannot change anything, whatever its signature; undefined when it may. */
function needlessness(core: Core, message: Exclude<Message, { kind: 'Decided' | 'Status' }>): string | undefined {
  const { context, view, held, viewChanges, decided } = core.height;
  if (message.kind === 'ViewChange') {
    if (decided !== null) return undefined;
    const kept = viewChanges.get(message.signer);
    if (kept === undefined || kept.part.newView < message.newView || !kept.complete) return undefined;
    if (kept.part.newView > message.newView) return 'oldViewChange';
    return isSameClaim(kept.part, message) ? 'duplicate' : undefined;
  }
  if (decided !== null) return 'decided';
  if (message.kind !== 'PrePrepare') return voteNeedlessness(core, message);
  if (message.view < view && core.rules.dropsOldViews) return 'oldView';
  if (message.signer !== primaryOf(context, message.view)) return 'notPrimary';
  if (message.view > view || held === null || held.status === 'refused') return undefined;
  return equalBytes(held.message.blockHash, message.blockHash) ? 'duplicate' : undefined;
}

function voteNeedlessness(core: Core, vote: VoteMessage): string | undefined {
  if (!isWithinWindow(core, vote)) return 'viewOutsideWindow';
  const earlier = voteInSlot(core, vote);
  return earlier !== undefined && equalBytes(earlier.blockHash, vote.blockHash) ? 'duplicate' : undefined;
}

function certificateChecks(
  kind: 'PREPARE' | 'COMMIT',
  genesisHash: Uint8Array,
  certificate: Certificate,
  set: ValidatorSet,
): readonly SignatureCheck[] {
  const preimage = votePreimage(kind, genesisHash, certificate);
  return certificate.signatures.flatMap(({ signer, signature }) => {
    const validator = set.validators[signer];
    return validator === undefined ? [] : [{ preimage, signature, publicKey: validator.publicKey }];
  });
}
