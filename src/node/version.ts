import { readFileSync } from 'node:fs';

/** Version of this build, from its package.json. */
export function buildVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
