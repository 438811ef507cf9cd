/**
 * Bytes as a text of one character per byte: a compact immutable value that is compared and hashed natively, so it
 * serves as a Map key and, at a third of the memory of a typed array, for the many small hashes of a tree.
 */
export function toBinaryString(bytes: Uint8Array): string {
  const codes = new Array<number>(bytes.length);
  for (let i = 0; i < bytes.length; i += 1) codes[i] = bytes[i]!;
  return String.fromCharCode.apply(null, codes);
}

/** The same of `first` and the bytes, in one piece: a joined text is flattened at its first use. */
export function toBinaryStringAfter(first: number, bytes: Uint8Array): string {
  const codes = new Array<number>(bytes.length + 1);
  codes[0] = first;
  for (let i = 0; i < bytes.length; i += 1) codes[i + 1] = bytes[i]!;
  return String.fromCharCode.apply(null, codes);
}

/** The bytes of a text that `toBinaryString` made. */
export function fromBinaryString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  copyBinaryString(text, bytes, 0);
  return bytes;
}

/** Writes the bytes of `text` to `target` from `offset` on. */
export function copyBinaryString(text: string, target: Uint8Array, offset: number): void {
  for (let i = 0; i < text.length; i += 1) target[offset + i] = text.charCodeAt(i);
}
