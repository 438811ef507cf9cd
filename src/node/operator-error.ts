/** A fault that an operator can mend: what is wrong, and in the same sentence or the next, what to do. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
