import { equalBytes, toHex } from '../../codec/bytes.ts';
import { appendLeaf, EMPTY_LOG } from '../../crypto/merkle.ts';
import type { Account, Role } from '../account.ts';
import type { ActionKind } from '../action.ts';
import { type PatientLogKind, patientLogLeaf } from '../patient-log.ts';
import type { Receipt } from '../receipt.ts';
import { type Rejection, rejected } from '../rejection.ts';
import type { Bindings } from '../requirement.ts';
import { FAMILIES, type Family, patientLogKey } from '../state.ts';
import type { StateView } from '../state-overlay.ts';

/** Where and when a transaction is executed. */
export interface TransactionContext {
  readonly genesisHash: Uint8Array;
  readonly height: number;
  readonly timestampMs: number;
  /** Its place in the block. */
  readonly index: number;
  readonly txId: Uint8Array;
  readonly salt: Uint8Array;
}

/** One value to be set in the state. */
export interface StateWrite {
  readonly family: Family<unknown>;
  readonly key: Uint8Array;
  readonly value: unknown;
}

/** A signature within an action, beside those of its transaction. */
export interface Attestation {
  readonly publicKey: Uint8Array;
  readonly preimage: Uint8Array;
  readonly signature: Uint8Array;
  /** What it says, for whoever reads that it does not hold. */
  readonly name: string;
}

/** What an action will do once its signatures are found sufficient. */
export interface ActionPlan {
  readonly kind: 'plan';
  readonly bindings: Bindings;
  /** The organisation whose own requirement is added to the ledger's; null where no single one is concerned. */
  readonly organisation: Uint8Array | null;
  /** An account not in the state yet, each of whose keys must sign as proof of possession. */
  readonly newAccount: { readonly address: Uint8Array; readonly account: Account } | null;
  /** A validator that signs the transaction like an account: its public key stands for the address, its key is 0. */
  readonly validator?: { readonly publicKey: Uint8Array; readonly organisation: Uint8Array };
  /** Signing keys that enter the state, beside those of `newAccount`. */
  readonly admits?: readonly Uint8Array[];
  /** Signatures within the action that have to hold. */
  readonly attestations?: readonly Attestation[];
  readonly writes: readonly StateWrite[];
  readonly receipt: Receipt;
}

/** Refusal of an action by its own rules. */
export interface ActionRefusal {
  readonly kind: 'refusal';
  readonly rejection: Rejection;
}

/** The rules of one action. Pure: the outcome depends on the arguments alone. */
export interface ActionRules<A> {
  /** What is wrong with the fields whatever the state, or undefined. */
  fault(action: A): Rejection | undefined;
  /** What the action does in this state; signatures are checked elsewhere. */
  plan(view: StateView, action: A, context: TransactionContext): ActionPlan | ActionRefusal;
}

/** A typed write. */
export function stateWrite<T>(family: Family<T>, key: Uint8Array, value: T): StateWrite {
  return { family: family as Family<unknown>, key, value };
}

/** The refusal of an action for this reason. */
export function refusal(rejection: Rejection): ActionRefusal {
  return { kind: 'refusal', rejection };
}

/** Why there is no active account of that role, belonging to the organisation, at `address`; undefined when there is. */
export function accountFault(
  view: StateView,
  address: Uint8Array,
  role: Role,
  organisation: Uint8Array,
): Rejection | undefined {
  const account = view.read(FAMILIES.account, address);
  if (account === undefined) return rejected('unknownAccount', `no account ${toHex(address)} is registered`);
  if (account.role !== role)
    return rejected('wrongRole', `account ${toHex(address)} is a ${account.role}, not a ${role}`);
  if (!equalBytes(account.organisation, organisation))
    return rejected(
      'wrongOrganisation',
      `${role} ${toHex(address)} belongs to organisation ${toHex(account.organisation)}, not to ${toHex(organisation)}`,
    );
  if (account.status !== 'active') return rejected('inactiveAccount', `${role} ${toHex(address)} is suspended`);
  return undefined;
}

/** The write that appends this transaction to a log of a patient. */
export function patientLogWrite(
  view: StateView,
  log: PatientLogKind,
  patient: Uint8Array,
  action: ActionKind,
  organisation: Uint8Array,
  context: TransactionContext,
): StateWrite {
  const key = patientLogKey(patient, log);
  const { height, index, txId } = context;
  const leaf = patientLogLeaf({ height, index, txId, action, organisation });
  return stateWrite(FAMILIES.patientLog, key, appendLeaf(view.read(FAMILIES.patientLog, key) ?? EMPTY_LOG, leaf));
}
