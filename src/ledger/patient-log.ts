import { concatBytes, uintBytes } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { leafHash } from '../crypto/merkle.ts';
import { ACTION_CODES, type ActionKind } from './action.ts';

/** The three logs of a patient's pseudonym (ledger.md §7): versions, grants and revocations, reads. */
export type PatientLogKind = 'records' | 'rights' | 'access';

/** Last byte of a log's state key; a code is never used again for another. */
export const PATIENT_LOG_CODES: Readonly<Record<PatientLogKind, number>> = { records: 0, rights: 1, access: 2 };

/** One entry of a patient log. */
export interface PatientLogEntry {
  readonly height: number;
  /** Place of the transaction in its block. */
  readonly index: number;
  readonly txId: Uint8Array;
  readonly action: ActionKind;
  /** The organisation that the action concerns. */
  readonly organisation: Uint8Array;
}

/** height u64be ‖ index u32be ‖ txId[32] ‖ action code u16be ‖ organisation[32]. */
const PATIENT_LOG_ENTRY_BYTES = 78;

const actionOfCode = new Map<number, ActionKind>(
  (Object.keys(ACTION_CODES) as ActionKind[]).map((kind) => [ACTION_CODES[kind], kind]),
);

/** The fixed-width bytes of an entry. */
export function encodePatientLogEntry(entry: PatientLogEntry): Uint8Array {
  return concatBytes(
    uintBytes(entry.height, 8),
    uintBytes(entry.index, 4),
    entry.txId,
    uintBytes(ACTION_CODES[entry.action], 2),
    entry.organisation,
  );
}

/** The entry of these bytes. Throws a DecodeError on a wrong length, an unknown action or an unsafe height. */
export function decodePatientLogEntry(encoded: Uint8Array): PatientLogEntry {
  if (encoded.length !== PATIENT_LOG_ENTRY_BYTES)
    throw new DecodeError(`a patient-log entry has ${PATIENT_LOG_ENTRY_BYTES} bytes, not ${encoded.length}`);
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  const height = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  const action = actionOfCode.get(view.getUint16(44));
  if (!Number.isSafeInteger(height)) throw new DecodeError('a height beyond the safe integers');
  if (action === undefined) throw new DecodeError(`unknown action code ${view.getUint16(44)}`);
  return { height, index: view.getUint32(8), txId: encoded.slice(12, 44), action, organisation: encoded.slice(46) };
}

/** The leaf that an entry is in its log's tree (RFC 6962). */
export function patientLogLeaf(entry: PatientLogEntry): Uint8Array {
  return leafHash(encodePatientLogEntry(entry));
}
