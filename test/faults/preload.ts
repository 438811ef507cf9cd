import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Surroundings } from '../../src/node/process-group.ts';

/** What makes a node's disk slow: each sync and each batch takes this much longer. */
export function slowDisk(leastMs: number, mostMs: number): Partial<Surroundings> {
  return withPreload('slow-disk', { SLOW_DISK_MS: `${leastMs}-${mostMs}` });
}

/** What sets a node's wall clock wrong by this much. */
export function wrongClock(offMs: number): Partial<Surroundings> {
  return withPreload('wrong-clock', { WRONG_CLOCK_MS: String(offMs) });
}

function withPreload(name: string, settings: Readonly<Record<string, string>>): Partial<Surroundings> {
  const url = pathToFileURL(path.join(import.meta.dirname, 'preload', `${name}.ts`)).href;
  const options = process.env['NODE_OPTIONS'] ?? '';
  return { environment: { ...settings, NODE_OPTIONS: `${options} --import ${url}`.trim() } };
}
