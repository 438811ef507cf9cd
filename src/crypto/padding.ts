/** Bytes of the length prefix that a padded plaintext begins with. */
const LENGTH_PREFIX_BYTES = 8;

/**
 * The Padmé size for `length` bytes (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", 2019, §4): reveals O(log log length) bits of the true length for at most 12 % more bytes.
 */
export function padmeSize(length: number): number {
  if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`${length} is no length`);
  if (length < 2) return length;
  const exponent = floorLog2(length);
  const step = 2 ** (exponent - floorLog2(exponent) - 1);
  return Math.ceil(length / step) * step;
}

/** Size of a plaintext of `length` bytes once prefixed and padded. */
export function paddedSize(length: number): number {
  return padmeSize(LENGTH_PREFIX_BYTES + length);
}

/**
 * The bytes from `start` to `end` of the padded form of `plaintext`: its length as u64 big endian, itself, then zeros
 * up to the Padmé size. In parts, so that a large plaintext is not copied whole first.
 */
export function paddedSlice(plaintext: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const slice = new Uint8Array(end - start);
  if (start < LENGTH_PREFIX_BYTES) {
    const prefix = new Uint8Array(LENGTH_PREFIX_BYTES);
    new DataView(prefix.buffer).setBigUint64(0, BigInt(plaintext.length));
    slice.set(prefix.subarray(start, Math.min(end, LENGTH_PREFIX_BYTES)));
  }
  const from = Math.max(0, start - LENGTH_PREFIX_BYTES);
  const to = Math.max(from, end - LENGTH_PREFIX_BYTES);
  slice.set(plaintext.subarray(from, to), Math.min(slice.length, Math.max(0, LENGTH_PREFIX_BYTES - start)));
  return slice;
}

/**
 * The plaintext inside a padded form, as a view into it; undefined when it is not exactly what `paddedSlice` makes:
 * a wrong size for its length, or padding that is not zero.
 */
export function unpadded(padded: Uint8Array): Uint8Array | undefined {
  if (padded.length < LENGTH_PREFIX_BYTES) return undefined;
  const length = new DataView(padded.buffer, padded.byteOffset).getBigUint64(0);
  if (length > BigInt(padded.length - LENGTH_PREFIX_BYTES)) return undefined;
  const end = LENGTH_PREFIX_BYTES + Number(length);
  if (padmeSize(end) !== padded.length) return undefined;
  for (let i = end; i < padded.length; i += 1) if (padded[i] !== 0) return undefined;
  return padded.subarray(LENGTH_PREFIX_BYTES, end);
}

function floorLog2(value: number): number {
  let exponent = 0;
  for (let rest = value; rest >= 2; rest = Math.floor(rest / 2)) exponent += 1;
  return exponent;
}
