import { decode as decodeItem, encode as encodeItem } from 'cborg';
import { DecodeError } from './decode-error.ts';
import type { Schema } from './schema.ts';

/** Deepest nesting of arrays that any format may use. */
const DEPTH_MAX = 16;

/** The deterministic CBOR encoding (RFC 8949 §4.2.1, arrays only) of `value`. */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  return encodeItem(schema.toItem(value));
}

/**
 * The value that `bytes` encode. Refuses, with a DecodeError, anything over `maxBytes` (before allocating), trailing
 * bytes, non-shortest integers, indefinite lengths, floats, negative numbers, maps, tags, deep nesting, and values
 * outside the schema. So at most one byte string decodes to a given value.
 */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, maxBytes: number): T {
  if (bytes.length > maxBytes) throw new DecodeError(`${bytes.length} bytes, at most ${maxBytes} allowed`);
  checkStructure(bytes);
  let item: unknown;
  try {
    item = decodeItem(bytes, { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false });
  } catch (error) {
    throw new DecodeError(error instanceof Error ? error.message : String(error));
  }
  return schema.fromItem(item, '');
}

/**
 * The encoding of the array that lacks the last element of the array that `encoded` holds: what is signed of a format
 * whose signatures come last. `encoded` must have passed `decode`, with a schema of 1 to 23 elements.
 */
export function withoutLastElement(encoded: Uint8Array): Uint8Array {
  const count = encoded[0]! & 31;
  let position = 1;
  for (let i = 1; i < count; i += 1) position = itemEnd(encoded, position);
  // A copy also of a Buffer, whose own `slice` would share the bytes.
  const rest = Uint8Array.from(encoded.subarray(0, position));
  rest[0] = 0x80 | (count - 1);
  return rest;
}

/** Where the item ends that begins at `start`, in bytes that are known to be well formed. */
function itemEnd(bytes: Uint8Array, start: number): number {
  let position = start;
  for (let remaining = 1; remaining > 0; remaining -= 1) {
    const initial = bytes[position]!;
    const major = initial >> 5;
    const info = initial & 31;
    position += 1;
    if (major === 7) continue;
    const width = info < 24 ? 0 : 1 << (info - 24);
    let argument = width === 0 ? info : 0;
    for (let i = 0; i < width; i += 1) argument = argument * 256 + bytes[position + i]!;
    position += width;
    if (major === 2 || major === 3) position += argument;
    if (major === 4) remaining += argument;
  }
  return position;
}

/** One pass without allocation over the item heads: cborg has no limit on depth and takes floats and maps. */
function checkStructure(bytes: Uint8Array): void {
  const open: number[] = [];
  let position = 0;
  do {
    while (open.length > 0 && open[open.length - 1] === 0) open.pop();
    if (open.length > 0) open[open.length - 1]! -= 1;
    const initial = bytes[position];
    if (initial === undefined) throw new DecodeError('ends within an item');
    position += 1;
    const major = initial >> 5;
    const info = initial & 31;
    if (major === 7) {
      if (info < 20 || info > 22) throw new DecodeError('a float or unknown simple value');
    } else if (major === 1 || major === 5 || major === 6) {
      throw new DecodeError('a negative number, map or tag');
    } else {
      const width = info < 24 ? 0 : info <= 27 ? 1 << (info - 24) : -1;
      if (width < 0) throw new DecodeError('an indefinite or reserved length');
      let argument = info;
      if (width > 0) {
        argument = 0;
        for (let i = 0; i < width; i += 1) argument = argument * 256 + (bytes[position + i] ?? 0);
        position += width;
      }
      if (major === 2 || major === 3) {
        if (argument > bytes.length - position) throw new DecodeError('a string longer than the input');
        if (major === 3 && !isCanonicalText(bytes.subarray(position, position + argument)))
          throw new DecodeError('a text that is not UTF-8 or begins with a byte-order mark');
        position += argument;
      } else if (major === 4) {
        if (argument > bytes.length - position) throw new DecodeError('an array longer than the input');
        open.push(argument);
        if (open.length > DEPTH_MAX) throw new DecodeError(`nested deeper than ${DEPTH_MAX}`);
      }
    }
  } while (open.some((remaining) => remaining > 0));
  if (position !== bytes.length) throw new DecodeError('trailing bytes');
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true });

/** cborg replaces what is no UTF-8 and drops a byte-order mark; then two byte strings would give one value. */
function isCanonicalText(bytes: Uint8Array): boolean {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return false;
  try {
    utf8Decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
