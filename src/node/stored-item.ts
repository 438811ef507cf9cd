import { DecodeError } from '../codec/decode-error.ts';
import { StorageError } from '../storage/storage-error.ts';

class MissingItemError extends Error {}

/** An item that a sound store has. */
export function present<T>(item: T | undefined, name: string): T {
  if (item === undefined) throw new MissingItemError(`its ${name} are missing`);
  return item;
}

/** The block that a damaged item belongs to; null when it belongs to none alone. */
export function blockNamedBy(error: unknown): number | null {
  const number = error instanceof StorageError ? / of block ([0-9]+)$/.exec(error.item)?.[1] : undefined;
  return number === undefined ? null : Number(number);
}

/** What an error says about the data; undefined when it says nothing about them. */
export function damageText(error: unknown): string | undefined {
  if (error instanceof MissingItemError) return error.message;
  if (error instanceof DecodeError) return `not in the format of the ledger: ${error.message}`;
  if (error instanceof StorageError && (error.code === 'ItemDamaged' || error.code === 'StoreUnreadable'))
    return error.message;
  return undefined;
}
