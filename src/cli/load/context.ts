import type { Ledger } from '../connect.ts';
import type { KeyFolder } from '../key-folder.ts';
import type { Patience } from '../patience.ts';
import type { LoadLog } from './load-log.ts';
import type { HospitalNodes } from './nodes.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Hears how far a load is. */
export interface LoadProgress {
  /** A stage begins, with so many things to do. */
  stage(name: string, total: number): void;
  advance(done: number): void;
}

/** What all parts of a load share. */
export interface LoadContext {
  readonly ledger: Ledger;
  readonly keys: KeyFolder;
  readonly log: LoadLog;
  readonly nodes: HospitalNodes;
  readonly patience: Patience;
  readonly sealing: Stopwatch;
  readonly sending: Stopwatch;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
  /** Last block time for what is signed now. */
  readonly validUntilMs: () => number;
}
