import { equalBytes } from '../codec/bytes.ts';
import type { SignatureCheck } from '../crypto/node/signature-batch.ts';
import { type Account, accountAddress } from '../ledger/account.ts';
import type { DecodedTransaction } from '../ledger/transaction.ts';

/**
 * The signatures of a transaction with the keys that they name in the state at the head, or in the key document that
 * the transaction itself registers. Those of unknown accounts or keys are left out: execution judges them.
 */
export function resolveSignatures(
  accountAt: (address: Uint8Array) => Account | undefined,
  { transaction, preimage }: DecodedTransaction,
): SignatureCheck[] {
  const { action, signatures } = transaction;
  const registered = action.kind === 'account.register' ? action.keyDocument : undefined;
  const registeredAddress = registered === undefined ? undefined : accountAddress(registered);
  return signatures.flatMap(({ account, keyIndex, bytes }) => {
    const isNew = registeredAddress !== undefined && equalBytes(account, registeredAddress);
    const document = isNew ? registered : accountAt(account)?.keyDocument;
    const publicKey = document?.keys[keyIndex]?.publicKey;
    return publicKey === undefined ? [] : [{ signature: bytes, message: preimage, publicKey }];
  });
}
