import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Version of this build, from its package.json. */
export function buildVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
  );
  return (manifest as { version: string }).version;
}
