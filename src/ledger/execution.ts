import { compareBytes, equalBytes, toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { Account } from './account.ts';
import type { ActionKind } from './action.ts';
import type { ActionPlan } from './actions/action-rules.ts';
import { rulesOf } from './actions/table.ts';
import { BLIND_BYTES } from './attachment.ts';
import { ACTION_CLASSES, REQUIRED_LIKE } from './default-requirements.ts';
import type { Parameters } from './parameters.ts';
import type { Receipt } from './receipt.ts';
import { type Rejection, rejected } from './rejection.ts';
import { evaluate, type Requirement, type RequirementFacts, type Signer } from './requirement.ts';
import { FAMILIES, requirementKey, SINGLE_KEY } from './state.ts';
import type { StateOverlay, StateView } from './state-overlay.ts';
import {
  type DecodedTransaction,
  decodeTransaction,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_VERSION,
  type TransactionSignature,
} from './transaction.ts';

/** Cryptography as the host does it: synchronous, answering the same everywhere; it may cache. */
export interface SignatureChecks {
  /** The one rule of ledger.md §3. */
  isSignatureValid(preimage: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean;
  /** Why a key may not enter the state, or undefined. */
  signingKeyFault(publicKey: Uint8Array): string | undefined;
}

/** The block, real or supposed, that a transaction is executed in. */
export interface BlockContext {
  readonly genesisHash: Uint8Array;
  readonly height: number;
  readonly timestampMs: number;
  /** In force at this height. */
  readonly parameters: Parameters;
}

/** What executing one transaction came to. */
export type TransactionOutcome =
  | { readonly kind: 'applied'; readonly receipt: Receipt }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** A transaction as it arrives: decoded, or refused as oversized or malformed. */
export function readTransaction(
  genesisHash: Uint8Array,
  encoded: Uint8Array,
):
  | { readonly kind: 'decoded'; readonly decoded: DecodedTransaction }
  | { readonly kind: 'rejected'; readonly rejection: Rejection } {
  if (encoded.length > TRANSACTION_BYTES_MAX) {
    const detail = `${encoded.length} bytes, at most ${TRANSACTION_BYTES_MAX} are taken`;
    return { kind: 'rejected', rejection: rejected('oversized', detail) };
  }
  try {
    return { kind: 'decoded', decoded: decodeTransaction(genesisHash, encoded) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { kind: 'rejected', rejection: rejected('malformed', error.message) };
  }
}

/** What is wrong with a transaction whatever the state; undefined when nothing is. */
export function checkTransaction({ transaction }: DecodedTransaction): Rejection | undefined {
  const { version, attachment, signatures, action } = transaction;
  if (version !== TRANSACTION_VERSION)
    return rejected('unsupportedVersion', `version ${version}; this ledger takes ${TRANSACTION_VERSION}`);
  for (let i = 1; i < signatures.length; i += 1) {
    if (compareSignatures(signatures[i - 1]!, signatures[i]!) >= 0)
      return rejected('signatureOrder', `signature ${i} does not follow signature ${i - 1}`);
  }
  if (attachment !== null && attachment.bytes <= BLIND_BYTES)
    return rejected('attachmentMismatch', `an attachment is longer than its blind of ${BLIND_BYTES} bytes`);
  return rulesOf(action).fault(action);
}

/**
 * Applies one transaction to the overlay, or says why not and leaves it as it was. Everything that can be refused
 * without cryptography is refused before it; the code given is that of the first check that fails. Keys are resolved
 * in the state at this transaction.
 */
export function executeTransaction(
  overlay: StateOverlay,
  decoded: DecodedTransaction,
  index: number,
  context: BlockContext,
  checks: SignatureChecks,
): TransactionOutcome {
  const { transaction, txId } = decoded;
  const early = checkTransaction(decoded) ?? validityFault(overlay, decoded, context);
  if (early !== undefined) return { kind: 'rejected', rejection: early };

  const { genesisHash, height, timestampMs } = context;
  const { action, salt } = transaction;
  const place = { genesisHash, height, timestampMs, index, txId, salt };
  const plan = rulesOf(action).plan(overlay, action, place);
  if (plan.kind === 'refusal') return { kind: 'rejected', rejection: plan.rejection };

  const fault = authorisationFault(overlay, decoded, plan, timestampMs, checks);
  if (fault !== undefined) return { kind: 'rejected', rejection: fault };

  for (const { family, key, value } of plan.writes) overlay.write(family, key, value);
  overlay.noteApplied(txId);
  return { kind: 'applied', receipt: plan.receipt };
}

function validityFault(
  overlay: StateOverlay,
  decoded: DecodedTransaction,
  context: BlockContext,
): Rejection | undefined {
  const { validUntilMs } = decoded.transaction;
  const { timestampMs, parameters } = context;
  if (validUntilMs < timestampMs)
    return rejected('expired', `valid until ${validUntilMs}, and the block is of ${timestampMs}`);
  const latest = timestampMs + parameters.maxValidityMs;
  if (validUntilMs > latest)
    return rejected('validityTooFar', `valid until ${validUntilMs}; at ${timestampMs} at most ${latest} is taken`);
  if (overlay.isRecent(decoded.txId))
    return rejected('duplicateId', `transaction ${toHex(decoded.txId)} was applied already`);
  return undefined;
}

/** Why the signatures do not authorise the plan; undefined when each is valid and counts, and none is missing. */
function authorisationFault(
  view: StateView,
  decoded: DecodedTransaction,
  plan: ActionPlan,
  timestampMs: number,
  checks: SignatureChecks,
): Rejection | undefined {
  const { newAccount } = plan;
  const account = (address: Uint8Array): Account | undefined => {
    if (newAccount !== null && equalBytes(newAccount.address, address)) return newAccount.account;
    if (plan.validator !== undefined && equalBytes(plan.validator.publicKey, address))
      return validatorSigner(plan.validator);
    return view.read(FAMILIES.account, address);
  };
  const resolved = resolveSigners(decoded.transaction.signatures, account);
  if ('code' in resolved) return resolved;

  const actionClass = ACTION_CLASSES[decoded.transaction.action.kind];
  const facts = { actionClass, timestampMs, signers: resolved.signers, account, activeMembers: activeMembersOf(view) };
  return (
    possessionFault(decoded.transaction.signatures, plan) ??
    requirementsFault(effectiveRequirements(view, decoded.transaction.action.kind, plan.organisation), plan, facts) ??
    signaturesFault(decoded, resolved.publicKeys, checks) ??
    attestationsFault(plan, checks) ??
    admissionFault(plan, checks)
  );
}

/** A validator as signer: an account of a single key that reaches every threshold. */
function validatorSigner({ publicKey, organisation }: NonNullable<ActionPlan['validator']>): Account {
  return {
    role: 'organisation',
    organisation,
    status: 'active',
    control: { kind: 'self' },
    keyDocument: {
      sealingKey: new Uint8Array(32),
      keys: [{ algorithm: 'ed25519', publicKey, weight: 1, label: '' }],
      thresholds: { routine: 1, sensitive: 1, keys: 1 },
    },
    registeredAt: 0,
  };
}

/** Who signed, as far as signatures name keys of accounts. */
export interface ResolvedSigners {
  /** One for each account, weights summed. */
  readonly signers: readonly Signer[];
  /** One for each signature. */
  readonly publicKeys: readonly Uint8Array[];
}

/** The accounts and keys that signatures name, or why one names none. They come sorted by account: those of one account are neighbours. */
export function resolveSigners(
  signatures: readonly TransactionSignature[],
  accountAt: (address: Uint8Array) => Account | undefined,
): ResolvedSigners | Rejection {
  const signers: Signer[] = [];
  const publicKeys: Uint8Array[] = [];
  for (const { account: address, keyIndex } of signatures) {
    const account = accountAt(address);
    if (account === undefined) return rejected('unknownAccount', `signer ${toHex(address)} is not registered`);
    if (account.status !== 'active') return rejected('inactiveAccount', `signer ${toHex(address)} is suspended`);
    const key = account.keyDocument.keys[keyIndex];
    if (key === undefined) return rejected('unknownKey', `account ${toHex(address)} has no key ${keyIndex}`);
    publicKeys.push(key.publicKey);
    const last = signers.at(-1);
    if (last !== undefined && equalBytes(last.address, address))
      signers[signers.length - 1] = { address, account, weight: last.weight + key.weight };
    else signers.push({ address, account, weight: key.weight });
  }
  return { signers, publicKeys };
}

/** Every key of a new account signs, so that nobody registers a key that is not theirs. */
function possessionFault(signatures: readonly TransactionSignature[], plan: ActionPlan): Rejection | undefined {
  if (plan.newAccount === null) return undefined;
  const { address, account } = plan.newAccount;
  const signed = new Set<number>();
  for (const signature of signatures) if (equalBytes(signature.account, address)) signed.add(signature.keyIndex);
  const missing = account.keyDocument.keys.findIndex((_, keyIndex) => !signed.has(keyIndex));
  return missing < 0
    ? undefined
    : rejected('unsigned', `missing: proof of possession by key ${missing} of account ${toHex(address)}`);
}

/** The ledger's requirement for an action, and the organisation's own where it has one; all must be met. */
function effectiveRequirements(
  view: StateView,
  kind: ActionKind,
  organisation: Uint8Array | null,
): readonly Requirement[] {
  const like = REQUIRED_LIKE[kind];
  const general =
    view.read(FAMILIES.requirement, requirementKey(kind, null)) ??
    (like === undefined ? undefined : view.read(FAMILIES.requirement, requirementKey(like, null)));
  if (general === undefined) throw new Error(`the state has no requirement for ${kind}: it is not of this version`);
  const own = organisation === null ? undefined : view.read(FAMILIES.requirement, requirementKey(kind, organisation));
  return own === undefined ? [general] : [general, own];
}

function requirementsFault(
  requirements: readonly Requirement[],
  plan: ActionPlan,
  facts: RequirementFacts,
): Rejection | undefined {
  const evaluations = requirements.map((requirement) => evaluate(requirement, plan.bindings, facts));
  const open = evaluations.filter(({ isSatisfied }) => !isSatisfied);
  if (open.length > 0) return rejected('unsigned', `missing: ${open.map(({ missing }) => missing).join('; and ')}`);
  const surplus = facts.signers.find(
    ({ address }, place) =>
      !(plan.newAccount !== null && equalBytes(plan.newAccount.address, address)) &&
      !evaluations.some(({ isCountable }) => isCountable[place] === true),
  );
  return surplus === undefined
    ? undefined
    : rejected('surplusSignature', `no part of the requirement counts account ${toHex(surplus.address)}`);
}

function signaturesFault(
  { transaction, preimage }: DecodedTransaction,
  publicKeys: readonly Uint8Array[],
  checks: SignatureChecks,
): Rejection | undefined {
  const bad = transaction.signatures.find(
    (signature, place) => !checks.isSignatureValid(preimage, publicKeys[place]!, signature.bytes),
  );
  return bad === undefined
    ? undefined
    : rejected('badSignature', `signature by key ${bad.keyIndex} of account ${toHex(bad.account)} is not valid`);
}

function attestationsFault(plan: ActionPlan, checks: SignatureChecks): Rejection | undefined {
  const bad = plan.attestations?.find(
    ({ preimage, publicKey, signature }) => !checks.isSignatureValid(preimage, publicKey, signature),
  );
  return bad === undefined
    ? undefined
    : rejected('badSignature', `${bad.name} is not signed by key ${toHex(bad.publicKey)}`);
}

function admissionFault(plan: ActionPlan, checks: SignatureChecks): Rejection | undefined {
  const accountKeys = plan.newAccount?.account.keyDocument.keys.map(({ publicKey }) => publicKey) ?? [];
  for (const publicKey of [...accountKeys, ...(plan.admits ?? [])]) {
    const fault = checks.signingKeyFault(publicKey);
    if (fault !== undefined) return rejected('inadmissibleKey', `key ${toHex(publicKey)} is refused: ${fault}`);
  }
  return undefined;
}

/** The member organisations whose accounts are active, as a requirement counts them. */
export function activeMembersOf(view: StateView): () => readonly Uint8Array[] {
  return () =>
    (view.read(FAMILIES.members, SINGLE_KEY) ?? []).filter(
      (address) => view.read(FAMILIES.account, address)?.status === 'active',
    );
}

/** The order in which signatures stand: by account, then by key. */
export function compareSignatures(a: TransactionSignature, b: TransactionSignature): number {
  return compareBytes(a.account, b.account) || a.keyIndex - b.keyIndex;
}
