import { concatBytes, uintBytes } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { bytesUpTo, struct, uint } from '../codec/schema.ts';
import { fromBinaryString, toBinaryString } from './binary-string.ts';
import type { DecodedTransaction } from './transaction.ts';

/** Ids of transactions that one block applied: the entry that keeps each of them from being applied again. */
export interface RecentIdPage {
  /** The latest validUntilMs among them; the first block later than that removes the page. */
  readonly validUntilMs: number;
  /** 32 bytes each, in the order of the block. */
  readonly txIds: Uint8Array;
}

const TX_ID_BYTES = 32;
/** Most ids of one page: an entry of the state stays well below what a chunk of a snapshot can carry. */
export const RECENT_IDS_PER_PAGE = 1_024;
/** Most bytes of an encoded page. */
export const RECENT_ID_PAGE_BYTES_MAX = RECENT_IDS_PER_PAGE * TX_ID_BYTES + 16;

/** Wire form of a page. */
export const recentIdPageSchema = struct<RecentIdPage>({
  validUntilMs: uint(),
  txIds: bytesUpTo(RECENT_IDS_PER_PAGE * TX_ID_BYTES),
});

/** The pages that a block adds to the state, each with its key: height u64be ‖ number u16be. */
export function recentIdPages(
  height: number,
  transactions: readonly DecodedTransaction[],
): readonly { readonly key: Uint8Array; readonly page: RecentIdPage }[] {
  const pages: { key: Uint8Array; page: RecentIdPage }[] = [];
  for (let from = 0; from < transactions.length; from += RECENT_IDS_PER_PAGE) {
    const some = transactions.slice(from, from + RECENT_IDS_PER_PAGE);
    const validUntilMs = some.reduce((latest, { transaction }) => Math.max(latest, transaction.validUntilMs), 0);
    const txIds = concatBytes(...some.map(({ txId }) => txId));
    pages.push({ key: concatBytes(uintBytes(height, 8), uintBytes(pages.length, 2)), page: { validUntilMs, txIds } });
  }
  return pages;
}

/** What the pages of a state say, by id: the index behind `StateReader`, derived from its entries and no part of it. */
export class RecentIds {
  readonly #ids = new Set<string>();
  /** By the name of the page's state key. */
  readonly #pages = new Map<string, RecentIdPage>();

  /** Follows a change of the family `recentIds`; a page that is undefined is removed. Throws a DecodeError on a part of an id. */
  set(name: string, page: RecentIdPage | undefined): void {
    const before = this.#pages.get(name);
    if (before !== undefined) for (const id of idsOf(before)) this.#ids.delete(id);
    if (page === undefined) {
      this.#pages.delete(name);
      return;
    }
    for (const id of idsOf(page)) this.#ids.add(id);
    this.#pages.set(name, page);
  }

  has(txId: Uint8Array): boolean {
    return this.#ids.has(toBinaryString(txId));
  }

  /** Keys of the pages whose validUntilMs < `timestampMs`. */
  pagesExpiredBefore(timestampMs: number): readonly Uint8Array[] {
    const expired: Uint8Array[] = [];
    for (const [name, { validUntilMs }] of this.#pages)
      if (validUntilMs < timestampMs) expired.push(fromBinaryString(name).subarray(1));
    return expired;
  }
}

function* idsOf({ txIds }: RecentIdPage): Generator<string> {
  if (txIds.length % TX_ID_BYTES !== 0) throw new DecodeError(`${txIds.length} bytes are no list of transaction ids`);
  for (let at = 0; at < txIds.length; at += TX_ID_BYTES) yield toBinaryString(txIds.subarray(at, at + TX_ID_BYTES));
}
