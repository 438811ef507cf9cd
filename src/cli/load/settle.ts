import type { SignedTransaction } from '../../client/build-transaction.ts';
import type { NodeClient } from '../../client/node-client.ts';
import { submitUntilFinal } from '../../client/submit-until-final.ts';
import type { LoadContext } from './context.ts';
import type { LoadEntry } from './load-log-format.ts';

/** A resource's transaction that stands in the load log. */
export interface LoggedTransaction {
  readonly mark: Uint8Array;
  readonly transaction: SignedTransaction;
}

/** How a logged transaction ended: why it never will be applied, or undefined when it was. */
export interface Settled {
  readonly mark: Uint8Array;
  readonly fault: string | undefined;
}

/** Sends logged transactions until each has ended, and writes the ends to the log before it resolves. */
export async function settle(
  { log, patience, sending }: LoadContext,
  node: NodeClient,
  logged: readonly LoggedTransaction[],
): Promise<readonly Settled[]> {
  const statuses = await sending.time(() =>
    submitUntilFinal(
      node,
      logged.map(({ transaction }) => transaction),
      patience.watch('transactions'),
    ),
  );
  patience.advanced();
  const entries: LoadEntry[] = [];
  const settled = logged.map(({ mark }, place): Settled => {
    const status = statuses[place]!;
    if (status.status === 'Committed') {
      entries.push({ kind: 'Committed', mark, height: status.height, index: status.index });
      return { mark, fault: undefined };
    }
    entries.push({ kind: 'Dropped', mark });
    return { mark, fault: status.status === 'Expired' ? 'it expired before a block took it' : status.detail };
  });
  await log.append(entries);
  return settled;
}
