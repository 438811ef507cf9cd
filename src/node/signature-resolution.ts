import { equalBytes } from '../codec/bytes.ts';
import type { SignatureCheck } from '../crypto/node/signature-batch.ts';
import { accountAddress } from '../ledger/account.ts';
import type { DecodedTransaction } from '../ledger/transaction.ts';
import type { Chain } from './chain.ts';

/**
 * The signatures of a transaction with the keys that they name in the state at the head, or in the key document that
 * the transaction itself registers. Those of unknown accounts or keys are left out: execution judges them.
 */
export function resolveSignatures(chain: Chain, { transaction, preimage }: DecodedTransaction): SignatureCheck[] {
  const { action, signatures } = transaction;
  const registered = action.kind === 'account.register' ? action.keyDocument : undefined;
  const registeredAddress = registered === undefined ? undefined : accountAddress(registered);
  return signatures.flatMap(({ account, keyIndex, bytes }) => {
    const isNew = registeredAddress !== undefined && equalBytes(account, registeredAddress);
    const document = isNew ? registered : chain.account(account)?.keyDocument;
    const publicKey = document?.keys[keyIndex]?.publicKey;
    return publicKey === undefined ? [] : [{ signature: bytes, message: preimage, publicKey }];
  });
}
