/** The SDK: everything that a program outside this repository uses, in browsers and in Node. */

export { genesisHashAt, type LedgerStart, readLedgerStart } from '../ledger/ledger-start.ts';
export {
  accountRegister,
  assembleTransaction,
  drawSalt,
  parametersSet,
  type RecordFacts,
  recordAmend,
  recordCreate,
  type SignedTransaction,
  signaturesBy,
  signReadiness,
  signTransaction,
  transactionBody,
  validatorAdd,
  validatorRemove,
  validatorRotate,
} from './build-transaction.ts';
export { followValidators } from './follow-validators.ts';
export {
  type AccountIdentity,
  type AccountSecrets,
  type AccountSigner,
  drawAccountSecrets,
  makeAccount,
} from './keys.ts';
export {
  makeNodeClient,
  type NodeClient,
  type NodeClientDependencies,
  type NodeClientOptions,
  type RecordSearch,
} from './node-client.ts';
export { NodeProblem, NodeResponseError, NodeUnreachable } from './node-error.ts';
export {
  type FetchedRecord,
  openRecordFields,
  openRecordPayload,
  type Reader,
  RecordOpenError,
} from './open-record.ts';
export { type Party, type Recipient, type RecordContent, type SealedRecord, sealRecord } from './seal-record.ts';
export { signRequest, type UnsignedRequest } from './sign-request.ts';
export { type FinalStatus, type SubmitOptions, submitUntilFinal } from './submit-until-final.ts';
export {
  BlockProofError,
  type TrustedFrom,
  type TrustedLedger,
  trustedAfter,
  trustedLedger,
  trustedStart,
  type VerifiedBlock,
  verifyBlock,
} from './verify-block.ts';
