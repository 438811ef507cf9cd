import { crc32 } from 'node:zlib';
import { concatBytes, equalBytes, uintBytes, utf8 } from '../codec/bytes.ts';

/**
 * The bytes of a consensus journal (consensus.md §7). Big-endian; every checksum is a CRC-32 (IEEE 802.3) that begins
 * with the salt of the file, so that neither an older file's bytes on a reused disk block nor bytes that a peer chose
 * pass for ours.
 *
 * - file header, 44 bytes: `"mdlgrjnl"`, salt[16], firstSequence u64, syncedLength u64, checksum u32. A file is
 *   written whole up to syncedLength and synced before it gets its name.
 * - group, written by one append and synced as a whole: marker[8], syncedLength u64 (the file's length before the
 *   group, all of it synced), byteLength u32 of the records, recordCount u32, checksum u32; then the records.
 * - record: length u32, sequence u64 (counting on from firstSequence by one), checksum u32 over both and the payload;
 *   payload.
 */
export const JOURNAL_HEADER_BYTES = 44;
/** Lengths in bytes: of the salt of a file, and of the heads of groups and records. */
export const JOURNAL_SALT_BYTES = 16;
export const GROUP_HEADER_BYTES = 28;
export const RECORD_HEADER_BYTES = 16;

const FILE_MAGIC = utf8('mdlgrjnl');
const GROUP_MARKER = Uint8Array.of(0xf7, 0x4d, 0x47, 0x52, 0x50, 0x01, 0x9d, 0xc3);

/** What tells the parts of one file from those of any other. */
export interface JournalIdentity {
  readonly salt: Uint8Array;
  /** Sequence of the first record in the file. */
  readonly firstSequence: number;
}

/** A whole new file: header and one group of `records`. */
export function encodeJournalFile(identity: JournalIdentity, records: readonly Uint8Array[]): Uint8Array {
  const group = encodeGroup(identity.salt, JOURNAL_HEADER_BYTES, identity.firstSequence, records);
  const fields = concatBytes(
    FILE_MAGIC,
    identity.salt,
    uintBytes(identity.firstSequence, 8),
    uintBytes(JOURNAL_HEADER_BYTES + group.length, 8),
  );
  return concatBytes(fields, uintBytes(crc32(fields), 4), group);
}

/** One group that begins at `syncedLength`, its first record numbered `sequence`. */
export function encodeGroup(
  salt: Uint8Array,
  syncedLength: number,
  sequence: number,
  records: readonly Uint8Array[],
): Uint8Array {
  const byteLength = records.reduce((sum, record) => sum + RECORD_HEADER_BYTES + record.length, 0);
  const fields = concatBytes(
    GROUP_MARKER,
    uintBytes(syncedLength, 8),
    uintBytes(byteLength, 4),
    uintBytes(records.length, 4),
  );
  const parts = [fields, uintBytes(crc32(fields, crc32(salt)), 4)];
  records.forEach((record, i) => {
    const head = concatBytes(uintBytes(record.length, 4), uintBytes(sequence + i, 8));
    parts.push(head, uintBytes(crc32(record, crc32(head, crc32(salt))), 4), record);
  });
  return concatBytes(...parts);
}

/** What the bytes of a journal file say. */
export type JournalContent =
  | {
      readonly kind: 'read';
      readonly identity: JournalIdentity;
      readonly records: readonly Uint8Array[];
      readonly nextSequence: number;
      /** Bytes that count; what follows is the torn tail. */
      readonly length: number;
    }
  /** `item` names the part that had been synced and is wrong now. */
  | { readonly kind: 'damaged'; readonly item: string };

/**
 * Reads a whole file. A last group that is incomplete, zeros or wrong anywhere was never acknowledged and is left
 * out as a whole; what is wrong before it is damage, for a group is only begun once all before it is synced.
 */
export function decodeJournal(bytes: Uint8Array): JournalContent {
  const header = readFileHeader(bytes);
  if (header === undefined) return { kind: 'damaged', item: 'file header' };
  const { identity, syncedLength } = header;
  if (bytes.length < syncedLength)
    return { kind: 'damaged', item: `end: ${syncedLength - bytes.length} bytes are gone` };
  const records: Uint8Array[] = [];
  let sequence = identity.firstSequence;
  let position = JOURNAL_HEADER_BYTES;
  while (position < bytes.length) {
    const group = readGroup(bytes, position, identity.salt, sequence);
    if (group.kind === 'wrong') {
      const wasSynced =
        position < syncedLength ||
        (group.end !== undefined && bytes.length > group.end) ||
        hasGroupAfter(bytes, position, identity.salt);
      if (wasSynced) return { kind: 'damaged', item: group.item };
      break;
    }
    records.push(...group.records);
    sequence += group.records.length;
    position = group.end;
  }
  return { kind: 'read', identity, records, nextSequence: sequence, length: position };
}

function readFileHeader(bytes: Uint8Array): { identity: JournalIdentity; syncedLength: number } | undefined {
  if (bytes.length < JOURNAL_HEADER_BYTES) return undefined;
  if (!equalBytes(bytes.subarray(0, FILE_MAGIC.length), FILE_MAGIC)) return undefined;
  if (readUint(bytes, 40, 4) !== crc32(bytes.subarray(0, 40))) return undefined;
  const salt = bytes.slice(8, 8 + JOURNAL_SALT_BYTES);
  return { identity: { salt, firstSequence: readUint(bytes, 24, 8) }, syncedLength: readUint(bytes, 32, 8) };
}

type ReadGroup =
  | { readonly kind: 'whole'; readonly records: readonly Uint8Array[]; readonly end: number }
  /** `end` is where the group ends, when its own header is right. */
  | { readonly kind: 'wrong'; readonly item: string; readonly end: number | undefined };

function readGroup(bytes: Uint8Array, start: number, salt: Uint8Array, firstSequence: number): ReadGroup {
  const header = readGroupHeader(bytes, start, salt);
  if (header === undefined)
    return { kind: 'wrong', item: `group at byte ${start}, before record ${firstSequence}`, end: undefined };
  const { end, recordCount } = header;
  const records: Uint8Array[] = [];
  let position = start + GROUP_HEADER_BYTES;
  for (let sequence = firstSequence; records.length < recordCount; sequence += 1) {
    const record = end > bytes.length ? undefined : readRecord(bytes, position, end, salt, sequence);
    if (record === undefined) return { kind: 'wrong', item: `record ${sequence} at byte ${position}`, end };
    records.push(record);
    position += RECORD_HEADER_BYTES + record.length;
  }
  if (position !== end) return { kind: 'wrong', item: `group at byte ${start}`, end };
  return { kind: 'whole', records, end };
}

function readGroupHeader(
  bytes: Uint8Array,
  start: number,
  salt: Uint8Array,
): { readonly end: number; readonly recordCount: number } | undefined {
  if (start + GROUP_HEADER_BYTES > bytes.length) return undefined;
  const fields = bytes.subarray(start, start + GROUP_HEADER_BYTES - 4);
  if (!equalBytes(fields.subarray(0, GROUP_MARKER.length), GROUP_MARKER)) return undefined;
  if (readUint(bytes, start + GROUP_HEADER_BYTES - 4, 4) !== crc32(fields, crc32(salt))) return undefined;
  if (readUint(fields, 8, 8) !== start) return undefined;
  return { end: start + GROUP_HEADER_BYTES + readUint(fields, 16, 4), recordCount: readUint(fields, 20, 4) };
}

function readRecord(
  bytes: Uint8Array,
  start: number,
  groupEnd: number,
  salt: Uint8Array,
  sequence: number,
): Uint8Array | undefined {
  const payloadStart = start + RECORD_HEADER_BYTES;
  if (payloadStart > groupEnd) return undefined;
  const length = readUint(bytes, start, 4);
  if (payloadStart + length > groupEnd || readUint(bytes, start + 4, 8) !== sequence) return undefined;
  const head = bytes.subarray(start, start + 12);
  // A copy: the records outlive the file's bytes.
  const payload = bytes.slice(payloadStart, payloadStart + length);
  return readUint(bytes, start + 12, 4) === crc32(payload, crc32(head, crc32(salt))) ? payload : undefined;
}

/** True when some group header stands after `position`: all before it was synced when it was written. */
function hasGroupAfter(bytes: Uint8Array, position: number, salt: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = position; ; ) {
    at = buffer.indexOf(GROUP_MARKER, at + 1);
    if (at < 0) return false;
    if (readGroupHeader(bytes, at, salt) !== undefined) return true;
  }
}

function readUint(bytes: Uint8Array, at: number, width: 4 | 8): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, width);
  return width === 4 ? view.getUint32(0) : view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}
