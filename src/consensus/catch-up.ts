import { equalBytes, toHex } from '../codec/bytes.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { VALIDATORS_MAX, type ValidatorSet } from '../ledger/validator-set.ts';
import { certificateFaultAt } from './certificate.ts';
import { type Message, messageHeight } from './messages.ts';
import { decide } from './normal-case.ts';
import { type Core, count, emit } from './state.ts';

/** Answers between two retransmissions, over all peers. */
const ANSWERS_MAX = 2 * VALIDATORS_MAX;

/** Learns from any message where its sender stands; a STATUS may also say that it fell back. */
export function noteHeight(core: Core, from: Uint8Array, message: Message): void {
  if (!isMember(core, from)) return;
  const key = toHex(from);
  const shown = message.kind === 'Decided' ? message.certificate.height + 1 : messageHeight(message);
  const known = core.peerHeights.get(key) ?? 0;
  if (message.kind === 'Status' || shown > known) core.peerHeights.set(key, shown);
}

/** A commit certificate: decides our height, or hints at a later one. */
export function onDecided(core: Core, from: Uint8Array, certificate: Certificate): void {
  const { context, decided } = core.height;
  if (certificate.height > context.height) {
    emit(core, { kind: 'Behind', height: certificate.height, from, certificate });
    return;
  }
  if (certificate.height < context.height || decided !== null) {
    count(core, 'duplicate');
    return;
  }
  const fault = certificateFaultAt(core, 'COMMIT', certificate);
  if (fault === undefined) decide(core, certificate);
  else count(core, `badCertificate/${fault}`);
}

/** Where a peer stands: it is behind and gets a certificate, or we may be. */
export function onStatus(core: Core, from: Uint8Array, height: number): void {
  const ours = core.height.context.height;
  if (height < ours) answerLate(core, from);
  else if (height > ours) emit(core, { kind: 'Behind', height: height - 1, from, certificate: null });
}

/**
 * Shows one who is late that its height is decided; it fetches the block from the host. Once a peer between two
 * retransmissions, so that no request costs more than its answer.
 */
export function answerLate(core: Core, to: Uint8Array): void {
  const certificate = core.height.decided?.certificate ?? core.tip;
  const key = toHex(to);
  if (certificate === null || core.answered.has(key) || core.answered.size >= ANSWERS_MAX) return;
  core.answered.add(key);
  emit(core, { kind: 'Send', to, message: { kind: 'Decided', certificate } });
}

/** Keys of the current and the next set are those whose word counts. */
export function isMember(core: Core, publicKey: Uint8Array): boolean {
  const { validators, nextValidators } = core.height.context;
  return isIn(validators, publicKey) || isIn(nextValidators, publicKey);
}

/** Forgets peers that left, so that what is known of them stays bounded by the sets. */
export function forgetFormerMembers(core: Core): void {
  const { validators, nextValidators } = core.height.context;
  const keys = new Set(
    [...validators.validators, ...nextValidators.validators].map(({ publicKey }) => toHex(publicKey)),
  );
  for (const known of [core.peerHeights, core.silence.tips ?? new Map<string, number>()])
    for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
}

function isIn(set: ValidatorSet, publicKey: Uint8Array): boolean {
  return set.validators.some((validator) => equalBytes(validator.publicKey, publicKey));
}
