import { test } from 'uvu';

/** `test`, which at the first failure of the file prints what `logs` gives, for the output of a run is all one has. */
export function withLogs(logs: () => readonly unknown[]): (name: string, body: () => Promise<void>) => void {
  let isPrinted = false;
  return (name, body) =>
    test(name, async () => {
      try {
        await body();
      } catch (error) {
        if (!isPrinted) console.log(...logs());
        isPrinted = true;
        throw error;
      }
    });
}
