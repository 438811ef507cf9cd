import { signingKeyFault } from '../crypto/node/key-admission.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import type { SignatureChecks } from '../ledger/execution.ts';

/** The rule of the ledger, each signature checked anew: for a ledger that is read from disk. */
export const SIGNATURE_CHECKS: SignatureChecks = {
  signingKeyFault,
  isSignatureValid: (preimage, publicKey, signature) => verifySignature(signature, preimage, publicKey),
};
