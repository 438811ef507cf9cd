import { Value } from 'typebox/value';
import { genesisSchema } from '../api/contract/schemas.ts';
import { fromBase64url } from '../api/contract/text.ts';
import type { AccountIdentity } from '../client/keys.ts';
import { makeNodeClient, type NodeClient } from '../client/node-client.ts';
import { NodeProblem, NodeResponseError, problemOf, throwUnreachable } from '../client/node-error.ts';
import { equalBytes, toHex } from '../codec/bytes.ts';
import type { GenesisDocument } from '../ledger/genesis.ts';
import { type LedgerStart, ledgerLine, readLedgerStart } from '../ledger/ledger-start.ts';
import { OperatorError } from '../node/operator-error.ts';

/** A ledger as its genesis describes it. */
export interface Ledger {
  readonly genesisHash: Uint8Array;
  /** The genesis that it all began with. */
  readonly genesis: GenesisDocument;
  /** Where it starts, and what it goes on from if it was restarted. */
  readonly start: LedgerStart;
}

const ANSWER_MS_MAX = 10_000;

/**
 * The ledger of the node at `url`. Where the genesis document is known already, the node has to be of that ledger;
 * otherwise the node is believed. Throws an OperatorError when it is another, or the URL is none.
 */
export async function readLedger(url: string, known: Uint8Array | undefined): Promise<Ledger> {
  const start = readLedgerStart(await fetchGenesis(nodeUrl(url)));
  const { genesisHash, founding: genesis } = start;
  const expected = known && readLedgerStart(known).genesisHash;
  if (expected === undefined || equalBytes(expected, genesisHash)) return { genesisHash, genesis, start };
  const isRestarted = ledgerLine(start).some((earlier) => equalBytes(earlier.genesisHash, expected));
  throw new OperatorError(
    `${url} is a node of the ledger ${toHex(genesisHash)}, the keys belong to ${toHex(expected)}: ` +
      (isRestarted
        ? 'it says that this one was restarted. If your organisation knows of it, put the restart file that it signed ' +
          'in place of genesis.cbor in the key folder.'
        : 'name another node with --node, or other keys with --keys.'),
  );
}

/** A client of the node at `url` that signs as `identity`, or not at all. */
export function connect(url: string, ledger: Ledger, identity: AccountIdentity | null): NodeClient {
  return makeNodeClient({ url: nodeUrl(url).href, genesisHash: ledger.genesisHash, identity });
}

function nodeUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new OperatorError(`${text} is no URL of a node: write it as http://127.0.0.1:7100.`);
}

/** Unlike the SDK's client, which names the ledger in every request, this asks which one it is. */
async function fetchGenesis(base: URL): Promise<Uint8Array> {
  const url = new URL('/v1/genesis', base);
  const controller = new AbortController();
  // Not AbortSignal.timeout: under fetch, its timer keeps the process alive until it is over.
  const timer = setTimeout(() => controller.abort(new Error('no answer in time')), ANSWER_MS_MAX);
  let view: unknown;
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw await problemOf(response);
    view = await response.json();
  } catch (error) {
    if (error instanceof NodeProblem || error instanceof NodeResponseError) throw error;
    throwUnreachable(url, error, undefined);
  } finally {
    clearTimeout(timer);
  }
  if (!Value.Check(genesisSchema, view)) throw new NodeResponseError('it is not in the form of the contract');
  return fromBase64url(view.document);
}
