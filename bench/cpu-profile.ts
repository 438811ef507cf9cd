import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where the CPU time of one thread went, by samples. */
export interface ThreadProfile {
  readonly file: string;
  /** Seconds that were sampled, and of them idle. */
  readonly seconds: number;
  readonly idleSeconds: number;
  /** Share of the busy time by part of the program, largest first. */
  readonly parts: readonly (readonly [part: string, share: number])[];
  /** Functions with the largest own time, as shares of the busy time. */
  readonly functions: readonly (readonly [name: string, share: number])[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

const FUNCTIONS_SHOWN = 25;
const IDLE = '(idle)';

/** Reads every `.cpuprofile` of a folder, one a thread, those with most busy time first. */
export function readProfiles(folder: string): readonly ThreadProfile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => summarise(name, JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Profile))
    .sort((a, b) => b.seconds - b.idleSeconds - (a.seconds - a.idleSeconds));
}

/** Own time by function and by part, from one profile in the format of V8. */
export function summarise(file: string, { nodes, samples, timeDeltas }: Profile): ThreadProfile {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const functions = new Map<string, number>();
  const parts = new Map<string, number>();
  let all = 0;
  let idle = 0;
  for (const [place, id] of samples.entries()) {
    const frame = byId.get(id);
    const seconds = (timeDeltas[place] ?? 0) / 1e6;
    all += seconds;
    if (frame === undefined) continue;
    if (frame.functionName === IDLE) idle += seconds;
    else {
      add(functions, functionText(frame), seconds);
      add(parts, partOf(frame), seconds);
    }
  }
  const busy = Math.max(all - idle, Number.MIN_VALUE);
  const shares = (sums: ReadonlyMap<string, number>) =>
    [...sums].sort((a, b) => b[1] - a[1]).map(([name, seconds]) => [name, seconds / busy] as const);
  return {
    file,
    seconds: all,
    idleSeconds: idle,
    parts: shares(parts),
    functions: shares(functions).slice(0, FUNCTIONS_SHOWN),
  };
}

function add(sums: Map<string, number>, name: string, seconds: number): void {
  sums.set(name, (sums.get(name) ?? 0) + seconds);
}

function functionText({ functionName, url, lineNumber }: ProfileNode['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${shortUrl(url)}:${lineNumber + 1}`;
}

/** A folder of the sources, a package, a module of Node, or the engine itself. */
function partOf({ functionName, url }: ProfileNode['callFrame']): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  const short = shortUrl(url);
  const [, packageName] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(short) ?? [];
  if (packageName !== undefined) return packageName;
  const [, folder] = /^(src\/[^/]+)/.exec(short) ?? [];
  return folder ?? short;
}

function shortUrl(url: string): string {
  return /(?:node_modules|src|bin|bench)\/.*$/.exec(url)?.[0] ?? url;
}
