/** Collects writes that reach the disk together or not at all. */
export interface WriteBatch {
  /** With a checksum before the payload. */
  put(key: Uint8Array, payload: Uint8Array): unknown;
  /** As it is, for what has its own checksums. */
  putPlain(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
}
