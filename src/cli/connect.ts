import { Value } from 'typebox/value';
import { genesisSchema } from '../api/contract/schemas.ts';
import { fromBase64url } from '../api/contract/text.ts';
import type { AccountIdentity } from '../client/keys.ts';
import { makeNodeClient, type NodeClient } from '../client/node-client.ts';
import { NodeProblem, NodeResponseError, NodeUnreachable, problemOf, throwUnreachable } from '../client/node-error.ts';
import { equalBytes, toHex } from '../codec/bytes.ts';
import type { GenesisDocument } from '../ledger/genesis.ts';
import { type LedgerStart, ledgerLine, readLedgerStart } from '../ledger/ledger-start.ts';
import { OperatorError } from '../node/operator-error.ts';

/** A ledger as its genesis describes it, and what of its parameters clients go by. */
export interface Ledger {
  readonly genesisHash: Uint8Array;
  /** The genesis that it all began with. */
  readonly genesis: GenesisDocument;
  /** Where it starts, and what it goes on from if it was restarted. */
  readonly start: LedgerStart;
  /** How far ahead a transaction may be valid, now and after a change that is in flight. */
  readonly maxValidityMs: number;
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
  if (expected !== undefined && !equalBytes(expected, genesisHash)) throw otherLedger(url, start, expected);
  const { current, scheduled } = await answered(nodeUrl(url), (signal) =>
    clientOf(url, genesisHash, null).parameters(signal),
  );
  const maxValidityMs = Math.min(current.maxValidityMs, (scheduled ?? current).maxValidityMs);
  return { genesisHash, genesis, start, maxValidityMs };
}

function otherLedger(url: string, start: LedgerStart, expected: Uint8Array): OperatorError {
  const isRestarted = ledgerLine(start).some((earlier) => equalBytes(earlier.genesisHash, expected));
  return new OperatorError(
    `${url} is a node of the ledger ${toHex(start.genesisHash)}, the keys belong to ${toHex(expected)}: ` +
      (isRestarted
        ? 'it says that this one was restarted. If your organisation knows of it, put the restart file that it signed ' +
          'in place of genesis.cbor in the key folder.'
        : 'name another node with --node, or other keys with --keys.'),
  );
}

/** A client of the node at `url` that signs as `identity`, or not at all. */
export function connect(url: string, ledger: Ledger, identity: AccountIdentity | null): NodeClient {
  return clientOf(url, ledger.genesisHash, identity);
}

function clientOf(url: string, hash: Uint8Array, identity: AccountIdentity | null): NodeClient {
  return makeNodeClient({ url: nodeUrl(url).href, genesisHash: hash, identity });
}

function nodeUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new OperatorError(`${text} is no URL of a node: write it as http://127.0.0.1:7100.`);
}

/** Unlike the SDK's client, which names the ledger in every request, this asks which one it is. */
async function fetchGenesis(base: URL): Promise<Uint8Array> {
  const url = new URL('/v1/genesis', base);
  let view: unknown;
  try {
    view = await answered(base, async (signal) => {
      const response = await fetch(url, { signal });
      if (!response.ok) throw await problemOf(response);
      return response.json();
    });
  } catch (error) {
    if (error instanceof NodeProblem || error instanceof NodeResponseError || error instanceof NodeUnreachable)
      throw error;
    throwUnreachable(url, error, undefined);
  }
  if (!Value.Check(genesisSchema, view)) throw new NodeResponseError('it is not in the form of the contract');
  return fromBase64url(view.document);
}

/** Asks, and gives up when no answer comes in time. */
async function answered<T>(base: URL, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Not AbortSignal.timeout: under fetch, its timer keeps the process alive until it is over.
  const timer = setTimeout(() => controller.abort(new Error('no answer in time')), ANSWER_MS_MAX);
  try {
    return await ask(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) throwUnreachable(base, error, undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
