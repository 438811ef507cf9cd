import { equalBytes, toHex } from '../codec/bytes.ts';
import { bytes, enumeration, list, type Schema, struct, uint, union } from '../codec/schema.ts';
import { type Account, type ActionClass, type Role, roleSchema } from './account.ts';

/** Most levels of a requirement, its leaves included. */
const REQUIREMENT_DEPTH_MAX = 4;
/** Most leaves of a requirement. */
const REQUIREMENT_LEAVES_MAX = 32;

/** What an action binds: who wrote it, whom it is about, who answers for it, which validator hands it in. */
export type VariableName = 'author' | 'patient' | 'organisation' | 'subject' | 'validator';

/** The accounts that an action's variables stand for; a name that is absent is unbound. */
export type Bindings = Readonly<Partial<Record<VariableName, Uint8Array>>>;

/** An organisation named outright or by a variable. */
type OrganisationReference =
  | { readonly kind: 'address'; readonly address: Uint8Array }
  | { readonly kind: 'variable'; readonly name: VariableName };

/** Who must have signed, as a value (ledger.md §5). A tree of `atLeast` nodes over the other four. */
export type Requirement =
  | { readonly kind: 'account'; readonly address: Uint8Array }
  | { readonly kind: 'variable'; readonly name: VariableName }
  /** `count` distinct active accounts of the role in the organisation. */
  | {
      readonly kind: 'role';
      readonly role: Role;
      readonly organisation: OrganisationReference;
      readonly count: number;
    }
  /** That fraction of the active member organisations, rounded up. */
  | { readonly kind: 'members'; readonly numerator: number; readonly denominator: number }
  | { readonly kind: 'atLeast'; readonly count: number; readonly of: readonly Requirement[] };

/** An account that signed, and how far. */
export interface Signer {
  readonly address: Uint8Array;
  readonly account: Account;
  /** Sum of the weights of the keys whose signatures are valid. */
  readonly weight: number;
}

/** All that an evaluation may look at besides the requirement and its bindings. */
export interface RequirementFacts {
  readonly actionClass: ActionClass;
  /** Time of the block that executes. */
  readonly timestampMs: number;
  /** Distinct accounts. */
  readonly signers: readonly Signer[];
  account(address: Uint8Array): Account | undefined;
  /** Addresses of the member organisations whose accounts are active. */
  activeMembers(): readonly Uint8Array[];
}

/** What an evaluation found. */
export interface Evaluation {
  readonly isSatisfied: boolean;
  /** What is still missing, in words; empty when satisfied. */
  readonly missing: string;
  /** By place in `signers`: whether some leaf could count that account, its threshold reached or not. */
  readonly isCountable: readonly boolean[];
}

const variableSchema = enumeration<VariableName>({ author: 0, patient: 1, organisation: 2, subject: 3, validator: 4 });

const organisationReferenceSchema = union<OrganisationReference>({
  address: [0, struct({ address: bytes(32) })],
  variable: [1, struct({ name: variableSchema })],
});

/** The codec allows no more than its own depth; `requirementFault` narrows it to the bounds of the ledger. */
export const requirementSchema: Schema<Requirement> = {
  toItem: (value) => variants.toItem(value),
  fromItem: (item, at) => variants.fromItem(item, at),
};

const variants = union<Requirement>({
  account: [0, struct({ address: bytes(32) })],
  variable: [1, struct({ name: variableSchema })],
  role: [2, struct({ role: roleSchema, organisation: organisationReferenceSchema, count: uint(0xff) })],
  members: [3, struct({ numerator: uint(0xff), denominator: uint(0xff) })],
  atLeast: [4, struct({ count: uint(0xff), of: list(requirementSchema, REQUIREMENT_LEAVES_MAX) })],
});

/** Why a requirement is out of bounds, in words; undefined when it is well formed. */
export function requirementFault(requirement: Requirement): string | undefined {
  const leaves = { count: 0 };
  const fault = faultAt(requirement, 1, leaves);
  if (fault !== undefined) return fault;
  return leaves.count > REQUIREMENT_LEAVES_MAX
    ? `a requirement of ${leaves.count} leaves, at most ${REQUIREMENT_LEAVES_MAX} allowed`
    : undefined;
}

/**
 * Whether the signers satisfy a requirement, and if not what is missing (ledger.md §5). An account counts when it is
 * active and its valid signatures reach its own threshold for the action's class; it counts for every leaf that it
 * fits, once in each. A leaf whose variable is unbound is not satisfied.
 */
export function evaluate(requirement: Requirement, bindings: Bindings, facts: RequirementFacts): Evaluation {
  const isCountable = facts.signers.map((signer) => isCountedBy(requirement, signer, bindings, facts));
  const isSatisfied = isMet(requirement, bindings, facts);
  return { isSatisfied, missing: isSatisfied ? '' : missingWords(requirement, bindings, facts), isCountable };
}

/**
 * The account that acts for a variable: the bound one, but for a patient whoever controls the account at that time
 * (ledger.md §2). A guardian's term includes its last millisecond; after it the patient acts.
 */
export function actingAccount(
  name: VariableName,
  bindings: Bindings,
  facts: Pick<RequirementFacts, 'account' | 'timestampMs'>,
): Uint8Array | undefined {
  const bound = bindings[name];
  if (bound === undefined || name !== 'patient') return bound;
  const control = facts.account(bound)?.control;
  if (control?.kind === 'custodial') return control.organisation;
  if (control?.kind === 'guardian' && facts.timestampMs <= control.untilMs) return control.account;
  return bound;
}

/** True when an account's valid signatures reach its threshold, and it may act at all. */
function hasSigned(signer: Signer, facts: RequirementFacts): boolean {
  return (
    signer.account.status === 'active' && signer.weight >= signer.account.keyDocument.thresholds[facts.actionClass]
  );
}

function isMet(requirement: Requirement, bindings: Bindings, facts: RequirementFacts): boolean {
  if (requirement.kind === 'atLeast') {
    let met = 0;
    for (const part of requirement.of) if (isMet(part, bindings, facts)) met += 1;
    return met >= requirement.count;
  }
  return countedSigners(requirement, bindings, facts) >= neededSigners(requirement, facts);
}

type Leaf = Exclude<Requirement, { readonly kind: 'atLeast' }>;

function countedSigners(leaf: Leaf, bindings: Bindings, facts: RequirementFacts): number {
  let count = 0;
  for (const signer of facts.signers)
    if (hasSigned(signer, facts) && isCountedBy(leaf, signer, bindings, facts)) count += 1;
  return count;
}

function neededSigners(leaf: Leaf, facts: RequirementFacts): number {
  if (leaf.kind === 'role') return leaf.count;
  if (leaf.kind !== 'members') return 1;
  // Without active members nothing is met, rather than everything.
  return Math.max(1, Math.ceil((facts.activeMembers().length * leaf.numerator) / leaf.denominator));
}

/** True when the requirement, or some leaf below it, asks for this account. */
function isCountedBy(requirement: Requirement, signer: Signer, bindings: Bindings, facts: RequirementFacts): boolean {
  if (signer.account.status !== 'active') return false;
  switch (requirement.kind) {
    case 'atLeast':
      return requirement.of.some((part) => isCountedBy(part, signer, bindings, facts));
    case 'account':
      return equalBytes(requirement.address, signer.address);
    case 'variable': {
      const address = actingAccount(requirement.name, bindings, facts);
      return address !== undefined && equalBytes(address, signer.address);
    }
    case 'role': {
      const organisation = organisationOf(requirement.organisation, bindings);
      const { account } = signer;
      return (
        organisation !== undefined &&
        account.role === requirement.role &&
        equalBytes(account.organisation, organisation)
      );
    }
    case 'members':
      return facts.activeMembers().some((member) => equalBytes(member, signer.address));
  }
}

function organisationOf(reference: OrganisationReference, bindings: Bindings): Uint8Array | undefined {
  return reference.kind === 'address' ? reference.address : bindings[reference.name];
}

/** What a requirement that is not met still asks for. */
function missingWords(requirement: Requirement, bindings: Bindings, facts: RequirementFacts): string {
  switch (requirement.kind) {
    case 'atLeast': {
      const open = requirement.of.filter((part) => !isMet(part, bindings, facts));
      const words = open.map((part) => missingWords(part, bindings, facts));
      const needed = requirement.count - (requirement.of.length - open.length);
      return needed === open.length ? words.join('; and ') : `${needed} of (${words.join('; ')})`;
    }
    case 'account':
      return accountWords(`account ${toHex(requirement.address)}`, requirement.address, facts);
    case 'variable': {
      const address = actingAccount(requirement.name, bindings, facts);
      if (address === undefined) return `$${requirement.name}, whom the action does not name`;
      return accountWords(`$${requirement.name}, account ${toHex(address)}`, address, facts);
    }
    case 'role': {
      const organisation = organisationOf(requirement.organisation, bindings);
      if (organisation === undefined) return `${requirement.role} of an organisation that the action does not name`;
      const missing = requirement.count - countedSigners(requirement, bindings, facts);
      return `${missing} more active ${requirement.role} of organisation ${toHex(organisation)}`;
    }
    case 'members': {
      const missing = neededSigners(requirement, facts) - countedSigners(requirement, bindings, facts);
      return `${missing} more of ${facts.activeMembers().length} active member organisations`;
    }
  }
}

function accountWords(name: string, address: Uint8Array, facts: RequirementFacts): string {
  const account = facts.account(address);
  if (account === undefined) return `${name}, which is not registered`;
  if (account.status !== 'active') return `${name}, which is suspended`;
  const weight = facts.signers.find((signer) => equalBytes(signer.address, address))?.weight ?? 0;
  return `${name}, with signatures of weight ${weight} of ${account.keyDocument.thresholds[facts.actionClass]}`;
}

function faultAt(requirement: Requirement, depth: number, leaves: { count: number }): string | undefined {
  if (depth > REQUIREMENT_DEPTH_MAX) return `a requirement deeper than ${REQUIREMENT_DEPTH_MAX}`;
  if (requirement.kind === 'atLeast') {
    const { count, of } = requirement;
    if (count < 1 || count > of.length) return `"at least ${count} of ${of.length}" can not be met or says nothing`;
    for (const part of of) {
      const fault = faultAt(part, depth + 1, leaves);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  leaves.count += 1;
  if (requirement.kind === 'role' && requirement.count < 1) return 'a role leaf that asks for no account';
  if (requirement.kind === 'members') {
    const { numerator, denominator } = requirement;
    if (numerator < 1 || numerator > denominator) return `a fraction of ${numerator}/${denominator} of the members`;
  }
  return undefined;
}
