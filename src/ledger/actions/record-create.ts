import { toHex } from '../../codec/bytes.ts';
import type { RecordCreate } from '../action.ts';
import { rejected } from '../rejection.ts';
import { FAMILIES } from '../state.ts';
import { recordIdOf } from '../transaction.ts';
import { type ActionRules, accountFault, patientLogWrite, refusal, stateWrite } from './action-rules.ts';
import { recordVersionFault } from './record-version.ts';

/**
 * Version 1 of a record: by an active doctor of the named organisation, about an active patient of the same, under an
 * id that never existed.
 */
export const recordCreate: ActionRules<RecordCreate> = {
  fault: recordVersionFault,

  plan(view, action, context) {
    const { author, organisation, patient, class: recordClass, retainUntilMs } = action;
    const fault =
      accountFault(view, organisation, 'organisation', organisation) ??
      accountFault(view, author, 'doctor', organisation) ??
      accountFault(view, patient, 'patient', organisation);
    if (fault !== undefined) return refusal(fault);
    const recordId = recordIdOf(context.genesisHash, author, context.salt);
    if (view.read(FAMILIES.record, recordId) !== undefined)
      return refusal(rejected('recordExists', `record ${toHex(recordId)} exists; draw another salt`));

    const { txId, height, index } = context;
    const record = { version: 1, creator: author, author, organisation, patient, class: recordClass, retainUntilMs };
    return {
      kind: 'plan',
      bindings: { author, organisation, patient },
      organisation,
      newAccount: null,
      writes: [
        stateWrite(FAMILIES.record, recordId, { ...record, txId, height, index }),
        patientLogWrite(view, 'records', patient, 'record.create', organisation, context),
      ],
      receipt: { kind: 'record.create', recordId, version: 1, author, organisation, patient },
    };
  },
};
