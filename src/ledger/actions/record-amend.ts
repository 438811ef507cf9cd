import { toHex } from '../../codec/bytes.ts';
import type { RecordAmend } from '../action.ts';
import { rejected } from '../rejection.ts';
import { FAMILIES } from '../state.ts';
import { type ActionRules, accountFault, patientLogWrite, refusal, stateWrite } from './action-rules.ts';
import { recordVersionFault } from './record-version.ts';

/**
 * The next version of a record: by its creator or a colleague, that is an active doctor of the record's organisation,
 * and only on top of the version that the author has seen.
 */
export const recordAmend: ActionRules<RecordAmend> = {
  fault: recordVersionFault,

  plan(view, action, context) {
    const { recordId, expectedVersion, author, class: recordClass, retainUntilMs } = action;
    const record = view.read(FAMILIES.record, recordId);
    if (record === undefined) return refusal(rejected('unknownRecord', `there is no record ${toHex(recordId)}`));
    const { organisation, patient, creator } = record;
    const fault =
      accountFault(view, organisation, 'organisation', organisation) ??
      accountFault(view, author, 'doctor', organisation) ??
      accountFault(view, patient, 'patient', organisation);
    if (fault !== undefined) return refusal(fault);
    if (record.version !== expectedVersion)
      return refusal(
        rejected(
          'versionConflict',
          `record ${toHex(recordId)} is at version ${record.version}, not ${expectedVersion}`,
        ),
      );
    if (retainUntilMs < record.retainUntilMs)
      return refusal(rejected('retentionShortened', `the record is kept until ${record.retainUntilMs} already`));

    const version = expectedVersion + 1;
    const { txId, height, index } = context;
    const next = { version, creator, author, organisation, patient, class: recordClass, retainUntilMs };
    return {
      kind: 'plan',
      bindings: { author, organisation, patient },
      organisation,
      newAccount: null,
      writes: [
        stateWrite(FAMILIES.record, recordId, { ...next, txId, height, index }),
        patientLogWrite(view, 'records', patient, 'record.amend', organisation, context),
      ],
      receipt: { kind: 'record.amend', recordId, version, author, organisation, patient },
    };
  },
};
