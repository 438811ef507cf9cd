const POLL_MS = 10;

/** Resolves once this holds, asked every few milliseconds. Throws at the deadline, with what was waited for. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs / 1_000} s`);
    await pause(POLL_MS);
  }
}

/** Resolves after so long. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
