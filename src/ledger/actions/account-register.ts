import { equalBytes, toHex } from '../../codec/bytes.ts';
import { accountAddress, keyDocumentFault } from '../account.ts';
import type { AccountRegister } from '../action.ts';
import { type Rejection, rejected } from '../rejection.ts';
import { FAMILIES } from '../state.ts';
import type { StateView } from '../state-overlay.ts';
import { type ActionRules, accountFault, refusal, stateWrite } from './action-rules.ts';

/**
 * A patient's, doctor's or researcher's account, at the address that its key document hashes to. Organisations and
 * regulators are admitted by the members, not registered.
 */
export const accountRegister: ActionRules<AccountRegister> = {
  fault(action) {
    if (action.role === 'organisation' || action.role === 'regulator')
      return rejected('invalidAction', `a ${action.role} can not be registered; the members admit it`);
    const fault = keyDocumentFault(action.keyDocument);
    if (fault !== undefined) return rejected('invalidAction', fault);
    if (action.control.kind !== 'self' && action.role !== 'patient')
      return rejected('invalidAction', `only a patient is under another's control, not a ${action.role}`);
    return undefined;
  },

  plan(view, action, context) {
    const { role, organisation, control, keyDocument } = action;
    const address = accountAddress(keyDocument);
    const fault =
      accountFault(view, organisation, 'organisation', organisation) ?? controlFault(view, action, context.timestampMs);
    if (fault !== undefined) return refusal(fault);
    if (view.read(FAMILIES.account, address) !== undefined)
      return refusal(rejected('accountExists', `account ${toHex(address)} is registered already`));

    const account = {
      role,
      organisation,
      status: 'active',
      control,
      keyDocument,
      registeredAt: context.height,
    } as const;
    return {
      kind: 'plan',
      bindings: { organisation, subject: address },
      organisation,
      newAccount: { address, account },
      writes: [stateWrite(FAMILIES.account, address, account)],
      receipt: { kind: 'account.register', address, role, organisation },
    };
  },
};

/** A custodian is the home organisation; a guardian is an active patient account in its own control, for some time. */
function controlFault(view: StateView, action: AccountRegister, timestampMs: number): Rejection | undefined {
  const { control, organisation } = action;
  if (control.kind === 'self') return undefined;
  if (control.kind === 'custodial')
    return equalBytes(control.organisation, organisation)
      ? undefined
      : rejected('invalidControl', 'only the home organisation can be the custodian');
  if (control.untilMs <= timestampMs) return rejected('invalidControl', "the guardian's term is over already");
  const guardian = view.read(FAMILIES.account, control.account);
  if (guardian === undefined) return rejected('unknownAccount', `guardian ${toHex(control.account)} is not registered`);
  if (guardian.role !== 'patient' || guardian.control.kind !== 'self' || guardian.status !== 'active')
    return rejected('invalidControl', 'a guardian is an active patient account in its own control');
  return undefined;
}
