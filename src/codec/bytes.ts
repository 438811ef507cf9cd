/** Byte-array primitives shared by every folder: hex, comparison, concatenation. */

const HEX_DIGITS = '0123456789abcdef';
/** Character codes of the first and the second digit of each byte. */
const FIRST_DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => HEX_DIGITS.charCodeAt(byte >> 4));
const SECOND_DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => HEX_DIGITS.charCodeAt(byte & 15));
/** Bytes turned into text at once: engines limit the arguments of a call. */
const HEX_PIECE_BYTES = 4096;

/** Lower-case hexadecimal of `bytes`, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > HEX_PIECE_BYTES)
    return toHex(bytes.subarray(0, HEX_PIECE_BYTES)) + toHex(bytes.subarray(HEX_PIECE_BYTES));
  // One call for all digits: a text put together digit by digit is a chain of pieces, flattened at its first use.
  const codes = new Array<number>(2 * bytes.length);
  for (let i = 0; i < bytes.length; i += 1) {
    codes[2 * i] = FIRST_DIGIT[bytes[i]!]!;
    codes[2 * i + 1] = SECOND_DIGIT[bytes[i]!]!;
  }
  return String.fromCharCode.apply(null, codes);
}

/** The bytes of a hexadecimal text. Throws a RangeError on odd length or a character that is no hex digit. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError('not a hexadecimal text');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Bytewise order: negative, zero or positive; a proper prefix sorts first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** True when both hold the same bytes. Not constant-time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** One array with the bytes of all parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Big-endian unsigned integer of `width` bytes. Throws a RangeError if it does not fit. */
export function uintBytes(value: number, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let rest = value;
  for (let i = width - 1; i >= 0; i -= 1) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (rest !== 0 || value < 0 || !Number.isSafeInteger(value))
    throw new RangeError(`${value} does not fit ${width} bytes`);
  return bytes;
}

const utf8Encoder = new TextEncoder();

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}
