import type { NodeClient } from '../../client/node-client.ts';
import { equalBytes } from '../../codec/bytes.ts';
import { formatAddress } from '../../crypto/address.ts';
import { OperatorError } from '../../node/operator-error.ts';
import { connect, type Ledger, readLedger } from '../connect.ts';
import type { Holder } from '../key-folder.ts';
import type { Patience } from '../patience.ts';

/** Which node takes what is sent for a hospital. */
export interface HospitalNodes {
  /** A client of the hospital's own node, or of the first node named, that signs as the hospital. */
  of(organisation: Holder): NodeClient;
  /** A client for what is signed already, whoever it is for. */
  readonly any: NodeClient;
}

/** Asks each node whose it is. Throws an OperatorError when one is of another ledger. */
export async function connectNodes(
  urls: readonly string[],
  ledger: Ledger,
  patience: Patience,
): Promise<HospitalNodes> {
  const [first] = urls;
  if (first === undefined) throw new OperatorError('Name a node with --node, such as http://127.0.0.1:7100.');
  const urlOf = new Map<string, string>();
  for (const url of urls) {
    const found = url === first ? ledger : await patience.untilAnswered(() => readLedger(url, undefined));
    if (!equalBytes(found.genesisHash, ledger.genesisHash))
      throw new OperatorError(`${url} and ${first} are nodes of different ledgers: name those of one.`);
    const client = connect(url, ledger, null);
    const { organisation } = await patience.untilAnswered((signal) => client.status(signal));
    if (!urlOf.has(organisation.address)) urlOf.set(organisation.address, url);
  }
  return {
    any: connect(first, ledger, null),
    of({ identity }) {
      return connect(urlOf.get(formatAddress(identity.address)) ?? first, ledger, identity);
    },
  };
}
