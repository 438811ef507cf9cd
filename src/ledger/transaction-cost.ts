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
  const admitted = action.kind === 'account.register' ? action.keyDocument.keys.length : 0;
  return (
    BASE_COST +
    SIGNATURE_COST * signatures.length +
    ADMISSION_COST * admitted +
    Math.ceil(encoded.length / BYTES_PER_UNIT)
  );
}
