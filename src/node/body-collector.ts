import { equalBytes, toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { isAttachmentOf } from '../ledger/attachment.ts';
import { type DecodedTransaction, decodeTransaction, transactionHash } from '../ledger/transaction.ts';
import type { Mempool } from './mempool.ts';
import { ATTACHMENTS_PER_REQUEST, askEach, type BodyRequests, HASHES_PER_REQUEST } from './requests-by-hash.ts';
import type { TransactionIntake } from './transaction-intake.ts';

/** Where bodies are looked for. */
export interface CollectorDependencies {
  readonly genesisHash: Uint8Array;
  readonly mempool: Mempool;
  readonly intake: Pick<TransactionIntake, 'settled'>;
  readonly requests: BodyRequests;
  /** Most bytes of attachments that a block may declare. */
  readonly attachmentBytesMax: number;
}

/** Transactions in the asked order, and those of their attachments that were found. */
export interface CollectedBodies {
  readonly transactions: readonly DecodedTransaction[];
  readonly attachments: readonly Uint8Array[];
  readonly missingAttachments: number;
}

/** A transaction of a proposal whose bytes are not canonical: no honest primary lists it. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
}

/**
 * Gathers the bodies that a proposal lists: from the pool, from transactions just being admitted, then from members,
 * `first` before others. Undefined when some could not be had before `signal` fired.
 */
export async function collectBodies(
  { genesisHash, mempool, intake, requests, attachmentBytesMax }: CollectorDependencies,
  txHashes: readonly Uint8Array[],
  first: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<CollectedBodies | undefined> {
  const bodies = new Map<string, DecodedTransaction>();
  const attachments = new Map<string, Uint8Array>();
  for (const hash of txHashes) {
    const name = toHex(hash);
    if (mempool.byHash(name) === undefined) await intake.settled(name);
    const pending = mempool.byHash(name);
    if (pending === undefined) continue;
    bodies.set(name, pending.decoded);
    const reference = pending.decoded.transaction.attachment;
    if (reference !== null && pending.attachment !== null) attachments.set(toHex(reference.hash), pending.attachment);
  }
  const peers = inOrder(first, requests.connectedPeers());
  await askEach(peers, HASHES_PER_REQUEST, signal, {
    missing: () => txHashes.filter((hash) => !bodies.has(toHex(hash))),
    ask: (peer, hashes) => requests.requestBodies(peer, hashes, signal),
    take(hash, bytes) {
      if (!equalBytes(transactionHash(bytes), hash)) return false;
      bodies.set(toHex(hash), decodeBody(genesisHash, bytes));
      return true;
    },
  });
  const transactions = txHashes.map((hash) => bodies.get(toHex(hash)));
  if (!transactions.every((transaction) => transaction !== undefined)) return undefined;

  const references = transactions.flatMap(({ transaction }) => transaction.attachment ?? []);
  // Judged before any is fetched (consensus.md §1); that the block is over its cap its execution says.
  const declaredBytes = references.reduce((sum, { bytes }) => sum + bytes, 0);
  if (declaredBytes > attachmentBytesMax) return { transactions, attachments: [], missingAttachments: 0 };
  const byHash = new Map(references.map((reference) => [toHex(reference.hash), reference]));
  await askEach(peers, ATTACHMENTS_PER_REQUEST, signal, {
    missing: () => [...byHash.values()].map(({ hash }) => hash).filter((hash) => !attachments.has(toHex(hash))),
    ask: (peer, hashes) => requests.requestAttachments(peer, hashes, signal),
    take(hash, bytes) {
      const reference = byHash.get(toHex(hash));
      if (reference === undefined || !isAttachmentOf(reference, bytes)) return false;
      attachments.set(toHex(hash), bytes);
      return true;
    },
  });
  const found = [...byHash.keys()].flatMap((name) => attachments.get(name) ?? []);
  return { transactions, attachments: found, missingAttachments: byHash.size - found.length };
}

function decodeBody(genesisHash: Uint8Array, bytes: Uint8Array): DecodedTransaction {
  try {
    return decodeTransaction(genesisHash, bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new MalformedBodyError(error.message);
  }
}

/** `first`, then the others, each once. */
function inOrder(first: readonly Uint8Array[], others: readonly Uint8Array[]): Uint8Array[] {
  const byName = new Map([...first, ...others].map((peer) => [toHex(peer), peer]));
  const connected = new Set(others.map(toHex));
  return [...byName].flatMap(([name, peer]) => (connected.has(name) ? [peer] : []));
}
