/** Bytes that are not the one deterministic encoding of a value of the expected schema. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}
