/** One CBOR item of an encoding: where its head, its content and its children lie. */
export interface Span {
  readonly start: number;
  readonly headEnd: number;
  /** After the item with all that it holds. */
  readonly end: number;
  readonly major: number;
  /** Length, count or value. */
  readonly argument: number;
  /** Place in the list of spans of the array that holds this item; −1 for the outermost. */
  readonly parent: number;
}

/** Every item of a canonical encoding in order of its head; undefined when the bytes are none. */
export function spansOf(bytes: Uint8Array): readonly Span[] | undefined {
  const spans: Span[] = [];
  const read = (start: number, parent: number, depth: number): number => {
    const initial = bytes[start];
    if (initial === undefined || depth > 20) return -1;
    const major = initial >> 5;
    const info = initial & 31;
    if (info > 27 || major === 1 || major > 4 + 3 || major === 5 || major === 6) return -1;
    let headEnd = start + 1;
    let argument = info;
    if (info >= 24 && major !== 7) {
      argument = 0;
      for (const width = 2 ** (info - 24); headEnd < start + 1 + width; headEnd += 1)
        argument = argument * 256 + (bytes[headEnd] ?? 0);
    }
    const place = spans.length;
    spans.push({ start, headEnd, end: headEnd, major, argument, parent });
    let end = headEnd;
    if (major === 2 || major === 3) end += argument;
    else if (major === 4)
      for (let i = 0; i < argument; i += 1) {
        end = read(end, place, depth + 1);
        if (end < 0) return -1;
      }
    if (end > bytes.length) return -1;
    spans[place] = { ...spans[place]!, end };
    return end;
  };
  return read(0, -1, 0) === bytes.length ? spans : undefined;
}

/** A head in its shortest form, or in the wider one asked for. */
export function head(major: number, argument: bigint, width?: 1 | 2 | 4 | 8): Uint8Array {
  const shortest = argument < 24n ? 0 : argument < 256n ? 1 : argument < 65536n ? 2 : argument < 2n ** 32n ? 4 : 8;
  const used = width ?? shortest;
  if (used === 0) return Uint8Array.of((major << 5) | Number(argument));
  const bytes = new Uint8Array(1 + used);
  bytes[0] = (major << 5) | (24 + Math.log2(used));
  for (let i = used; i > 0; i -= 1) bytes[i] = Number((argument >> BigInt(8 * (used - i))) & 255n);
  return bytes;
}
