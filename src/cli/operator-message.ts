import { NodeProblem } from '../client/node-error.ts';

/**
 * Errors whose message tells an operator what to do; of some, the classes stand in folders that a command may not
 * import.
 */
const OPERATING_ERRORS: ReadonlySet<string> = new Set([
  'OperatorError',
  'KeyFileError',
  'AddressError',
  'StorageError',
  'ListenError',
  'OuterIndexError',
  'NodeUnreachable',
  'NodeResponseError',
  'RecordOpenError',
  'SealingError',
  'PayloadError',
]);

/** What to print of an error that is the operator's to mend; undefined for a fault of this program. */
export function operatorMessage(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof NodeProblem) return `The node refused (${error.code}): ${error.problem.detail}`;
  if (error.name === 'TimeoutError') return 'The node did not answer in time: see its log and the load of its machine.';
  return OPERATING_ERRORS.has(error.name) ? error.message : undefined;
}
