import { crc32 } from 'node:zlib';
import { concatBytes } from '../codec/bytes.ts';

/**
 * Every key and value of the ledger store, in one place. A key is one prefix byte and what the table says; integers
 * are big-endian, heights and times 8 bytes, so that keys sort by them. Every value but an attachment begins with a
 * CRC-32 (IEEE 802.3) over key ‖ the rest; an attachment is checked against the hash that is its key.
 *
 * | prefix | rest of the key | value after the checksum |
 * |---|---|---|
 * | 0x01 meta | `format` | version u32, genesisHash[32]; this item keeps its layout in every version |
 * | 0x01 meta | `tip` | height u64, block hash[32], transactions u64 |
 * | 0x02 header | height | canonical header |
 * | 0x03 certificate | height | canonical commit certificate |
 * | 0x04 bodies | height | see `encodeBodies`; its checksums cover the table and each transaction by itself |
 * | 0x05 height by hash | block hash[32] | height u64 |
 * | 0x06 location | txId[32] | height u64, index u32 |
 * | 0x07 state | state key | state value |
 * | 0x09 attachment | attachment hash[32] | blind[32] ‖ bytes, without checksum |
 * | 0x0a index pages | height | the block's transaction-index pages |
 * | 0x0b nonce | UTF-8 text | expiresMs u64 |
 * | 0x01 meta | `gaps` | of each range of heights without bodies: from u64, through u64; ascending |
 * | 0x01 meta | `install` | a `tip` as above, gapFrom u64: a snapshot that is being put in place |
 * | 0x0c staged | a key of this table | as under that key: what a snapshot being fetched will put there |
 * | 0x0d validators | validatorsHash[32] | canonical validator list of a set that a block put in force |
 * | 0x0e wanted attachment | attachment hash[32] | empty: a committed block names it, and it is not here yet |
 *
 * Snapshots are files of their own, `snapshots/HEIGHT`: version u32, genesisHash[32], height u64, then the chunks
 * (ledger/state-chunk.ts) one after the other, then for each chunk from[32], depth u16, offset u64, length u32,
 * crc32 u32, then chunk count u32 and the crc32 u32 over head, table and count. `HEIGHT.part` and `HEIGHT.sort` are
 * left over from a crash and are removed.
 *
 * Retired prefixes stay listed here and are never used again: 0x08.
 */
export const PREFIX = {
  meta: 0x01,
  header: 0x02,
  certificate: 0x03,
  bodies: 0x04,
  heightByHash: 0x05,
  location: 0x06,
  state: 0x07,
  attachment: 0x09,
  indexPages: 0x0a,
  nonce: 0x0b,
  staged: 0x0c,
  validators: 0x0d,
  wantedAttachment: 0x0e,
} as const;

/** Version of all the above, checked at opening. */
export const STORE_FORMAT = 2;

/** Longest state key, in bytes. */
export const STATE_KEY_BYTES_MAX = 256;

/** Key of the version of this layout. */
export const FORMAT_KEY: Uint8Array = metaKey('format');
/** Key of the newest committed block and the counters that go with it. */
export const TIP_KEY: Uint8Array = metaKey('tip');
/** Key of the ranges of heights whose bodies are not here. */
export const GAPS_KEY: Uint8Array = metaKey('gaps');
/** Key of the snapshot that is being put in place; gone when it is. */
export const INSTALL_KEY: Uint8Array = metaKey('install');

function metaKey(name: string): Uint8Array {
  return prefixed(PREFIX.meta, new TextEncoder().encode(name));
}

/** prefix ‖ rest. */
export function prefixed(prefix: number, rest: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + rest.length);
  key[0] = prefix;
  key.set(rest, 1);
  return key;
}

/** prefix ‖ height, 9 bytes. */
export function heightKey(prefix: number, height: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = prefix;
  writeU64(viewOf(key), 1, height);
  return key;
}

/** The range of all keys with this prefix. */
export function prefixRange(prefix: number): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
  return { gte: Uint8Array.of(prefix), lt: Uint8Array.of(prefix + 1) };
}

/** checksum ‖ payload, bound to the key it is stored under. */
export function sealValue(key: Uint8Array, payload: Uint8Array): Uint8Array {
  const value = new Uint8Array(4 + payload.length);
  viewOf(value).setUint32(0, crc32(payload, crc32(key)));
  value.set(payload, 4);
  return value;
}

/** The payload of a sealed value, or undefined when it is damaged or belongs under another key. */
export function openValue(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  if (value.length < 4) return undefined;
  const payload = plainBytes(value, 4);
  return viewOf(value).getUint32(0) === crc32(payload, crc32(key)) ? payload : undefined;
}

/** The bytes from `start` on as a Uint8Array over the same memory: level hands out Buffers, which slice otherwise. */
export function plainBytes(value: Uint8Array, start = 0): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset + start, value.byteLength - start);
}

/** The last block that the store holds; height 0 with the genesis hash before the first. */
export interface Tip {
  readonly height: number;
  readonly hash: Uint8Array;
}

/** Version u32 ‖ genesis hash. */
export function encodeFormat(version: number, genesisHash: Uint8Array): Uint8Array {
  const payload = new Uint8Array(4 + genesisHash.length);
  viewOf(payload).setUint32(0, version);
  payload.set(genesisHash, 4);
  return payload;
}

/** Undefined unless the length is right. */
export function decodeFormat(payload: Uint8Array): { version: number; genesisHash: Uint8Array } | undefined {
  if (payload.length !== 36) return undefined;
  return { version: viewOf(payload).getUint32(0), genesisHash: payload.slice(4) };
}

/** What the store remembers about its newest block. */
export interface TipRecord {
  readonly tip: Tip;
  /** Transactions in all blocks up to the tip. */
  readonly transactions: number;
}

/** 48 bytes. */
export function encodeTip({ tip, transactions }: TipRecord): Uint8Array {
  return concatBytes(encodeU64(tip.height), tip.hash, encodeU64(transactions));
}

/** Undefined unless the length is right and the numbers are safe integers. */
export function decodeTip(payload: Uint8Array): TipRecord | undefined {
  if (payload.length !== 48) return undefined;
  const height = safeU64(payload, 0);
  const transactions = safeU64(payload, 40);
  if (height === undefined || transactions === undefined) return undefined;
  return { tip: { height, hash: payload.slice(8, 40) }, transactions };
}

/** Heights from `from` through `through`. */
export interface HeightRange {
  readonly from: number;
  readonly through: number;
}

/** from u64 ‖ through u64 for each. */
export function encodeRanges(ranges: readonly HeightRange[]): Uint8Array {
  return concatBytes(...ranges.flatMap(({ from, through }) => [encodeU64(from), encodeU64(through)]));
}

/** Undefined unless the length is right and the heights are safe integers. */
export function decodeRanges(payload: Uint8Array): readonly HeightRange[] | undefined {
  if (payload.length % 16 !== 0) return undefined;
  const ranges: HeightRange[] = [];
  for (let at = 0; at < payload.length; at += 16) {
    const from = safeU64(payload, at);
    const through = safeU64(payload, at + 8);
    if (from === undefined || through === undefined) return undefined;
    ranges.push({ from, through });
  }
  return ranges;
}

/** What an interrupted installation of a snapshot needs to be completed. */
export interface InstallRecord extends TipRecord {
  /** First of the heights up to the snapshot's whose blocks are not here. */
  readonly gapFrom: number;
}

/** 56 bytes. */
export function encodeInstall(record: InstallRecord): Uint8Array {
  return concatBytes(encodeTip(record), encodeU64(record.gapFrom));
}

/** Undefined unless the length is right and the numbers are safe integers. */
export function decodeInstall(payload: Uint8Array): InstallRecord | undefined {
  const record = payload.length === 56 ? decodeTip(payload.subarray(0, 48)) : undefined;
  const gapFrom = record && safeU64(payload, 48);
  return record === undefined || gapFrom === undefined ? undefined : { ...record, gapFrom };
}

/** Where a transaction stands in the ledger. */
export interface Location {
  readonly height: number;
  readonly index: number;
}

/** Height u64 ‖ index u32. */
export function encodeLocation(location: Location): Uint8Array {
  const payload = new Uint8Array(12);
  const view = viewOf(payload);
  writeU64(view, 0, location.height);
  view.setUint32(8, location.index);
  return payload;
}

/** Undefined unless the length is right and the height is a safe integer. */
export function decodeLocation(payload: Uint8Array): Location | undefined {
  if (payload.length !== 12) return undefined;
  const height = safeU64(payload, 0);
  return height === undefined ? undefined : { height, index: viewOf(payload).getUint32(8) };
}

/** Eight bytes, big-endian. Throws a RangeError on what is no whole number from 0 to 2⁵³ − 1. */
export function encodeU64(value: number): Uint8Array {
  const payload = new Uint8Array(8);
  writeU64(viewOf(payload), 0, value);
  return payload;
}

/** Undefined unless the length is right and the number is a safe integer. */
export function decodeU64(payload: Uint8Array): number | undefined {
  return payload.length === 8 ? safeU64(payload, 0) : undefined;
}

/** A big-endian u64 that is a safe integer. */
export function readU64(bytes: Uint8Array, at: number): number {
  const view = viewOf(bytes);
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

function safeU64(bytes: Uint8Array, at: number): number | undefined {
  const value = readU64(bytes, at);
  return Number.isSafeInteger(value) ? value : undefined;
}

function writeU64(view: DataView, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a height or time`);
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value % 2 ** 32);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
