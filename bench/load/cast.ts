import type { TransactionStatusView } from '../../src/api/contract/schemas.ts';
import {
  accountRegister,
  drawSalt,
  type SignedTransaction,
  signTransaction,
  transactionBody,
} from '../../src/client/build-transaction.ts';
import { type AccountIdentity, drawAccountSecrets, makeAccount } from '../../src/client/keys.ts';
import { makeNodeClient } from '../../src/client/node-client.ts';
import { readAccountKey } from '../../src/crypto/node/keystore.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import type { LoadNode } from './messages.ts';

/** The people of one organisation in the load. */
export interface Ward {
  readonly url: string;
  readonly organisation: AccountIdentity;
  readonly doctor: AccountIdentity;
  readonly patients: readonly AccountIdentity[];
}

/** How long a prepared transaction stays valid; within the ledger's own limit of ten minutes. */
export const VALIDITY_MS = 540_000;

const REGISTRATIONS_PER_REQUEST = 200;
const COMMIT_WAIT_MS = 60_000;

/** Registers one doctor and `patientsPerNode` patients with each node's organisation, and waits for the commits. */
export async function registerCast(
  nodes: readonly LoadNode[],
  genesisHash: Uint8Array,
  patientsPerNode: number,
): Promise<readonly Ward[]> {
  const wards: Ward[] = [];
  for (const { url, keyFile } of nodes) {
    const { signingSeed, sealingSecret } = readAccountKey(keyFile);
    const organisation = makeAccount({ signingSeeds: [signingSeed], sealingSecret }, sodiumSigner);
    const draw = () => makeAccount(drawAccountSecrets(), sodiumSigner);
    const ward = { url, organisation, doctor: draw(), patients: Array.from({ length: patientsPerNode }, draw) };
    await register(ward, genesisHash);
    wards.push(ward);
  }
  return wards;
}

async function register({ url, organisation, doctor, patients }: Ward, genesisHash: Uint8Array): Promise<void> {
  const validUntilMs = Date.now() + VALIDITY_MS;
  const registration = (identity: AccountIdentity, role: 'doctor' | 'patient'): SignedTransaction => {
    const home = { role, organisation: organisation.address, control: { kind: 'self' } } as const;
    const body = transactionBody(accountRegister(identity, home), { validUntilMs, salt: drawSalt(), attachment: null });
    return signTransaction(genesisHash, body, [identity, organisation], null);
  };
  const all = [registration(doctor, 'doctor'), ...patients.map((patient) => registration(patient, 'patient'))];
  const client = makeNodeClient({ url, genesisHash, identity: null });
  for (let first = 0; first < all.length; first += REGISTRATIONS_PER_REQUEST) {
    const outcomes = await client.submit(all.slice(first, first + REGISTRATIONS_PER_REQUEST), COMMIT_WAIT_MS);
    const failed = outcomes.find(({ status }) => status !== 'Committed');
    if (failed !== undefined) throw new Error(`an account was not registered: ${outcomeText(failed)}`);
  }
}

/** An outcome in a word or two: its status, and the code of a rejection. */
export function outcomeText(outcome: TransactionStatusView): string {
  return outcome.status === 'Rejected' ? `Rejected ${outcome.code}` : outcome.status;
}
