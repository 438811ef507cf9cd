import { setTimeout as delay } from 'node:timers/promises';
import { compareBytes, toHex } from '../codec/bytes.ts';
import { type ProvenChunk, pathAfter, readStateChunk } from '../ledger/state-chunk.ts';
import { type HistorySource, NotAvailableError } from './history-source.ts';

/** The paths are divided so that several peers have work from the first moment on. */
const FIRST_DIVISIONS = 16;
/** Chunks asked of one peer at a time. */
const REQUESTS_PER_PEER = 2;
/** Answers in a row that brought nothing before a peer is asked no more. */
const MISSES_MAX = 3;
const MISS_PAUSE_MS = 200;

/** What to fetch, from whom, and where it goes. */
export interface StateFetch {
  /** State root of the block at `height`. */
  readonly root: Uint8Array;
  readonly height: number;
  /** Peers that hold this snapshot. */
  readonly peers: readonly Uint8Array[];
  readonly source: Pick<HistorySource, 'askOne'>;
  /** Takes the entries of a verified chunk; ranges may overlap. */
  readonly put: (chunk: ProvenChunk) => Promise<void>;
}

/** Paths not covered yet, from `from` up to but not with `until` (undefined: to the end). */
interface Gap {
  readonly from: Uint8Array;
  readonly until: Uint8Array | undefined;
}

/** What of all paths is not covered yet. Each chunk covers a range of its own choice. */
class PathGaps {
  #gaps: Gap[];

  constructor(divisions = 1) {
    this.#gaps = Array.from({ length: divisions }, (_, place) => ({
      from: firstOf(place, divisions),
      until: place + 1 === divisions ? undefined : firstOf(place + 1, divisions),
    }));
  }

  get isEmpty(): boolean {
    return this.#gaps.length === 0;
  }

  /** The first path of the gap least asked for, by `asked`; undefined when all is covered. */
  next(asked: (from: Uint8Array) => number): Uint8Array | undefined {
    let best: Uint8Array | undefined;
    for (const { from } of this.#gaps) if (best === undefined || asked(from) < asked(best)) best = from;
    return best;
  }

  /** A chunk covers its range. */
  cover(chunk: ProvenChunk): void {
    const end = pathAfter(chunk);
    this.#gaps = this.#gaps.flatMap(({ from, until }) => {
      const left: Gap[] = [];
      if (compareBytes(from, chunk.from) < 0) left.push({ from, until: least(until, chunk.from) });
      if (end !== undefined && (until === undefined || compareBytes(end, until) < 0))
        left.push({ from: compareBytes(from, end) > 0 ? from : end, until });
      return left;
    });
  }
}

/**
 * Fetches a whole state in chunks, from all peers at once. Each chunk is proven alone: who served a wrong one is
 * reported and left out. What a slow peer owes is asked of another as soon as nothing else is left. Rejects with a
 * NotAvailableError when no peer is left; resolves when every path is covered.
 */
export async function fetchState(fetch: StateFetch): Promise<void> {
  const gaps = new PathGaps(FIRST_DIVISIONS);
  const asked = new Map<string, number>();
  const workers = fetch.peers.flatMap((peer) =>
    Array.from({ length: REQUESTS_PER_PEER }, () => askPeer(fetch, peer, gaps, asked)),
  );
  await Promise.race([Promise.all(workers), untilCovered(gaps, workers)]);
  if (!gaps.isEmpty) throw new NotAvailableError(`no member is left that holds the snapshot of block ${fetch.height}`);
}

/** Resolves with the first worker that finds everything covered: the others wait for peers that nobody needs. */
async function untilCovered(gaps: PathGaps, workers: readonly Promise<void>[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const worker of workers)
    worker.then(
      () => gaps.isEmpty && resolve(),
      () => undefined,
    );
  await promise;
}

async function askPeer(fetch: StateFetch, peer: Uint8Array, gaps: PathGaps, asked: Map<string, number>): Promise<void> {
  const { root, height, source, put } = fetch;
  const count = (from: Uint8Array) => asked.get(toHex(from)) ?? 0;
  for (let misses = 0; misses < MISSES_MAX; ) {
    const path = gaps.next(count);
    if (path === undefined) return;
    asked.set(toHex(path), count(path) + 1);
    const reading = await source.askOne(peer, { kind: 'chunk', height, path }, ([encoded]) => {
      const chunk = readStateChunk(root, encoded!);
      if (typeof chunk === 'string') return { kind: 'fault', reason: `chunk/${chunk}` };
      const end = pathAfter(chunk);
      const holdsPath = compareBytes(chunk.from, path) <= 0 && (end === undefined || compareBytes(path, end) < 0);
      return holdsPath ? { kind: 'value', value: chunk } : { kind: 'fault', reason: 'chunk/elsewhere' };
    });
    if (reading.kind === 'fault') return;
    if (reading.kind === 'nothing') {
      misses += 1;
      await delay(MISS_PAUSE_MS);
      continue;
    }
    // Another may have brought the last of it meanwhile: then nothing may be put any more.
    if (gaps.isEmpty) return;
    misses = 0;
    await put(reading.value);
    gaps.cover(reading.value);
  }
}

function firstOf(place: number, divisions: number): Uint8Array {
  const path = new Uint8Array(32);
  path[0] = (place * 256) / divisions;
  return path;
}

function least(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a !== undefined && compareBytes(a, b) < 0 ? a : b;
}
