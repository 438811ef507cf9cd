import type { Action } from './action.ts';
import type { DecodedTransaction } from './transaction.ts';

const BASE_COST = 40;
const SIGNATURE_COST = 60;
/** Admission of a signing key, which no cache spares a node that joins later. */
const ADMISSION_COST = 300;
const BYTES_PER_UNIT = 64;

/**
 * What executing a transaction weighs against a block's executionCostMax: a whole number near the microseconds that a
 * slow core takes with nothing cached. A function of the bytes alone.
 */
export function transactionCost({ transaction, encoded }: DecodedTransaction): number {
  const { action, signatures } = transaction;
  return (
    BASE_COST +
    SIGNATURE_COST * (signatures.length + signaturesWithin(action)) +
    ADMISSION_COST * keysAdmitted(action) +
    Math.ceil(encoded.length / BYTES_PER_UNIT)
  );
}

function keysAdmitted(action: Action): number {
  if (action.kind === 'account.register') return action.keyDocument.keys.length;
  return action.kind === 'validator.add' || action.kind === 'validator.rotate' ? 1 : 0;
}

/** Statements of readiness, and the two payloads of evidence. */
function signaturesWithin(action: Action): number {
  if (action.kind === 'evidence.submit') return 2;
  return action.kind === 'validator.add' || action.kind === 'validator.rotate' ? 1 : 0;
}
