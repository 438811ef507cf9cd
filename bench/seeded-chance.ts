/** A number from 0 up to, but not including, 1. */
export type Chance = () => number;

/**
 * Repeatable chance for load plans and made-up content: the generator "mulberry32" over 32 bits of state, far too
 * weak for secrets. Streams of different `parts` (such as line, rate, repeat) are independent of one another.
 */
export function seededChance(...parts: readonly (number | string)[]): Chance {
  let state = stateOf(parts.join('/'));
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fowler–Noll–Vo hash (FNV-1a) over 32 bits: spreads similar names. */
function stateOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
