import { equalBytes, toHex } from '../../codec/bytes.ts';
import type { FaultTolerance, ReadyStatement, ValidatorAdd, ValidatorRemove, ValidatorRotate } from '../action.ts';
import { READY_HEIGHTS_MAX, type Readiness, readyPreimage } from '../readiness.ts';
import { type Rejection, rejected } from '../rejection.ts';
import { HEIGHTS_TO_FORCE, isInFlight, slotsOf, VALIDATOR_SLOTS } from '../slots.ts';
import { FAMILIES, isInForce, type Tenure } from '../state.ts';
import type { StateView } from '../state-overlay.ts';
import { faultyMax, makeValidatorSet, VALIDATORS_MAX, type Validator } from '../validator-set.ts';
import {
  type ActionRules,
  type Attestation,
  accountFault,
  refusal,
  type StateWrite,
  stateWrite,
  type TransactionContext,
} from './action-rules.ts';

/** A seat of its own for an active member, under a key that was never a validator's. */
export const validatorAdd: ActionRules<ValidatorAdd> = {
  fault: ({ addresses }) => addressesFault(addresses),

  plan(view, action, context) {
    const { publicKey, organisation, addresses, ready, tolerance } = action;
    const { standing, inFlight } = standingSet(view);
    const count = standing.length;
    const fault =
      inFlight ??
      accountFault(view, organisation, 'organisation', organisation) ??
      spentFault(view, publicKey) ??
      countFault(count + 1) ??
      toleranceFault(tolerance, count, count + 1) ??
      readinessFault(ready, context);
    if (fault !== undefined) return refusal(fault);
    const fromHeight = context.height + HEIGHTS_TO_FORCE;
    const tenure: Tenure = { organisation, seat: publicKey, addresses, fromHeight, untilHeight: null };
    return {
      kind: 'plan',
      bindings: { organisation },
      organisation,
      newAccount: null,
      admits: [publicKey],
      attestations: [
        readyAttestation({ publicKey, organisation, replaces: null, height: ready.height }, ready, context),
      ],
      writes: [
        scheduleWrite([...standing, { publicKey, organisation }]),
        stateWrite(FAMILIES.tenure, publicKey, tenure),
      ],
      receipt: { kind: 'validator.add', publicKey, organisation, seat: publicKey, fromHeight, tolerance },
    };
  },
};

/** The end of a seat, whatever has become of its organisation. */
export const validatorRemove: ActionRules<ValidatorRemove> = {
  fault: () => undefined,

  plan(view, action, context) {
    const { publicKey, tolerance } = action;
    const { standing, inFlight } = standingSet(view);
    if (inFlight !== undefined) return refusal(inFlight);
    const tenure = tenureInForce(view, publicKey, context.height);
    if ('code' in tenure) return refusal(tenure);
    const count = standing.length;
    const fault = countFault(count - 1) ?? toleranceFault(tolerance, count, count - 1);
    if (fault !== undefined) return refusal(fault);
    const fromHeight = context.height + HEIGHTS_TO_FORCE;
    const { organisation, seat } = tenure;
    return {
      kind: 'plan',
      bindings: { organisation },
      organisation,
      newAccount: null,
      writes: [
        scheduleWrite(without(standing, publicKey)),
        stateWrite(FAMILIES.tenure, publicKey, { ...tenure, untilHeight: fromHeight }),
      ],
      receipt: { kind: 'validator.remove', publicKey, organisation, seat, fromHeight, tolerance },
    };
  },
};

/** Another key on a seat, which keeps its organisation, and what the ledger holds against it. */
export const validatorRotate: ActionRules<ValidatorRotate> = {
  fault({ publicKey, newPublicKey, addresses }) {
    if (equalBytes(publicKey, newPublicKey)) return rejected('invalidAction', 'a key does not take over from itself');
    return addressesFault(addresses);
  },

  plan(view, action, context) {
    const { publicKey, newPublicKey, addresses, ready } = action;
    const { standing, inFlight } = standingSet(view);
    if (inFlight !== undefined) return refusal(inFlight);
    const tenure = tenureInForce(view, publicKey, context.height);
    if ('code' in tenure) return refusal(tenure);
    const { organisation, seat } = tenure;
    const fault =
      accountFault(view, organisation, 'organisation', organisation) ??
      spentFault(view, newPublicKey) ??
      readinessFault(ready, context);
    if (fault !== undefined) return refusal(fault);
    const fromHeight = context.height + HEIGHTS_TO_FORCE;
    const readiness = { publicKey: newPublicKey, organisation, replaces: publicKey, height: ready.height };
    const faulty = faultyMax(standing.length);
    return {
      kind: 'plan',
      bindings: { organisation },
      organisation,
      newAccount: null,
      admits: [newPublicKey],
      attestations: [readyAttestation(readiness, ready, context)],
      writes: [
        scheduleWrite([...without(standing, publicKey), { publicKey: newPublicKey, organisation }]),
        stateWrite(FAMILIES.tenure, publicKey, { ...tenure, untilHeight: fromHeight }),
        stateWrite(FAMILIES.tenure, newPublicKey, { organisation, seat, addresses, fromHeight, untilHeight: null }),
      ],
      receipt: {
        kind: 'validator.rotate',
        publicKey,
        newPublicKey,
        organisation,
        seat,
        fromHeight,
        tolerance: { before: faulty, after: faulty },
      },
    };
  },
};

/** The set that a change starts from. While the current and the scheduled one differ, a change is in flight. */
function standingSet(view: StateView): { readonly standing: readonly Validator[]; readonly inFlight?: Rejection } {
  const slots = slotsOf(view, VALIDATOR_SLOTS);
  if (!isInFlight(VALIDATOR_SLOTS, slots)) return { standing: slots.current };
  return {
    standing: slots.current,
    inFlight: rejected('seatChangeInFlight', 'a change of the validators is not in force yet'),
  };
}

function tenureInForce(view: StateView, publicKey: Uint8Array, height: number): Tenure | Rejection {
  const tenure = view.read(FAMILIES.tenure, publicKey);
  if (tenure !== undefined && isInForce(tenure, height)) return tenure;
  return rejected('unknownValidator', `${toHex(publicKey)} is no validator of height ${height}`);
}

function spentFault(view: StateView, publicKey: Uint8Array): Rejection | undefined {
  const tenure = view.read(FAMILIES.tenure, publicKey);
  if (tenure === undefined) return undefined;
  const { untilHeight } = tenure;
  const standing = untilHeight === null ? 'is a validator key already' : `left the validators at height ${untilHeight}`;
  return rejected('keySpent', `key ${toHex(publicKey)} ${standing}`);
}

function countFault(count: number): Rejection | undefined {
  if (count >= 1 && count <= VALIDATORS_MAX) return undefined;
  return rejected('validatorCount', `${count} validators; a ledger has 1 to ${VALIDATORS_MAX}`);
}

function toleranceFault(stated: FaultTolerance, countBefore: number, countAfter: number): Rejection | undefined {
  const before = faultyMax(countBefore);
  const after = faultyMax(countAfter);
  if (stated.before === before && stated.after === after) return undefined;
  return rejected(
    'toleranceMisstated',
    `with ${countBefore} validators the ledger bears ${before} faulty ones, with ${countAfter} it bears ${after}; ` +
      `the action says ${stated.before} and ${stated.after}`,
  );
}

function readinessFault({ height: readyAt }: ReadyStatement, { height }: TransactionContext): Rejection | undefined {
  if (readyAt < height && readyAt + READY_HEIGHTS_MAX >= height) return undefined;
  return rejected(
    'candidateNotReady',
    `ready at height ${readyAt}, which is not in the ${READY_HEIGHTS_MAX} before ${height}`,
  );
}

function readyAttestation(
  readiness: Readiness,
  { signature }: ReadyStatement,
  { genesisHash }: TransactionContext,
): Attestation {
  const preimage = readyPreimage(genesisHash, readiness);
  return { publicKey: readiness.publicKey, preimage, signature, name: 'the statement of readiness' };
}

/** Why these can not be a validator's addresses. Multiaddrs are not parsed here: peers pass over what they can not use. */
export function addressesFault(addresses: readonly string[]): Rejection | undefined {
  const wrong = addresses.find((address) => !/^\/[\x21-\x7e]+$/.test(address));
  return wrong === undefined ? undefined : rejected('invalidAction', 'an address of the validator is no multiaddr');
}

function without(validators: readonly Validator[], publicKey: Uint8Array): readonly Validator[] {
  return validators.filter((validator) => !equalBytes(validator.publicKey, publicKey));
}

function scheduleWrite(validators: readonly Validator[]): StateWrite {
  return stateWrite(VALIDATOR_SLOTS.family, VALIDATOR_SLOTS.scheduled, makeValidatorSet(validators).validators);
}
