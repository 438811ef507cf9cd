/** Exit status of every command, as documented in docs/OPERATIONS.md. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** An operator's error: a message says what to mend. */
  failed: 1,
  /** Wrong usage of the command line. */
  usage: 2,
  /** `verify` found a fault in the data. */
  damaged: 3,
} as const;
