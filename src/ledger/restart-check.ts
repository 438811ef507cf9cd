import { compareBytes, equalBytes, toHex } from '../codec/bytes.ts';
import { formatAddress } from '../crypto/address.ts';
import { accountAddress } from './account.ts';
import { addressesFault } from './actions/validator-seat.ts';
import type { LedgerState, ParentBlock } from './block-execution.ts';
import { ACTION_CLASSES } from './default-requirements.ts';
import { activeMembersOf, compareSignatures, resolveSigners, type SignatureChecks } from './execution.ts';
import type { LedgerStart } from './ledger-start.ts';
import { evaluate, type Requirement, type RequirementFacts } from './requirement.ts';
import { RESTART_VERSION, type RestartDocument, type RestartSeat, restartPreimage } from './restart.ts';
import { restartState } from './restart-state.ts';
import { FAMILIES } from './state.ts';
import { rootHash } from './state-map.ts';
import { StateOverlay, type StateView } from './state-overlay.ts';
import type { TransactionSignature } from './transaction.ts';
import { makeValidatorSet } from './validator-set.ts';

/** The ledger that a restart ends, where it stands. */
export interface EndedLedger {
  readonly start: LedgerStart;
  /** Its highest certified block. */
  readonly tip: ParentBlock;
  /** The state after that block. */
  readonly state: LedgerState;
}

/** One whose signature a restart may carry. */
export interface RestartSigner {
  readonly address: Uint8Array;
  readonly name: string;
  /** True where the restart does not hold without this one, whoever else signs. */
  readonly isNeeded: boolean;
  /** Whether the signatures given reach the account's threshold; that they are valid is judged elsewhere. */
  readonly hasSigned: boolean;
}

/** Approving a restart takes what approving a change of the validators takes. */
const ACTION_CLASS = ACTION_CLASSES['validator.add'];

/**
 * Why the ledger `ended` can not go on as `restarted`, in words; undefined when it can: the terms fit where it stands,
 * and enough have signed.
 */
export function restartFault(restarted: LedgerStart, ended: EndedLedger, checks: SignatureChecks): string | undefined {
  const { restart, before } = restarted;
  if (restart === undefined || before === undefined) return 'this is the genesis of a founding, not a restart';
  if (!equalBytes(before.genesisHash, ended.start.genesisHash))
    return `it restarts the ledger ${toHex(before.genesisHash)}, this one is ${toHex(ended.start.genesisHash)}`;
  return (
    restartDocumentFault(restart, ended, checks) ?? restartSignaturesFault(restart, restart.signatures, ended, checks)
  );
}

/** What is wrong with a restart whoever signs it; undefined when nothing is. */
export function restartDocumentFault(
  document: RestartDocument,
  ended: EndedLedger,
  checks: Pick<SignatureChecks, 'signingKeyFault'>,
): string | undefined {
  const fault = restartTermsFault(document, ended, checks);
  if (fault !== undefined || equalBytes(restartState(ended.state, document).stateRoot, document.stateRoot))
    return fault;
  return 'its state root is not the one that these terms give';
}

/** What is wrong with the terms alone, before the state that they give is known; undefined when nothing is. */
export function restartTermsFault(
  document: Omit<RestartDocument, 'stateRoot'>,
  ended: EndedLedger,
  { signingKeyFault }: Pick<SignatureChecks, 'signingKeyFault'>,
): string | undefined {
  const view = new StateOverlay(ended.state.reader);
  return (
    originFault(document, ended) ??
    suspendedFault(document.suspended, view) ??
    seatsFault(document, view, signingKeyFault)
  );
}

/** Why the signatures do not carry the restart, naming who is missing; undefined when they do. */
function restartSignaturesFault(
  document: RestartDocument,
  signatures: readonly TransactionSignature[],
  ended: EndedLedger,
  { isSignatureValid }: Pick<SignatureChecks, 'isSignatureValid'>,
): string | undefined {
  for (let i = 1; i < signatures.length; i += 1)
    if (compareSignatures(signatures[i - 1]!, signatures[i]!) >= 0)
      return `signature ${i} does not follow signature ${i - 1}`;
  const view = new StateOverlay(ended.state.reader);
  const resolved = resolveSigners(signatures, (address) => view.read(FAMILIES.account, address));
  if ('code' in resolved) return resolved.detail;
  const preimage = restartPreimage(ended.start.genesisHash, document);
  const bad = signatures.find(({ bytes }, place) => !isSignatureValid(preimage, resolved.publicKeys[place]!, bytes));
  if (bad !== undefined)
    return `the signature by key ${bad.keyIndex} of ${formatAddress(bad.account)} is not valid for this document`;
  const requirement = restartRequirement(document, ended, view);
  const { isSatisfied, isCountable, missing } = evaluate(requirement, {}, factsOf(view, resolved.signers, document));
  const surplus = resolved.signers.find((_, place) => isCountable[place] !== true);
  if (surplus !== undefined) return `nobody asks ${formatAddress(surplus.address)} to sign`;
  if (isSatisfied) return undefined;
  const open = restartSigners(document, signatures, ended).filter(({ hasSigned }) => !hasSigned);
  const names = open.map(
    ({ name, address, isNeeded }) => `${name} ${formatAddress(address)}${isNeeded ? ', needed' : ''}`,
  );
  return `missing: ${missing}. Not signed: ${names.join('; ')}`;
}

/** All whose signatures count, organisations in order of address and then the regulator. */
export function restartSigners(
  document: RestartDocument,
  signatures: readonly TransactionSignature[],
  ended: EndedLedger,
): readonly RestartSigner[] {
  const view = new StateOverlay(ended.state.reader);
  const resolved = resolveSigners(signatures, (address) => view.read(FAMILIES.account, address));
  const facts = factsOf(view, 'code' in resolved ? [] : resolved.signers, document);
  const hasSigned = (address: Uint8Array) => evaluate({ kind: 'account', address }, {}, facts).isSatisfied;
  const organisations = facts.activeMembers().map((address) => ({
    address,
    name: view.read(FAMILIES.organisation, address)?.name ?? '',
    isNeeded: document.validators.some(({ organisation }) => equalBytes(organisation, address)),
    hasSigned: hasSigned(address),
  }));
  const regulator = regulatorOf(ended, view);
  if (regulator === undefined) return organisations;
  const name = ended.start.founding.regulator?.name ?? '';
  return [...organisations, { address: regulator, name, isNeeded: true, hasSigned: hasSigned(regulator) }];
}

/**
 * More than half of the active members, each that has a seat in the new ledger, and the regulator. More than half, so
 * that two restarts of one ledger have a signer in common; not two thirds, which the lost ones could prevent.
 */
function restartRequirement({ validators }: RestartDocument, ended: EndedLedger, view: StateView): Requirement {
  const active = activeMembersOf(view)().length;
  const seated = new Map(validators.map(({ organisation }) => [toHex(organisation), organisation]));
  const regulator = regulatorOf(ended, view);
  const parts: readonly Requirement[] = [
    { kind: 'members', numerator: Math.floor(active / 2) + 1, denominator: active },
    ...[...seated.values()].map((address): Requirement => ({ kind: 'account', address })),
    ...(regulator === undefined ? [] : [{ kind: 'account', address: regulator } as const]),
  ];
  return { kind: 'atLeast', count: parts.length, of: parts };
}

function factsOf(
  view: StateView,
  signers: RequirementFacts['signers'],
  { createdMs }: RestartDocument,
): RequirementFacts {
  return {
    actionClass: ACTION_CLASS,
    timestampMs: createdMs,
    signers,
    account: (address) => view.read(FAMILIES.account, address),
    activeMembers: activeMembersOf(view),
  };
}

/** Seated at the founding: no action seats another. */
function regulatorOf({ start }: EndedLedger, view: StateView): Uint8Array | undefined {
  const { regulator } = start.founding;
  if (regulator === null) return undefined;
  const address = accountAddress(regulator.keyDocument);
  return view.read(FAMILIES.account, address)?.status === 'active' ? address : undefined;
}

function originFault(
  document: Omit<RestartDocument, 'stateRoot'>,
  { start, tip, state }: EndedLedger,
): string | undefined {
  const { version, ledger, createdMs, origin } = document;
  if (version !== RESTART_VERSION) return `restart version ${version}; this build reads ${RESTART_VERSION}`;
  if (ledger !== start.ledger) return `it is called ${ledger}, the ledger is called ${start.ledger}`;
  if (tip.height === 0) return 'the ledger has no block yet: found a new one';
  if (origin.height !== tip.height)
    return `it restarts from height ${origin.height}, this ledger stands at ${tip.height}`;
  if (!equalBytes(origin.blockHash, tip.hash))
    return `it restarts from block ${toHex(origin.blockHash)}, block ${tip.height} here is ${toHex(tip.hash)}`;
  if (!equalBytes(origin.stateRoot, rootHash(state.map)))
    return 'it restarts from another state than that of its block';
  if (createdMs <= tip.timestampMs) return `it is of ${createdMs}, not later than its last block, ${tip.timestampMs}`;
  return undefined;
}

function suspendedFault(suspended: readonly Uint8Array[], view: StateView): string | undefined {
  const members = activeMembersOf(view)();
  for (const [place, address] of suspended.entries()) {
    if (place > 0 && compareBytes(suspended[place - 1]!, address) >= 0)
      return 'the organisations to suspend are not in ascending order';
    if (!members.some((member) => equalBytes(member, address)))
      return `${formatAddress(address)}, to be suspended, is no active member`;
  }
  return suspended.length < members.length ? undefined : 'no organisation would be left';
}

function seatsFault(
  { validators, suspended, origin }: Omit<RestartDocument, 'stateRoot'>,
  view: StateView,
  signingKeyFault: SignatureChecks['signingKeyFault'],
): string | undefined {
  try {
    const { validators: sorted } = makeValidatorSet(validators);
    if (sorted.some(({ publicKey }, place) => publicKey !== validators[place]!.publicKey))
      return 'the validators are not in ascending order of key';
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  const active = activeMembersOf(view)().filter((member) => !suspended.some((lost) => equalBytes(lost, member)));
  for (const seat of validators) {
    const name = `validator ${toHex(seat.publicKey)}`;
    if (!active.some((member) => equalBytes(member, seat.organisation)))
      return `${name} belongs to ${formatAddress(seat.organisation)}, which is no active member in the new ledger`;
    const fault = keyFault(seat, origin.height + 1, view, signingKeyFault);
    if (fault !== undefined) return `${name} ${fault}`;
  }
  return undefined;
}

function keyFault(
  { publicKey, organisation, addresses }: RestartSeat,
  fromHeight: number,
  view: StateView,
  signingKeyFault: SignatureChecks['signingKeyFault'],
): string | undefined {
  const tenure = view.read(FAMILIES.tenure, publicKey);
  if (tenure === undefined) {
    const fault = signingKeyFault(publicKey);
    if (fault !== undefined) return `is refused: ${fault}`;
    return addressesFault(addresses) === undefined ? undefined : 'has an address that is no multiaddr';
  }
  const { untilHeight } = tenure;
  if (untilHeight !== null && untilHeight <= Math.max(tenure.fromHeight, fromHeight))
    return `left the validators at height ${untilHeight}; draw a new key`;
  if (!equalBytes(tenure.organisation, organisation)) return `is one of ${formatAddress(tenure.organisation)}`;
  return addresses.length === 0 ? undefined : 'has its addresses already; a key that stays names none';
}
