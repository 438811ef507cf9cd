/** Why a transaction is not applied. The list is closed; a code never changes its meaning. */
export type RejectionCode = keyof typeof REJECTIONS;

/** What a code means to whoever submitted. */
export interface RejectionMeaning {
  readonly meaning: string;
  /** False only where no later state can make the same bytes apply. */
  readonly retryable: boolean;
  readonly httpStatus: number;
}

/** A transaction refused: the code, and what exactly is wrong with this one, in words. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly detail: string;
}

/** The closed list. Which check comes first is for `executeTransaction` to say. */
export const REJECTIONS = {
  malformed: {
    meaning: 'The bytes are not the canonical encoding of a transaction.',
    retryable: false,
    httpStatus: 400,
  },
  oversized: {
    meaning: 'The transaction or its attachment is larger than the ledger takes.',
    retryable: false,
    httpStatus: 413,
  },
  unsupportedVersion: {
    meaning: 'The transaction is of a version that this ledger does not know yet.',
    retryable: true,
    httpStatus: 422,
  },
  signatureOrder: {
    meaning: 'Signatures are not in ascending order of account and key, or one stands twice.',
    retryable: false,
    httpStatus: 400,
  },
  invalidAction: {
    meaning: 'A field of the action is outside what the ledger takes, whatever the state.',
    retryable: false,
    httpStatus: 422,
  },
  attachmentMissing: {
    meaning: 'The attachment that the transaction names is not here.',
    retryable: true,
    httpStatus: 422,
  },
  attachmentMismatch: {
    meaning: 'The attachment does not hash to what the transaction says, or none was announced.',
    retryable: true,
    httpStatus: 422,
  },
  expired: { meaning: 'validUntilMs lies before the time of the next block.', retryable: false, httpStatus: 410 },
  validityTooFar: {
    meaning: 'validUntilMs lies further ahead than the ledger allows.',
    retryable: true,
    httpStatus: 422,
  },
  duplicateId: { meaning: 'A transaction with this id was applied already.', retryable: false, httpStatus: 409 },
  unknownAccount: {
    meaning: 'An account that the transaction names is not registered.',
    retryable: true,
    httpStatus: 422,
  },
  inactiveAccount: { meaning: 'An account that the transaction names is suspended.', retryable: true, httpStatus: 403 },
  wrongRole: { meaning: 'An account has not the role that the action asks for.', retryable: true, httpStatus: 422 },
  wrongOrganisation: {
    meaning: 'An account does not belong to the organisation that the action names.',
    retryable: true,
    httpStatus: 422,
  },
  accountExists: { meaning: 'An account with this address is registered already.', retryable: false, httpStatus: 409 },
  invalidControl: {
    meaning: 'The account can not be controlled as asked: guardian or organisation do not fit.',
    retryable: true,
    httpStatus: 422,
  },
  inadmissibleKey: {
    meaning: 'A signing key is no canonical Ed25519 point of the prime-order group.',
    retryable: false,
    httpStatus: 422,
  },
  recordExists: {
    meaning: 'A record with this id was created before; ids are never reused.',
    retryable: false,
    httpStatus: 409,
  },
  unknownRecord: { meaning: 'There is no record with this id.', retryable: true, httpStatus: 404 },
  versionConflict: {
    meaning: 'The record is at another version than the change expects.',
    retryable: true,
    httpStatus: 409,
  },
  retentionShortened: {
    meaning: 'A new version may lengthen the retention of a record, never shorten it.',
    retryable: false,
    httpStatus: 422,
  },
  seatChangeInFlight: {
    meaning: 'A change of the validators is in flight; another can follow two blocks later.',
    retryable: true,
    httpStatus: 409,
  },
  unknownValidator: {
    meaning: 'The key that the action names is no validator key, or was none at that height.',
    retryable: true,
    httpStatus: 422,
  },
  keySpent: {
    meaning: 'The key is or was a validator key; each is admitted once and never again.',
    retryable: false,
    httpStatus: 409,
  },
  validatorCount: {
    meaning: 'The change would leave no validator, or more than a ledger can have.',
    retryable: true,
    httpStatus: 422,
  },
  toleranceMisstated: {
    meaning: 'The action misstates how many faulty validators the ledger bears.',
    retryable: true,
    httpStatus: 409,
  },
  candidateNotReady: {
    meaning: 'The statement of readiness is of a height too old, or not there yet.',
    retryable: true,
    httpStatus: 422,
  },
  evidenceOutsideWindow: {
    meaning: 'The evidence is of a height too old, or not there yet.',
    retryable: true,
    httpStatus: 422,
  },
  evidenceKnown: {
    meaning: 'Evidence about this seat stands on the ledger for this span of heights already.',
    retryable: false,
    httpStatus: 409,
  },
  parameterChangeInFlight: {
    meaning: 'A change of the parameters is in flight; another can follow in two blocks.',
    retryable: true,
    httpStatus: 409,
  },
  parametersConflict: {
    meaning: 'The parameters are others than those that the change follows.',
    retryable: true,
    httpStatus: 409,
  },
  versionOutOfTurn: {
    meaning: 'The version does not follow the one in force, or is for a height too soon.',
    retryable: true,
    httpStatus: 422,
  },
  unknownKey: { meaning: 'A signature names a key that its account does not have.', retryable: true, httpStatus: 403 },
  badSignature: {
    meaning: 'A signature does not verify under the key that it names.',
    retryable: true,
    httpStatus: 403,
  },
  surplusSignature: {
    meaning: 'A signature is by an account that the requirement can not count.',
    retryable: true,
    httpStatus: 403,
  },
  unsigned: { meaning: 'Signatures that the requirement asks for are missing.', retryable: true, httpStatus: 403 },
  poolFull: { meaning: 'The node holds as many pending transactions as it may.', retryable: true, httpStatus: 503 },
} as const satisfies Readonly<Record<string, RejectionMeaning>>;

/** A rejection with this code and detail. */
export function rejected(code: RejectionCode, detail: string): Rejection {
  return { code, detail };
}
