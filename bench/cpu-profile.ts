/** Where the CPU time of one thread went, by samples. */
export interface ThreadProfile {
  /** What was going on meanwhile. */
  readonly name: string;
  /** Seconds that were sampled, and of them idle. */
  readonly seconds: number;
  readonly idleSeconds: number;
  /** Own time by part of the program; native code counts to the part that calls it. Shares of the busy time. */
  readonly parts: readonly Share[];
  /** Functions with the largest own time; native code, whose names are not reliable, by the function that calls it. */
  readonly own: readonly Share[];
  /** Functions of the sources with the largest time, all that they call included. */
  readonly inclusive: readonly Share[];
}

/** A name and its share of the busy time. */
export type Share = readonly [name: string, share: number];

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** A profile in the format of V8, as far as it is used. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

const FUNCTIONS_SHOWN = 30;
const IDLE = '(idle)';

/** Sums a profile by function and by part. */
export function summarise(name: string, { nodes, samples, timeDeltas }: Profile): ThreadProfile {
  const ownSeconds = new Map<number, number>();
  for (const [place, id] of samples.entries()) add(ownSeconds, id, (timeDeltas[place] ?? 0) / 1e6);
  const sums = new CallSums(nodes, ownSeconds);
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  for (const node of nodes) if (!children.has(node.id)) sums.visit(node, []);
  const all = [...ownSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
  const busy = Math.max(all - sums.idleSeconds, Number.MIN_VALUE);
  const shares = (seconds: ReadonlyMap<string, number>): readonly Share[] =>
    [...seconds].sort((a, b) => b[1] - a[1]).map(([text, own]) => [text, own / busy]);
  return {
    name,
    seconds: all,
    idleSeconds: sums.idleSeconds,
    parts: shares(sums.parts),
    own: shares(sums.own).slice(0, FUNCTIONS_SHOWN),
    inclusive: shares(sums.inclusive).slice(0, FUNCTIONS_SHOWN),
  };
}

/** Walks the tree of calls once. */
class CallSums {
  readonly parts = new Map<string, number>();
  readonly own = new Map<string, number>();
  readonly inclusive = new Map<string, number>();
  idleSeconds = 0;
  readonly #byId: ReadonlyMap<number, ProfileNode>;
  readonly #ownSeconds: ReadonlyMap<number, number>;

  constructor(nodes: readonly ProfileNode[], ownSeconds: ReadonlyMap<number, number>) {
    this.#byId = new Map(nodes.map((node) => [node.id, node]));
    this.#ownSeconds = ownSeconds;
  }

  /** Returns the seconds of the node with all below it; `callers` are the functions above it. */
  visit({ id, callFrame, children = [] }: ProfileNode, callers: readonly ProfileNode['callFrame'][]): number {
    const own = this.#ownSeconds.get(id) ?? 0;
    if (callFrame.functionName === IDLE) {
      this.idleSeconds += own;
      return 0;
    }
    const isPlaced = callFrame.url !== '' || callFrame.functionName.startsWith('(');
    const placed = isPlaced ? callFrame : (callers.findLast(({ url }) => url !== '') ?? callFrame);
    const text = isPlaced ? functionText(callFrame) : `native code in ${functionText(placed)}`;
    if (own > 0) {
      add(this.own, text, own);
      add(this.parts, partOf(placed), own);
    }
    const inner = [...callers, callFrame];
    const total = children.reduce((sum, child) => sum + this.visit(this.#byId.get(child)!, inner), own);
    const isOutermost = !callers.some((caller) => functionText(caller) === text);
    if (isOutermost && shortUrl(callFrame.url).startsWith('src/')) add(this.inclusive, text, total);
    return total;
  }
}

function add<K>(sums: Map<K, number>, key: K, seconds: number): void {
  sums.set(key, (sums.get(key) ?? 0) + seconds);
}

function nameOf({ functionName }: ProfileNode['callFrame']): string {
  return functionName === '' ? '(anonymous)' : functionName;
}

function functionText(frame: ProfileNode['callFrame']): string {
  return frame.url === '' ? nameOf(frame) : `${nameOf(frame)} ${shortUrl(frame.url)}:${frame.lineNumber + 1}`;
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

/** The path from the top of the tree, or from the last node_modules on. */
function shortUrl(url: string): string {
  return /(?:node_modules|src|bin|bench)\/(?!.*node_modules\/).*$/.exec(url)?.[0] ?? url;
}
