import {
  accountRegister,
  drawSalt,
  type SignedTransaction,
  signTransaction,
  transactionBody,
} from '../client/build-transaction.ts';
import type { FinalStatus } from '../client/submit-until-final.ts';
import type { Holder } from './key-folder.ts';

/** The transaction that registers an account at its organisation, signed by the organisation and the account's key. */
export function signRegistration(
  genesisHash: Uint8Array,
  account: Holder,
  organisation: Holder,
  validUntilMs: number,
): SignedTransaction {
  const action = accountRegister(account.identity, {
    role: account.role,
    organisation: organisation.identity.address,
    control: { kind: 'self' },
  });
  const body = transactionBody(action, { validUntilMs, salt: drawSalt(), attachment: null });
  return signTransaction(genesisHash, body, [account.identity, organisation.identity], null);
}

/** True when the account is on the ledger now, by this transaction or one before. */
export function isRegistered(status: FinalStatus): boolean {
  return status.status === 'Committed' || (status.status === 'Rejected' && status.code === 'accountExists');
}
