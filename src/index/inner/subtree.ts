/** Leaves of the left subtree of an RFC 6962 tree of `size` ≥ 2 leaves: the largest power of two below `size`. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
