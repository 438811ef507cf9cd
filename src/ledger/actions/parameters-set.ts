import type { ParametersSet } from '../action.ts';
import {
  isSameParameters,
  PARAMETER_NAMES,
  type Parameters,
  parametersFault,
  protocolVersionAt,
} from '../parameters.ts';
import { rejected } from '../rejection.ts';
import { HEIGHTS_TO_FORCE, isInFlight, PARAMETER_SLOTS, slotsOf } from '../slots.ts';
import { type ActionRules, refusal, stateWrite } from './action-rules.ts';

/**
 * Lowest values that a change may go down to, where a lower one could keep the ledger from ever being changed back: no
 * view would last for a block, or no approval for as long as its signatures take to collect. A ledger that was founded
 * with less may stay there.
 */
export const LEAST_BY_CHANGE: Readonly<Partial<Record<keyof Parameters, number>>> = {
  maxValidityMs: 60_000,
  viewTimeoutMaxMs: 4_000,
};

/**
 * Other parameters for the ledger. Every node reads the values of a height from the state before it, so the change
 * counts on all of them at once.
 */
export const parametersSet: ActionRules<ParametersSet> = {
  fault({ expected, parameters }) {
    const fault = changeFault(expected, parameters);
    return fault === undefined ? undefined : rejected('invalidAction', fault);
  },

  plan(view, { expected, parameters }, { height }) {
    const slots = slotsOf(view, PARAMETER_SLOTS);
    if (isInFlight(PARAMETER_SLOTS, slots))
      return refusal(rejected('parameterChangeInFlight', 'a change of the parameters is not in force yet'));
    const other = PARAMETER_NAMES.find((name) => expected[name] !== slots.current[name]);
    if (other !== undefined)
      return refusal(
        rejected('parametersConflict', `${other} is ${slots.current[other]}, the change follows ${expected[other]}`),
      );
    const fault = versionFault(expected, parameters, height);
    if (fault !== undefined) return refusal(rejected('versionOutOfTurn', fault));
    return {
      kind: 'plan',
      bindings: {},
      organisation: null,
      newAccount: null,
      writes: [stateWrite(PARAMETER_SLOTS.family, PARAMETER_SLOTS.scheduled, parameters)],
      receipt: { kind: 'parameters.set', fromHeight: height + HEIGHTS_TO_FORCE },
    };
  },
};

/** Why `after` may follow `before` at no height, in words; undefined when it may. */
export function changeFault(before: Parameters, after: Parameters): string | undefined {
  const fault = parametersFault(after);
  if (fault !== undefined) return fault;
  if (isSameParameters(before, after)) return 'the parameters are those that they follow';
  for (const [name, least] of Object.entries(LEAST_BY_CHANGE) as [keyof Parameters, number][]) {
    if (after[name] < before[name] && after[name] < least)
      return `${name} would be ${after[name]}; a change takes it no lower than ${least}`;
  }
  return undefined;
}

/**
 * Why a change in block `height` may not announce the version that it does, in words; undefined when it may. A version
 * is announced one at a time and for a height at which the change itself counts; until then it can be put off or taken
 * back. What is in force already stays.
 */
export function versionFault(before: Parameters, after: Parameters, height: number): string | undefined {
  const { protocolVersion: version, protocolVersionFrom: from } = after;
  if (version === before.protocolVersion && from === before.protocolVersionFrom) return undefined;
  const fromHeight = height + HEIGHTS_TO_FORCE;
  const standing = protocolVersionAt(before, fromHeight - 1);
  if (version === standing + 1 && from >= fromHeight) return undefined;
  if (version === standing && from < fromHeight) return undefined;
  return version === standing || version === standing + 1
    ? `version ${standing} stands until height ${fromHeight}; version ${version} can not be from height ${from}`
    : `version ${version} does not follow version ${standing}`;
}
