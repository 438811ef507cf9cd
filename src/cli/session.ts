import type { SignedTransaction } from '../client/build-transaction.ts';
import type { NodeClient } from '../client/node-client.ts';
import { type FinalStatus, submitUntilFinal } from '../client/submit-until-final.ts';
import { OperatorError } from '../node/operator-error.ts';
import { connect, type Ledger, readLedger } from './connect.ts';
import { type Holder, type KeyFolder, openKeyFolder } from './key-folder.ts';
import { Patience } from './patience.ts';

/** One account at one node. */
export interface Session {
  readonly ledger: Ledger;
  readonly keys: KeyFolder;
  readonly holder: Holder;
  readonly client: NodeClient;
}

/** What every command takes that acts as somebody. */
export interface SessionFlags {
  readonly node: string;
  readonly keys: string;
  readonly as: string;
}

const PATIENCE_MS = 60_000;
const VALIDITY_SHARE = 0.9;

/** Opens the key folder, and connects to the node as the account that `--as` names. */
export async function openSession({ node, keys: folder, as }: SessionFlags): Promise<Session> {
  const keys = openKeyFolder(folder);
  const holder = keys.holder(as);
  const ledger = await readLedger(node, keys.genesisDocument);
  return { ledger, keys, holder, client: connect(node, ledger, holder.identity) };
}

/** Last block time for a transaction that is signed now. */
export function validUntilMs({ maxValidityMs }: Ledger): number {
  return Date.now() + Math.floor(VALIDITY_SHARE * maxValidityMs);
}

/** Sends one transaction, with `before` done first, until it has ended; rejects when the node stands still too long. */
export async function send(
  client: NodeClient,
  transaction: SignedTransaction,
  before: (signal: AbortSignal) => Promise<void> = async () => undefined,
): Promise<FinalStatus> {
  const patience = new Patience(PATIENCE_MS, 'See its log; what was sent may still be committed.');
  try {
    await patience.untilAnswered(before);
    const [status] = await submitUntilFinal(client, [transaction], patience.watch('transactions'));
    return status!;
  } finally {
    patience.close();
  }
}

/** Where the transaction was committed. Throws an OperatorError when it was not. */
export function committedAt(status: FinalStatus): { readonly height: number; readonly index: number } {
  if (status.status === 'Committed') return { height: status.height, index: status.index };
  if (status.status === 'Expired')
    throw new OperatorError('The transaction expired before a block took it: try again.');
  throw new OperatorError(`The ledger refused the transaction: ${status.code}, ${status.detail}`);
}
