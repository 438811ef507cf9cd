import {
  drawSalt,
  recordCreate,
  type SignedTransaction,
  signTransaction,
  transactionBody,
} from '../../src/client/build-transaction.ts';
import { drawAccountSecrets, makeAccount } from '../../src/client/keys.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { payloadDag } from '../../src/crypto/payload-cid.ts';

const ATTACHMENT_BYTES = 4_096;
const VALIDITY_MS = 540_000;
const YEAR_MS = 31_557_600_000;

/**
 * Makes transactions of people whom the ledger does not know: correctly signed, each with an attachment of its own, and
 * none of it applies. No two are alike.
 */
export function strangersTransactions(genesisHash: Uint8Array): () => Promise<SignedTransaction> {
  const draw = () => makeAccount(drawAccountSecrets(), sodiumSigner);
  const [doctor, organisation, patient] = [draw(), draw(), draw()];
  return async () => {
    const { cid } = await payloadDag([random(32)]);
    const attachment = random(ATTACHMENT_BYTES);
    const action = recordCreate({
      author: doctor.address,
      organisation: organisation.address,
      patient: patient.address,
      class: 1,
      retainUntilMs: Date.now() + YEAR_MS,
      payload: { cid, bytes: ATTACHMENT_BYTES, keyCommitment: random(32) },
    });
    const body = transactionBody(action, { validUntilMs: Date.now() + VALIDITY_MS, salt: drawSalt(), attachment });
    return signTransaction(genesisHash, body, [doctor, organisation], attachment);
  };
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
