import { crc32 } from 'node:zlib';

const ENTRY_BYTES = 8;

/**
 * All transactions of a block as one stored value:
 * `crc32(key ‖ count ‖ table) u32 ‖ count u32 ‖ count × {end u32, crc32 u32} ‖ bytes`, big-endian; `end` is where a
 * transaction ends in `bytes`, its checksum covers it alone. One transaction is so cut out and checked without
 * reading over the others.
 */
export function encodeBodies(key: Uint8Array, transactions: readonly Uint8Array[]): Uint8Array {
  const tableEnd = 8 + transactions.length * ENTRY_BYTES;
  const value = new Uint8Array(transactions.reduce((sum, transaction) => sum + transaction.length, tableEnd));
  const view = new DataView(value.buffer);
  view.setUint32(4, transactions.length);
  let end = 0;
  transactions.forEach((transaction, i) => {
    value.set(transaction, tableEnd + end);
    end += transaction.length;
    view.setUint32(8 + i * ENTRY_BYTES, end);
    view.setUint32(12 + i * ENTRY_BYTES, crc32(transaction));
  });
  view.setUint32(0, crc32(value.subarray(4, tableEnd), crc32(key)));
  return value;
}

/** The transaction at `index`; 'absent' when the block has fewer, 'damaged' when a checksum or length is wrong. */
export function bodyAt(key: Uint8Array, value: Uint8Array, index: number): Uint8Array | 'absent' | 'damaged' {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const count = bodyCount(key, value, view);
  if (count === undefined) return 'damaged';
  return index < count ? cutBody(value, view, count, index) : 'absent';
}

/** All transactions in order, or 'damaged' when any checksum or length is wrong. */
export function decodeBodies(key: Uint8Array, value: Uint8Array): readonly Uint8Array[] | 'damaged' {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const count = bodyCount(key, value, view);
  if (count === undefined) return 'damaged';
  const transactions: Uint8Array[] = [];
  let length = 8 + count * ENTRY_BYTES;
  for (let index = 0; index < count; index += 1) {
    const transaction = cutBody(value, view, count, index);
    if (transaction === 'damaged') return 'damaged';
    transactions.push(transaction);
    length += transaction.length;
  }
  return length === value.length ? transactions : 'damaged';
}

/** Undefined when the table is damaged. */
function bodyCount(key: Uint8Array, value: Uint8Array, view: DataView): number | undefined {
  if (value.length < 8) return undefined;
  const count = view.getUint32(4);
  const tableEnd = 8 + count * ENTRY_BYTES;
  if (value.length < tableEnd) return undefined;
  return view.getUint32(0) === crc32(value.subarray(4, tableEnd), crc32(key)) ? count : undefined;
}

function cutBody(value: Uint8Array, view: DataView, count: number, index: number): Uint8Array | 'damaged' {
  const base = 8 + count * ENTRY_BYTES;
  const at = 8 + index * ENTRY_BYTES;
  const start = index === 0 ? 0 : view.getUint32(at - ENTRY_BYTES);
  const end = view.getUint32(at);
  if (end < start || base + end > value.length) return 'damaged';
  const transaction = value.subarray(base + start, base + end);
  return crc32(transaction) === view.getUint32(at + 4) ? transaction : 'damaged';
}
