import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';

/** Folder of the public sample data: MEDLEDGER_SAMPLE_DATA, else shared/data beside the working copy. */
export const sampleData: string = path.resolve(
  process.env['MEDLEDGER_SAMPLE_DATA'] ?? path.join(import.meta.dirname, '..', '..', 'shared', 'data'),
);

/** Why the sample data under `folder` cannot be used, or null when they are there. */
export function missingSampleData(folder: string): string | null {
  const place = path.join(sampleData, folder);
  return existsSync(place) ? null : `no sample data at ${place}; set MEDLEDGER_SAMPLE_DATA`;
}

/**
 * Registers a test, or, when `missing` says what this machine lacks, a skip with that reason. The runner counts the
 * lines printed here, refuses skips without one, and under MEDLEDGER_TEST_STRICT=1 takes each for a failure.
 */
export function testUnless(missing: string | null, name: string, body: () => void | Promise<void>): void {
  if (missing === null) {
    test(name, body);
    return;
  }
  console.log(`SKIP: ${name}: ${missing}`);
  test.skip(name, body);
}
